"""Layers within the limits of one that was read, made to fill the memory or the time of who judges them."""

import pytest

from functions_app.domain.layers.elves import ElfFacts
from functions_app.domain.layers.entries import FileEntry, LayerContents
from functions_app.domain.rebase.safety.findings import Level
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide
from tests.domain.rebase.safety.cases import base, codes, file, folder, verdict
from tests.fuzz.bounds import bounded, told

OLD = (file("usr/lib/node_modules/npm/index.js", "1"), file("usr/bin/tool", "1"), file("opt/way"))
NEW = (file("usr/lib/node_modules/npm/index.js", "2"), file("usr/bin/tool", "2"), folder("opt/way"))
MOST = 4000  # characters of a path


def filled(start: str, part: str, end: str = "") -> str:
    """A path as long as they may be."""
    return start + part * ((MOST - len(start) - len(end)) // len(part)) + end


def of_paths(*paths: str) -> AppSide:
    return AppSide((LayerContents(tuple(FileEntry(path, "file") for path in paths)),))


def of_programs(*elves: ElfFacts) -> AppSide:
    return AppSide((LayerContents(tuple(FileEntry(elf.path, "file") for elf in elves), elves=elves),))


def beside_itself(number: int) -> ElfFacts:
    """A program whose libraries are looked for in directories that are a hundred times as long as its path."""
    folders = tuple(f"{'$ORIGIN' * 140}/{each}" for each in range(200))
    return ElfFacts(filled(f"{number}", "a", "/x"), 64, "x86_64", needed=("libx.so",), runpath=folders)


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(
            of_paths(*(filled(f"{number}/", "node_modules/", "x") for number in range(400))), id="packages in packages"
        ),
        pytest.param(of_paths(*(filled(f"{number}", "/a") for number in range(1000))), id="long ways to each file"),
        pytest.param(
            of_paths(*(filled(f"lib/{number}", ".so", "~") for number in range(1500))), id="nearly a library's names"
        ),
        pytest.param(of_programs(*map(beside_itself, range(8))), id="directories that grow"),
    ],
)
def test_they_are_judged_or_refused_in_little_memory_and_time(app: AppSide) -> None:
    told(lambda: judge(base(*OLD), base(*NEW), app))


def test_a_program_that_needs_very_many_libraries_is_for_review_before_it_takes_for_ever() -> None:
    folders = tuple(f"/opt/{number}/{'d' * 900}" for number in range(200))
    greedy = ElfFacts(
        "x", 64, "x86_64", needed=tuple(f"{number}.so" for number in range(2000)), runpath=folders, rpath=folders
    )

    with bounded():
        judged = judge(base(), base(), of_programs(greedy))

    assert (judged.level, codes(judged)) == (Level.REVIEW, ["not-read"])


@pytest.mark.parametrize(
    "name", ["libz.so.1", "libz.so.1.3.1", "libstdc++.so.6.0.33", "libx.so.2-beta", "a.so.so.1", "x.so.1.so."]
)
def test_a_shared_library_is_known_by_its_name_with_any_version(name: str) -> None:
    judged = verdict([file(f"srv/{name}", "1")], [file(f"srv/{name}", "2")], file(f"srv/{name}", "own"))

    assert codes(judged) == ["override-changed"]


@pytest.mark.parametrize("name", ["libz.so.", "x.so.1~", "x.so.d/data", "x.sox.1"])
def test_what_only_looks_like_one_is_none(name: str) -> None:
    judged = verdict([file(f"srv/{name}", "1")], [file(f"srv/{name}", "2")], file(f"srv/{name}", "own"))

    assert codes(judged) == []
