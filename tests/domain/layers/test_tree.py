"""Trees of files: layers put upon one leave it as it is, and what they change of it is told."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.layers.entries import FileEntry
from functions_app.domain.layers.overlay import overlay
from functions_app.domain.layers.tree import FileTree
from tests.domain.layers.test_overlay import file, folder, hard, hides, link

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)
TARGETS = st.lists(st.sampled_from(["a", "b", "..", ""]), min_size=1, max_size=4).map("/".join)
ENTRIES = st.lists(
    st.one_of(
        st.builds(file, PATHS, st.sampled_from(["1", "2"])),
        st.builds(folder, PATHS),
        st.builds(link, PATHS, TARGETS),
        st.builds(hard, PATHS, PATHS),
        st.builds(hides, PATHS, st.sampled_from(["whiteout", "opaque"])),
    ),
    max_size=6,
)
LAYERS = st.lists(ENTRIES, max_size=3)


def walked(tree: FileTree) -> list[tuple[str, int, FileEntry]]:
    return list(tree.walk())


@given(LAYERS, LAYERS)
def test_layers_upon_a_tree_are_the_tree_of_all_and_leave_it_as_it_is(
    below: list[list[FileEntry]], above: list[list[FileEntry]]
) -> None:
    tree = FileTree.of(below)
    before = walked(tree)

    assert walked(tree.upon(above)) == walked(FileTree.of([*below, *above]))
    assert walked(tree) == before


@given(LAYERS, LAYERS)
def test_the_changes_are_what_the_layers_above_show_and_hide(
    below: Sequence[Sequence[FileEntry]], above: Sequence[Sequence[FileEntry]]
) -> None:
    tree = FileTree.of(below)
    both = tree.upon(above)
    old = {path: entry for path, _, entry in tree.walk()}
    new = {path: (layer, entry) for path, layer, entry in both.walk()}

    changes = {one.path: one for one in both.changes(tree)}

    assert {path for path, one in changes.items() if one.after is None} == old.keys() - new.keys()
    assert {path for path, one in changes.items() if one.after} == {
        path for path, (layer, _) in new.items() if layer >= len(below)
    }
    assert all(one.before == old.get(path) for path, one in changes.items())
    assert all((one.layer, one.after) == new[path] for path, one in changes.items() if one.after)


@given(LAYERS)
def test_a_path_that_is_shown_is_found_where_it_is_unless_it_is_a_link(layers: list[list[FileEntry]]) -> None:
    tree = FileTree.of(layers)

    for path, layer, entry in tree.walk():
        if entry.kind != "symlink":
            place = tree.find(f"/{path}")
            assert place is not None
            assert (place.path, place.layer, place.entry) == (path, layer, entry)


def test_links_are_followed_to_the_end() -> None:
    tree = FileTree.of([[file("usr/lib/x.so.1"), link("lib", "usr/lib"), link("usr/lib/x.so", "x.so.1")]])

    place = tree.find("lib/x.so")

    assert place is not None
    assert place.path == "usr/lib/x.so.1"


def test_links_to_nothing_in_circles_or_through_files_lead_nowhere() -> None:
    tree = FileTree.of([[link("a", "b"), link("b", "a"), link("gone", "nowhere"), file("f")]])

    assert [tree.find(path) for path in ("a", "a/x", "gone", "f/x", "none")] == [None] * 5


def test_a_directory_that_replaces_a_link_leads_where_it_stands() -> None:
    """What was looked up through the link a moment before is looked up anew."""
    layer = [file("lib/a"), folder("lib"), file("lib/b")]

    assert list(overlay([[folder("usr/lib"), link("lib", "usr/lib")], layer])) == [
        "lib", "lib/b", "usr", "usr/lib", "usr/lib/a",
    ]  # fmt: skip
