"""What the loader would find on the new base for the app's programs and libraries."""

from typing import Any

import pytest

from functions_app.domain.layers.elves import ElfFacts, NeededVersion
from functions_app.domain.layers.entries import FileEntry, LayerContents
from functions_app.domain.rebase.safety import linking
from functions_app.domain.rebase.safety.findings import Level, Verdict
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide, SideFiles
from tests.domain.rebase.safety.cases import AL2023, RPM, codes, file, hard, link, the

GLIBC = ("GLIBC_2.2.5", "GLIBC_2.26")
NEWER = (*GLIBC, "GLIBC_2.34")
TASK = "var/task/lib/native.so"


def elf(path: str, *needed: str, bits: int = 64, machine: str = "x86_64", **facts: Any) -> ElfFacts:
    return ElfFacts(path, bits, machine, needed=needed, **facts)


def versions(*names: str, of: str = "libc.so.6", weak: bool = False) -> tuple[NeededVersion, ...]:
    return tuple(NeededVersion(of, name, weak) for name in names)


def layer(*elves: ElfFacts, more: tuple[FileEntry, ...] = (), read: bool = True) -> LayerContents:
    """A layer with these programs and libraries."""
    return LayerContents((*(file(one.path, one.path) for one in elves), *more), elves=elves, facts_read=read)


def side(*elves: ElfFacts, more: tuple[FileEntry, ...] = (), read: bool = True) -> SideFiles:
    """A base with these libraries, and glibc's."""
    os = LayerContents((file(RPM),), AL2023)
    return SideFiles((os, layer(*elves, more=more, read=read)))


def libc(*defined: str) -> ElfFacts:
    return elf("lib64/libc.so.6", soname="libc.so.6", defined=defined)


def library(path: str, *defined: str, **facts: Any) -> ElfFacts:
    return elf(path, soname=path.rpartition("/")[2], defined=defined, **facts)


def on(old: SideFiles, new: SideFiles, *own: ElfFacts, more: tuple[FileEntry, ...] = (), path: str = "") -> Verdict:
    environment = {"LD_LIBRARY_PATH": path} if path else {}
    return judge(old, new, AppSide((layer(*own, more=more),), environment=environment))


# Versions


def test_a_version_that_the_old_libraries_served_and_the_new_ones_lack_is_unsafe() -> None:
    native = elf(TASK, "libc.so.6", versions=versions("GLIBC_2.34"))

    judged = on(side(libc(*NEWER)), side(libc(*GLIBC)), native)

    assert (judged.level, codes(judged)) == (Level.UNSAFE, ["symbol-missing"])
    assert (judged.findings[0].paths, judged.findings[0].detail) == ((TASK,), "GLIBC_2.34 of libc.so.6")


@pytest.mark.parametrize(("name", "version"), [("libstdc++.so.6", "GLIBCXX_3.4.30"), ("libssl.so.3", "OPENSSL_3.0.0")])
def test_versions_of_any_library_count(name: str, version: str) -> None:
    native = elf(TASK, name, versions=versions(version, of=name))
    old, new = side(library(f"usr/lib64/{name}", version)), side(library(f"usr/lib64/{name}", "OTHER_1"))

    assert codes(on(old, new, native)) == ["symbol-missing"]
    assert codes(on(old, old, native)) == []


def test_weak_versions_do_not_count() -> None:
    native = elf(TASK, "libc.so.6", versions=versions("GLIBC_2.34", weak=True))

    assert codes(on(side(libc(*NEWER)), side(libc(*GLIBC)), native)) == []


def test_a_version_that_the_old_base_lacked_too_is_for_review() -> None:
    native = elf(TASK, "libc.so.6", versions=versions("GLIBC_2.38"))

    judged = on(side(libc(*NEWER)), side(libc(*NEWER)), native)

    assert (judged.level, codes(judged)) == (Level.REVIEW, ["already-missing"])


def test_a_library_without_any_versions_serves_each() -> None:
    native = elf(TASK, "libfoo.so.1", versions=versions("FOO_1", of="libfoo.so.1"))

    assert codes(on(side(library("lib64/libfoo.so.1", "FOO_1")), side(library("lib64/libfoo.so.1")), native)) == []


# Libraries


def test_a_needed_library_that_is_gone_is_unsafe() -> None:
    native = elf(TASK, "libfoo.so.1")

    judged = on(side(library("lib64/libfoo.so.1")), side(library("lib64/libfoo.so.2")), native)

    assert (judged.level, codes(judged), judged.findings[0].detail) == (
        Level.UNSAFE, ["library-missing"], "libfoo.so.1",
    )  # fmt: skip


