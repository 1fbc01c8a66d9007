"""Paths that are something else in the new base, or lead elsewhere."""

import pytest

from functions_app.domain.layers.entries import FileEntry
from functions_app.domain.rebase.safety.findings import Level
from tests.domain.rebase.safety.cases import codes, file, folder, hides, link, the, verdict

SELF = file("opt/tool/x", "mine")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([folder("opt/tool")], [file("opt/tool")]),
        ([folder("opt/tool")], [folder("srv"), link("opt/tool", "/srv")]),
        ([folder("srv"), link("opt/tool", "/srv")], [folder("opt/tool")]),
        ([file("opt/tool/x", "1")], [folder("opt/tool/x")]),
        ([file("opt/tool/x", "1")], [link("opt/tool/x", "y")]),
    ],
)
def test_a_path_of_the_app_or_one_above_it_of_another_kind_is_unsafe(
    old: list[FileEntry], new: list[FileEntry]
) -> None:
    judged = verdict(old, new, SELF)

    assert (judged.level, "kind-changed" in codes(judged)) == (Level.UNSAFE, True)


def test_another_kind_elsewhere_is_no_matter() -> None:
    assert codes(verdict([folder("opt/other")], [file("opt/other")], SELF)) == []


def test_a_directory_of_the_app_in_the_place_of_one_that_becomes_a_link_is_unsafe() -> None:
    """It would hide all that the link leads to."""
    old, new = [folder("lib"), file("lib/a")], [folder("usr/lib"), file("usr/lib/a"), link("lib", "usr/lib")]

    assert "kind-changed" in codes(verdict(old, new, folder("lib")))


def test_a_file_that_is_a_hard_link_in_the_new_base_is_a_file_still() -> None:
    old = [file("opt/tool/x", "1"), file("opt/y", "1")]
    new = [file("opt/y", "1"), FileEntry("opt/tool/x", "hardlink", link="opt/y", mode=0o644)]

    assert codes(verdict(old, new, SELF)) == []


def test_a_link_of_the_base_that_moved_beneath_app_files_is_unsafe() -> None:
    old = [folder("srv/v1"), folder("srv/v2"), link("srv/current", "v1")]
    new = [folder("srv/v1"), folder("srv/v2"), link("srv/current", "v2")]

    judged = verdict(old, new, file("srv/current/plugin.txt"))

    assert (judged.level, codes(judged), judged.findings[0].paths) == (
        Level.UNSAFE, ["link-moved"], ("srv/v1/plugin.txt",),
    )  # fmt: skip


def test_a_link_further_on_the_way_counts_as_well() -> None:
    old = [folder("a"), folder("b"), link("two", "a"), link("one", "two")]
    new = [folder("a"), folder("b"), link("two", "b"), link("one", "two")]

    assert the(verdict(old, new, file("one/x.txt")), "link-moved").paths == ("a/x.txt",)


def test_a_link_that_is_written_otherwise_and_leads_to_the_same_is_safe() -> None:
    old, new = [folder("usr/lib"), link("lib", "usr/lib")], [folder("usr/lib"), link("lib", "/usr/lib")]

    assert codes(verdict(old, new, file("lib/x.txt"))) == []


def test_a_link_that_moved_elsewhere_is_no_matter() -> None:
    old, new = [folder("a"), folder("b"), link("c", "a")], [folder("a"), folder("b"), link("c", "b")]

    assert codes(verdict(old, new, file("a/x.txt"))) == []


def test_a_whiteout_through_a_link_that_moved_is_unsafe() -> None:
    old = [file("v1/a.txt"), file("v2/a.txt"), link("current", "v1")]
    new = [file("v1/a.txt"), file("v2/a.txt"), link("current", "v2")]

    assert codes(verdict(old, new, hides("current/a.txt"))) == ["link-moved"]
    assert codes(verdict(old, old, hides("current/a.txt"))) == []
