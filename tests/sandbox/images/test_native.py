"""The native files of the sandbox's images: true ELF files, each of which finds what it needs where it lies."""

import io
import tarfile
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest

from functions_app.domain.layers.elf_reader import MAGIC
from functions_app.domain.layers.elves import ElfFacts
from functions_app.domain.layers.tar import read_tar
from sandbox.fleet.apps import APPS, FOREIGN, base_of, build_app
from sandbox.images.elf import Elf, elf_bytes
from sandbox.images.making import Image
from sandbox.images.native import native
from tests.readelf import facts_by_readelf

TODAY = date(2026, 11, 21)
BUILT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
BASES = ["python:3.12", "python:3.9", "nodejs:22", "provided:al2023", FOREIGN]
ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
APPS_ON = [
    ("orders", "python:3.12"),
    ("documents", "python:3.9"),
    ("documents", "python:3.12"),
    ("catalog", "python:3.12"),
    ("thumbnails", "nodejs:22"),
    ("probe", "provided:al2023"),
]


@cache
def elves(image: Image) -> tuple[ElfFacts, ...]:
    """Every native file of an image."""
    return tuple(elf for layer in image.layers for elf in read_tar(io.BytesIO(layer.tar)).elves)


def lacking(found: tuple[ElfFacts, ...]) -> set[str]:
    """Libraries and versions that these files need and that none of them is or defines."""
    names = {elf.soname for elf in found}
    defined = {(elf.soname, version) for elf in found for version in elf.defined}
    needed = {library for elf in found for library in elf.needed} - names
    return needed | {
        version.name
        for elf in found
        for version in elf.versions
        if (version.library, version.name) not in defined and not version.weak
    }


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_whatever_a_base_needs_it_brings_for_the_same_machine(base: str, architecture: str) -> None:
    found = elves(base_of(base, 0, architecture, TODAY))

    assert len(found) > 10
    assert {elf.machine for elf in found} == {ARCHITECTURES[architecture]}
    assert not any(elf.problem for elf in found)
    assert lacking(found) == set()


@pytest.mark.parametrize(("base", "newest"), [("python:3.9", 26), ("python:3.12", 34), (FOREIGN, 36)])
def test_glibc_is_that_of_the_operating_system(base: str, newest: int) -> None:
    (libc,) = (elf for elf in elves(base_of(base, 0, "amd64", TODAY)) if elf.soname == "libc.so.6")

    minors = [int(version.rpartition(".")[2]) for version in libc.defined if version.startswith("GLIBC_2.")]
    assert (libc.defined[0], max(minors)) == ("GLIBC_2.2.5", newest)


@pytest.mark.parametrize(("base", "versions"), [("python:3.9", "OPENSSL_1.0.2"), ("python:3.12", "OPENSSL_3.0.0")])
def test_openssl_is_that_of_the_operating_system(base: str, versions: str) -> None:
    (libssl,) = (elf for elf in elves(base_of(base, 0, "amd64", TODAY)) if elf.soname.startswith("libssl"))

    assert versions in libssl.defined


@pytest.mark.parametrize(("title", "base"), APPS_ON)
@pytest.mark.parametrize("behind", [0, 1])
def test_the_demos_apps_find_what_they_need_on_each_release_of_their_base(title: str, base: str, behind: int) -> None:
    image = build_app(title, "1", base=base, behind=behind, built=BUILT, today=TODAY)
    own = [elf for elf in elves(image) if elf.path.startswith("var/task/")]

    assert own
    assert lacking(elves(image)) == set()


def test_extensions_are_named_after_the_python_and_the_machine_they_are_for() -> None:
    image = build_app("orders", "1", base="python:3.12", behind=0, built=BUILT, today=TODAY, architecture="arm64")
    (own,) = (elf for elf in elves(image) if elf.path.startswith("var/task/"))

    assert (own.path, own.machine) == ("var/task/orjson/orjson.cpython-312-aarch64-linux-gnu.so", "aarch64")


@pytest.mark.needs("readelf")
@pytest.mark.parametrize("base", ["python:3.9", "nodejs:22"])
def test_readelf_reads_the_files_of_a_base_without_complaint_and_says_the_same(base: str, tmp_path: Path) -> None:
    image = base_of(base, 0, "arm64", TODAY)
    file = tmp_path / "native"
    for elf in elves(image):
        file.write_bytes(contents_of(image, elf.path))
        assert facts_by_readelf(file, elf.path) == elf


def contents_of(image: Image, path: str) -> bytes:
    """The bytes of a file of an image."""
    for layer in image.layers:
        with tarfile.open(fileobj=io.BytesIO(layer.tar)) as archive:
            if path in archive.getnames() and (file := archive.extractfile(path)):
                return file.read()
    raise KeyError(path)


def test_the_same_key_gives_the_same_bytes_and_another_key_others_of_the_same_length() -> None:
    elf = Elf(soname="libship.so.1", needed={"libc.so.6": ["GLIBC_2.17"]})

    one, other = native(elf, "amd64", 1, kilobytes=8), native(elf, "amd64", 2, kilobytes=8)

    assert one == native(elf, "amd64", 1, kilobytes=8) != other
    assert len(one) == len(other)
    assert one[:4] == MAGIC


def test_versions_that_are_older_than_arms_first_glibc_are_that_one_there() -> None:
    elf = Elf(needed={"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.14", "GLIBC_2.34"]})

    data = native(elf, "arm64", "x")

    assert b"GLIBC_2.17\0" in data
    assert b"GLIBC_2.14\0" not in data
    assert b"GLIBC_2.14\0" in elf_bytes(elf)


def test_every_app_with_native_files_is_tried_here() -> None:
    assert {title for title, _ in APPS_ON} == set(APPS) - {"tools"}
