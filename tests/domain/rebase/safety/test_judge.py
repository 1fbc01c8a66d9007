"""The verdict as a whole: what holds for any bases and apps, hostile ones too, and what is kept of it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.errors import DrydockError
from functions_app.domain.layers import tree
from functions_app.domain.layers.entries import FileEntry, LayerContents
from functions_app.domain.layers.entry_table import EntryTable
from functions_app.domain.rebase.safety.findings import RULES, Finding, Level, Verdict
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide, SideFiles
from tests.domain.rebase.safety.cases import app, base, codes, file, folder, hard, hides, link

NAMES = st.sampled_from(["usr", "lib", "bin", "x.py", "y.so.1", "z", "etc", "passwd", "site-packages", "node_modules"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
TEXTS = st.sampled_from(["1", "2", "3"])


def made(path: str, text: str, kind: str, other: str) -> FileEntry:
    if kind == "symlink":
        return link(path, other)
    if kind == "hardlink":
        return hard(path, other)
    return folder(path) if kind == "dir" else file(path, text)


ENTRIES = st.lists(
    st.builds(made, PATHS, TEXTS, st.sampled_from(["file", "file", "file", "dir", "symlink", "hardlink"]), PATHS),
    max_size=12,
)
HIDING = st.builds(hides, PATHS, st.sampled_from(["whiteout", "opaque"]))
LAYERS = st.lists(st.one_of(ENTRIES, st.lists(HIDING, max_size=3)), max_size=3)


def layered(layers: Sequence[Sequence[FileEntry]]) -> AppSide:
    return AppSide(tuple(LayerContents(EntryTable.of(entries)) for entries in layers))


@given(ENTRIES, ENTRIES)
def test_an_app_without_layers_is_safe_between_any_bases_of_one_system(
    old: list[FileEntry], new: list[FileEntry]
) -> None:
    assert judge(base(*old), base(*new), AppSide(())) == Verdict()


@given(ENTRIES, LAYERS)
def test_nothing_is_unsafe_by_change_where_nothing_changes(both: list[FileEntry], own: list[list[FileEntry]]) -> None:
    """Writing the package database is unsafe all the same: none of these paths is one."""
    judged = judge(base(*both), base(*both), layered(own))

    assert judged.level != Level.UNSAFE


@given(ENTRIES, ENTRIES, st.lists(st.tuples(PATHS, TEXTS), max_size=8))
def test_files_in_the_task_directory_never_override_anything(
    old: list[FileEntry], new: list[FileEntry], own: list[tuple[str, str]]
) -> None:
    task = folder("var/task")

    judged = judge(base(*old, task), base(*new, task), app(*(file(f"var/task/{path}", text) for path, text in own)))

    assert codes(judged) == []


@given(ENTRIES, ENTRIES, LAYERS)
def test_a_verdict_is_the_same_each_time_and_as_bad_as_its_worst_finding(
    old: list[FileEntry], new: list[FileEntry], own: list[list[FileEntry]]
) -> None:
    sides = base(*old), base(*new)
    judged = judge(*sides, layered(own))

    assert judge(*sides, layered(own)) == judged == Verdict.from_json(judged.as_json())
    levels = [list(Level).index(finding.level) for finding in judged.findings]
    assert levels == sorted(levels, reverse=True)
    assert judged.level == (judged.findings[0].level if judged.findings else Level.SAFE)


@given(ENTRIES, ENTRIES, LAYERS)
def test_each_code_is_found_once_at_most(
    old: list[FileEntry], new: list[FileEntry], own: list[list[FileEntry]]
) -> None:
    judged = judge(base(*old), base(*new), layered(own))

    assert len(set(codes(judged))) == len(judged.findings)


def test_bases_that_serve_many_verdicts_stay_as_they_are() -> None:
    sides = base(file("usr/bin/a", "1")), base(file("usr/bin/a", "2"))

    first = judge(*sides, app(hides("usr"), file("usr/bin/a", "mine")))
    second = judge(*sides, app(file("usr/bin/a", "mine")))

    assert (first.level, codes(second)) == (Level.UNSAFE, ["override-changed"])


# Hostile


def test_links_in_circles_end() -> None:
    circle = [link("a", "b"), link("b", "a"), link("c", "c/c/c")]

    judged = judge(base(*circle), base(*circle), app(file("a/x"), file("c/x"), link("d", "/a"), hides("c/y")))

    assert judged.level == Level.SAFE


def test_links_that_lead_too_long_ways_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "STEPS", 10_000)  # the true bound takes seconds to reach
    way = link("long", "/" + "d/../" * 200 + "d")

    with pytest.raises(DrydockError, match="too long ways"):
        judge(base(), base(), app(folder("d"), way, *(link(f"var/task/{number}", "/long") for number in range(100))))


def test_four_hundred_thousand_entries_are_judged() -> None:
    entries = tuple(FileEntry(f"usr/d{number % 300}/{number}.py", "file") for number in range(400_000))
    side = base(file("usr/d1/1.py", "1"))

    judged = judge(side, side, AppSide((LayerContents(entries),)))

    assert judged.level == Level.SAFE


def test_names_that_look_like_nothing_are_only_names() -> None:
    odd = [
        file("var/lib/rpm"),
        file("node_modules/@x"),
        file("site-packages/"),
        file("…/\U0001f600.so"),
        file("a" * 4000),
    ]

    assert judge(base(*odd), base(), app(*odd)).level in Level


# What is kept


def test_a_finding_knows_its_rule_and_where_the_manual_explains_it() -> None:
    finding = Finding("package-pinned", ("a",), 1)

    assert finding.rule is RULES["package-pinned"]
    assert finding.rule.anchor == "docs/patching.md#package-pinned"


def test_a_verdict_of_nothing_is_safe_and_offers_nothing() -> None:
    assert (Verdict.of([]).level, Verdict.of([]).offer) == (Level.SAFE, None)


def test_what_is_special_about_a_finding_is_kept_short_and_fit_for_a_database() -> None:
    (finding,) = Verdict.of([Finding("module-gone", ("a\0",), 1, "x\0" + "y" * 10_000)]).findings

    assert len(finding.detail) <= 500
    assert "\0" not in finding.detail + finding.paths[0]


def test_the_worst_comes_first() -> None:
    judged = Verdict.of([Finding("signature-lost"), Finding("package-pinned"), Finding("os-changed")])

    assert codes(judged) == ["os-changed", "package-pinned", "signature-lost"]


def test_sides_are_worked_out_once() -> None:
    side = SideFiles((LayerContents((file("a"),)),))

    assert side.tree is side.tree
    assert side.files is side.files
