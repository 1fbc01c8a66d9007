"""Stacks of layers against a brute-force model that unpacks them one by one, and how two stacks differ."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions_app.domain.errors import DrydockError
from functions_app.domain.layers import overlay as layer_overlay
from functions_app.domain.layers import tree as layer_tree
from functions_app.domain.layers.entries import FileEntry, FileKind
from functions_app.domain.layers.overlay import diff_files, overlay


def file(path: str, digest: str = "", mode: int = 0o644) -> FileEntry:
    return FileEntry(path, "file", 1, digest.ljust(64, "0") if digest else "", mode=mode)


def folder(path: str, mode: int = 0o755) -> FileEntry:
    return FileEntry(path, "dir", mode=mode)


def link(path: str, target: str) -> FileEntry:
    return FileEntry(path, "symlink", link=target)


def hard(path: str, target: str) -> FileEntry:
    return FileEntry(path, "hardlink", link=target, mode=0o644)


def hides(path: str, kind: FileKind = "whiteout") -> FileEntry:
    return FileEntry(path, kind)


def shown(*layers: Sequence[FileEntry]) -> list[str]:
    """The paths that a stack shows."""
    return list(overlay(layers))


# What image-spec says


def test_a_file_of_a_higher_layer_replaces_the_one_below() -> None:
    assert overlay([[file("a", "1")], [file("a", "2")]]) == {"a": file("a", "2")}


def test_a_whiteout_hides_a_file_or_a_whole_directory_below() -> None:
    base = [folder("d"), file("d/a"), file("d/b"), file("e")]

    assert shown(base, [hides("d/a")]) == ["d", "d/b", "e"]
    assert shown(base, [hides("d")]) == ["e"]


def test_a_whiteout_never_hides_what_its_own_layer_brings() -> None:
    assert overlay([[file("d/a", "1")], [file("d/a", "2"), hides("d/a")]])["d/a"] == file("d/a", "2")


def test_an_opaque_directory_shows_nothing_of_the_layers_below() -> None:
    base = [folder("d"), file("d/old"), file("d/e/old")]

    assert shown(base, [file("d/new"), hides("d", "opaque")]) == ["d", "d/new"]


def test_an_opaque_root_hides_everything_below() -> None:
    assert shown([file("a")], [hides("", "opaque"), file("b")]) == ["b"]


def test_a_directory_over_a_directory_keeps_what_is_in_it_and_takes_its_mode() -> None:
    merged = overlay([[folder("d", 0o755), file("d/a")], [folder("d", 0o700)]])

    assert (list(merged), merged["d"].mode) == (["d", "d/a"], 0o700)


def test_a_file_in_the_place_of_a_directory_takes_all_of_it_away() -> None:
    assert shown([folder("d"), file("d/a")], [file("d")]) == ["d"]


def test_a_directory_in_the_place_of_a_link_is_a_new_one() -> None:
    assert shown([folder("real"), file("real/a"), link("d", "real")], [folder("d"), file("d/b")]) == [
        "d",
        "d/b",
        "real",
        "real/a",
    ]


def test_directories_that_no_layer_mentions_are_there_all_the_same() -> None:
    assert overlay([[file("a/b/c")]])["a/b"] == folder("a/b")


# What containerd does


def test_a_path_leads_through_the_links_of_the_layers_below() -> None:
    base = [folder("usr/lib"), link("lib", "usr/lib"), link("lib64", "/usr/lib")]

    assert shown(base, [file("lib/x.so")], [file("lib64/y.so")]) == [
        "lib", "lib64", "usr", "usr/lib", "usr/lib/x.so", "usr/lib/y.so",
    ]  # fmt: skip
    assert shown([*base, file("usr/lib/x.so")], [hides("lib/x.so")]) == ["lib", "lib64", "usr", "usr/lib"]


def test_links_cannot_lead_out_of_the_root() -> None:
    assert shown([link("up", "../../../etc")], [file("up/passwd")]) == ["etc", "etc/passwd", "up"]


def test_a_link_to_itself_ends() -> None:
    assert shown([link("a", "a")], [file("a/b")]) == ["a", "a/b"]


def test_a_hard_link_has_the_digest_of_what_it_is_a_link_to() -> None:
    merged = overlay([[file("a", "1")], [hard("b", "a"), hard("c", "b")], [file("a", "2")]])

    assert {merged[path].digest[0] for path in "bc"} == {"1"}
    assert merged["c"].size == 1


def test_a_hard_link_to_nothing_stays_what_it_is() -> None:
    assert overlay([[hard("b", "gone/a")]]) == {"b": hard("b", "gone/a")}


def test_links_that_multiply_the_way_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_tree, "STEPS", 10_000)  # the true bound takes seconds to reach
    long = "/".join(["d"] * 500)
    chain = [link(f"l{number}", f"l{number + 1}/{long}") for number in range(30)]

    with pytest.raises(DrydockError, match="too long ways"):
        overlay([chain, [file(f"l0/{number}") for number in range(30)]])


def test_a_very_deep_tree_needs_no_deep_stack() -> None:
    assert len(overlay([[file("/".join(["d"] * 2000))]])) == 2000


# The model: a tree of dicts, unpacked layer by layer, without links

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
MODES = st.sampled_from([0o644, 0o755])
ENTRIES = st.one_of(
    st.builds(file, PATHS, st.sampled_from("123"), MODES),
    st.builds(folder, PATHS, MODES),
    st.builds(hides, PATHS),
    st.builds(hides, PATHS, st.just("opaque")),
)


def unpacked(layers: Sequence[Sequence[FileEntry]]) -> dict[str, FileEntry]:
    """What a stack shows, worked out path by path."""
    shown: dict[str, FileEntry] = {}
    for layer in layers:
        for one in layer:
            if one.kind in {"whiteout", "opaque"}:
                whole = {one.path} if one.kind == "whiteout" else set[str]()
                inside = {path for path in shown if path.startswith(one.path + "/")}
                is_folder = shown.get(one.path, folder("")).kind == "dir"
                for path in whole | (inside if is_folder else set()):
                    shown.pop(path, None)
        for one in layer:
            if one.kind not in {"file", "dir"}:
                continue
            parts = one.path.split("/")
            for depth in range(1, len(parts)):
                parent = "/".join(parts[:depth])
                if shown.get(parent, file(parent)).kind != "dir":
                    shown[parent] = folder(parent)
            if one.kind == "file":
                shown = {path: kept for path, kept in shown.items() if not path.startswith(one.path + "/")}
            shown[one.path] = one
    return shown


@settings(max_examples=400, deadline=None)
@given(st.lists(st.lists(ENTRIES, max_size=8), max_size=4))
def test_a_stack_shows_what_unpacking_its_layers_would(layers: list[list[FileEntry]]) -> None:
    assert overlay(layers) == unpacked(layers)


@settings(deadline=None)
@given(st.lists(st.lists(ENTRIES, max_size=8), max_size=3), st.lists(st.lists(ENTRIES, max_size=8), max_size=3))
def test_a_diff_leads_from_the_old_files_to_the_new(old: list[list[FileEntry]], new: list[list[FileEntry]]) -> None:
    before, after = overlay(old), overlay(new)

    diff = diff_files(before, after)

    led = {path: entry for path, entry in before.items() if entry not in diff.removed}
    led |= {change.path: change.new for change in diff.changed} | {entry.path: entry for entry in diff.added}
    assert {path: (one.kind, one.digest, one.mode) for path, one in led.items()} == {
        path: (one.kind, one.digest, one.mode) for path, one in after.items()
    }


# Differences


def test_a_diff_of_equal_stacks_is_empty() -> None:
    files = overlay([[file("a", "1"), link("l", "a"), folder("d")]])

    assert diff_files(files, dict(files)) == layer_overlay.FileDiff((), (), ())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (file("a", "1"), file("a", "2")),
        (file("a", "1", 0o644), file("a", "1", 0o755)),
        (link("a", "x"), link("a", "y")),
        (file("a", "1"), folder("a")),
        (folder("a", 0o755), folder("a", 0o1777)),
    ],
)
def test_other_contents_modes_targets_and_kinds_are_changes(old: FileEntry, new: FileEntry) -> None:
    (change,) = diff_files({"a": old}, {"a": new}).changed

    assert (change.path, change.old, change.new) == ("a", old, new)


def test_a_hard_link_with_the_same_contents_is_no_change() -> None:
    files = overlay([[file("a", "1"), hard("b", "a")]])

    assert diff_files(files, {"a": file("a", "1"), "b": file("b", "1")}).changed == ()