def test_a_needed_library_that_neither_base_has_is_for_review() -> None:
    assert codes(on(side(libc()), side(libc()), elf(TASK, "libfoo.so.1"))) == ["already-missing"]


def test_a_library_that_nobody_needs_may_go() -> None:
    assert codes(on(side(library("lib64/libfoo.so.1")), side(), elf(TASK))) == []


@pytest.mark.parametrize(
    "folder",
    ["lib64", "usr/lib64", "lib", "usr/lib", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/local/lib"],
)
def test_the_loader_knows_some_directories_by_itself(folder: str) -> None:
    assert codes(on(side(libc()), side(library(f"{folder}/libfoo.so.1")), elf(TASK, "libfoo.so.1"))) == []


def test_a_directory_that_nothing_names_is_not_searched() -> None:
    assert codes(on(side(libc()), side(library("opt/x/libfoo.so.1")), elf(TASK, "libfoo.so.1"))) == ["already-missing"]


@pytest.mark.parametrize(
    "facts",
    [{"rpath": ("/opt/x",)}, {"runpath": ("/opt/x",)}, {"runpath": ("$ORIGIN/../../../opt/x",)},
     {"rpath": ("${ORIGIN}/../../../opt/x",)}],
)  # fmt: skip
def test_rpath_and_runpath_are_searched_origin_filled_in(facts: Any) -> None:
    old, new = side(library("opt/x/libfoo.so.1")), side(libc())

    assert codes(on(old, new, elf(TASK, "libfoo.so.1", **facts))) == ["library-missing"]
    assert codes(on(old, old, elf(TASK, "libfoo.so.1", **facts))) == []


def test_rpath_does_not_count_beside_a_runpath() -> None:
    native = elf(TASK, "libfoo.so.1", rpath=("/opt/x",), runpath=("/opt/y",))
    both = side(library("opt/x/libfoo.so.1"))

    assert codes(on(both, both, native)) == ["already-missing"]


def test_the_library_path_of_the_environment_is_searched() -> None:
    old, new = side(library("opt/x/libfoo.so.1")), side(libc())

    assert codes(on(old, old, elf(TASK, "libfoo.so.1"), path="/nowhere:/opt/x")) == []
    assert codes(on(old, new, elf(TASK, "libfoo.so.1"), path="/opt/x")) == ["library-missing"]


def test_a_library_path_that_the_new_base_takes_away_is_unsafe() -> None:
    both = side(library("opt/x/libfoo.so.1"))
    own = AppSide((layer(elf(TASK, "libfoo.so.1")),), environment_before={"LD_LIBRARY_PATH": "/opt/x"})

    assert codes(judge(both, both, own)) == ["library-missing"]


def test_rpath_goes_before_the_library_path_and_that_before_the_runpath() -> None:
    """What is found first has to serve the version, whatever comes later."""
    both = side(library("opt/good/libfoo.so.1", "FOO_1"), library("opt/bad/libfoo.so.1", "FOO_0"))
    wants = versions("FOO_1", of="libfoo.so.1")

    first = elf(TASK, "libfoo.so.1", rpath=("/opt/good",), versions=wants)
    last = elf(TASK, "libfoo.so.1", runpath=("/opt/good",), versions=wants)

    assert codes(on(both, both, first, path="/opt/bad")) == []
    assert codes(on(both, both, last, path="/opt/bad")) == ["already-missing"]


def test_what_the_app_brings_serves_it_on_any_base() -> None:
    native = elf(TASK, "libfoo.so.1", runpath=("$ORIGIN",), versions=versions("FOO_1", of="libfoo.so.1"))
    own = library("var/task/lib/libfoo.so.1", "FOO_1")

    assert codes(on(side(library("lib64/libfoo.so.1", "FOO_1")), side(libc()), native, own)) == []


def test_a_library_of_the_app_loaded_by_another_serves_by_its_name() -> None:
    """torch loads its libraries itself; those that need them find them loaded."""
    assert codes(on(side(libc()), side(libc()), elf(TASK, "libtorch.so"), library("var/task/t/libtorch.so"))) == []


def test_a_library_of_the_app_that_was_not_the_one_found_does_not_serve_where_the_bases_is_gone() -> None:
    own = library("var/task/unused/libfoo.so.1")

    assert codes(on(side(library("lib64/libfoo.so.1")), side(libc()), elf(TASK, "libfoo.so.1"), own)) == [
        "library-missing"
    ]


def test_a_library_for_another_machine_is_passed_over() -> None:
    other = library("lib64/libfoo.so.1", machine="aarch64")

    assert codes(on(side(library("lib64/libfoo.so.1")), side(other), elf(TASK, "libfoo.so.1"))) == ["library-missing"]
    assert codes(on(side(library("lib64/libfoo.so.1")), side(other, library("usr/lib64/libfoo.so.1")),
                    elf(TASK, "libfoo.so.1"))) == []  # fmt: skip


def test_links_lead_to_the_library() -> None:
    real = elf("usr/lib64/libfoo.so.1.2", soname="libfoo.so.1", defined=("FOO_1",))
    native = elf(TASK, "libfoo.so.1", versions=versions("FOO_1", of="libfoo.so.1"))
    linked = side(real, more=(link("usr/lib64/libfoo.so.1", "libfoo.so.1.2"),))
    hardly = side(real, more=(hard("usr/lib64/libfoo.so.1", "usr/lib64/libfoo.so.1.2"),))

    assert codes(on(linked, hardly, native)) == []
    assert codes(on(linked, side(libc(), more=(link("usr/lib64/libfoo.so.1", "gone"),)), native)) == ["library-missing"]


def test_a_text_in_the_place_of_a_library_is_none() -> None:
    script = side(libc(), more=(file("lib64/libfoo.so.1"),))

    assert codes(on(side(library("lib64/libfoo.so.1")), script, elf(TASK, "libfoo.so.1"))) == ["library-missing"]


def test_a_loader_that_is_gone_is_unsafe() -> None:
    loader = library("lib64/ld-linux-x86-64.so.2")
    program = elf("var/task/tool", interpreter="/lib64/ld-linux-x86-64.so.2")

    assert codes(on(side(loader), side(libc()), program)) == ["library-missing"]
    assert codes(on(side(loader), side(loader), program)) == []


# What is never loaded, and what was not read


def test_programs_for_another_machine_or_another_c_library_are_never_loaded() -> None:
    """Packages of Node bring libraries for many machines at once."""
    arm = elf("var/task/prebuilds/linux-arm64/x.node", "libc.so.6", machine="aarch64")
    musl = elf("var/task/prebuilds/musl/x.node", "libc.musl-x86_64.so.1")

    assert codes(on(side(libc(*NEWER)), side(libc(*GLIBC)), arm, musl)) == []


def test_a_program_of_the_app_that_could_not_be_read_is_for_review() -> None:
    judged = on(side(libc()), side(libc()), ElfFacts(TASK, problem="larger than 64 MB"))

    assert (judged.level, the(judged, "not-read").paths) == (Level.REVIEW, (TASK,))
    assert the(judged, "not-read").detail == "larger than 64 MB"


def test_a_library_of_the_new_base_that_could_not_be_read_is_for_review_where_it_is_needed() -> None:
    unread = side(ElfFacts("lib64/libc.so.6", problem="broken"))
    native = elf(TASK, "libc.so.6", versions=versions("GLIBC_2.34"))

    assert codes(on(side(libc(*NEWER)), unread, native)) == ["not-read"]
    assert codes(on(side(libc(*NEWER)), unread, elf(TASK))) == []


def test_layers_that_were_read_before_such_facts_were_kept_are_for_review() -> None:
    native = elf(TASK, "libc.so.6", versions=versions("GLIBC_2.34"))
    before = SideFiles(
        (LayerContents((file(RPM),), AL2023), LayerContents((file("lib64/libc.so.6"),), facts_read=False))
    )

    assert codes(on(side(libc(*NEWER)), before, native)) == ["not-read"]


def test_programs_that_were_made_to_search_for_ever_are_for_review_and_no_worse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(linking, "LOOKUPS", 5_000)  # the true bound takes a second to reach
    names = [f"lib{number}.so" for number in range(10)]
    folders = tuple(f"/opt/{number}" for number in range(10_000))
    greedy = [elf(f"var/task/{number}.so", *names, runpath=folders) for number in range(20)]

    judged = on(side(libc()), side(libc()), *greedy)

    assert (judged.level, codes(judged)) == (Level.REVIEW, ["already-missing", "not-read"])
    assert "too many places" in the(judged, "not-read").detail


def test_a_library_that_a_later_layer_of_the_app_took_away_needs_nothing() -> None:
    native = elf(TASK, "libc.so.6", versions=versions("GLIBC_2.34"))
    gone = LayerContents((FileEntry(TASK, "whiteout"),))

    assert codes(judge(side(libc(*NEWER)), side(libc(*GLIBC)), AppSide((layer(native), gone)))) == []
