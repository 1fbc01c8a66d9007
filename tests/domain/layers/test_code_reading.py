"""What code in a layer needs, read while its tar streams by: ELF files, imports and extended attributes."""

import io
import struct
import tarfile
import tempfile
from pathlib import Path

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.layers.code_reading import ELF_BYTES, IN_MEMORY
from functions_app.domain.layers.elves import ElfFacts, NeededVersion
from functions_app.domain.layers.entries import Import, LayerContents, Limits, Mark
from functions_app.domain.layers.tar import CHUNK, read_tar
from sandbox.images.elf import Elf, elf_bytes
from tests.domain.layers.test_tar import Trickle, contents, entry, tar_of

NATIVE = elf_bytes(Elf(needed={"libc.so.6": ["GLIBC_2.17"]}))


def native(path: str, *versions: str, size: int = 0) -> tuple[tarfile.TarInfo, bytes]:
    """An extension that needs these versions of glibc, so large."""
    data = elf_bytes(Elf(needed={"libc.so.6": versions}))
    return entry(path, elf_bytes(Elf(needed={"libc.so.6": versions}, contents=bytes(max(0, size - len(data))))))


def needs(found: LayerContents) -> dict[str, list[str]]:
    """The versions that each ELF file needs."""
    return {elf.path: [version.name for version in elf.versions] for elf in found.elves}


def test_programs_and_libraries_are_known_by_their_contents_not_by_their_names() -> None:
    found = contents(native("var/task/a", "GLIBC_2.17"), entry("var/task/b.so", b"text"), native("usr/lib64/c.so.6"))

    assert [elf.path for elf in found.elves] == ["var/task/a", "usr/lib64/c.so.6"]
    assert found.elves[0].versions == (NeededVersion("libc.so.6", "GLIBC_2.17"),)


def test_a_later_entry_of_the_same_path_replaces_what_was_known() -> None:
    again = contents(native("a", "GLIBC_2.17"), native("b", "GLIBC_2.17"), native("a", "GLIBC_2.34"), entry("b", b"x"))

    assert needs(again) == {"a": ["GLIBC_2.34"]}


@pytest.mark.parametrize("size", [CHUNK - 100, 3 * CHUNK + 1, IN_MEMORY + 4096])
def test_a_file_may_come_in_any_pieces_and_be_larger_than_what_is_kept_in_memory(size: int) -> None:
    data = tar_of([native("large.so", "GLIBC_2.17", size=size), entry("next", b"x")])

    found = read_tar(Trickle(data, most=70_000))

    assert needs(found) == {"large.so": ["GLIBC_2.17"]}
    assert [one.path for one in found.entries] == ["large.so", "next"]


def test_a_file_of_more_than_64_mb_is_told_as_not_read() -> None:
    size = ELF_BYTES + 1

    found = contents(entry("huge", b"\x7fELF" + bytes(size - 4)), native("small", "GLIBC_2.17"))

    assert found.elves[0] == ElfFacts("huge", problem=f"not read: it has {size:,} bytes")
    assert needs(found)["small"] == ["GLIBC_2.17"]


def test_a_file_that_can_not_be_read_is_told_and_the_layer_goes_on() -> None:
    found = contents(entry("broken", b"\x7fELF\x02\x01\x01" + b"\xff" * 500), entry("next", b"x"))

    assert found.elves[0].problem.startswith("not readable: ")
    assert len(found.entries) == 2


def test_without_room_for_a_temporary_file_the_reading_fails_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    with pytest.raises(DrydockError) as caught:
        contents(native("large.so", size=IN_MEMORY + 4096))

    assert caught.value.problem.code is Code.FAILED
    assert "No such file or directory" in caught.value.problem.message
    assert "TMPDIR" in caught.value.problem.next_step


def test_imports_are_kept_with_the_first_files_that_have_them() -> None:
    found = contents(
        *(entry(f"var/task/{name}.py", b"import boto3\n") for name in "abcde"),
        entry("var/task/index.mjs", b"import sharp from 'sharp'\n"),
        entry("usr/lib/python3/x.py", b"import apt\n"),
    )

    assert found.imports == (
        Import("var/task/a.py", "boto3"),
        Import("var/task/b.py", "boto3"),
        Import("var/task/c.py", "boto3"),
        Import("var/task/index.mjs", "sharp"),
    )


def test_imports_of_a_file_that_was_replaced_are_gone() -> None:
    found = contents(
        entry("a.py", b"import boto3, json\n"), entry("b.py", b"import json\n"), entry("a.py", b"import six\n")
    )

    assert found.imports == (Import("b.py", "json"), Import("a.py", "six"))


def test_of_a_long_source_the_beginning_is_read() -> None:
    found = contents(entry("a.py", b"import first\n" + b"#" * 2**20 + b"\nimport last\n"))

    assert [each.module for each in found.imports] == ["first"]


def test_extended_attributes_are_noted_by_their_names() -> None:
    capability = {"SCHILY.xattr.security.capability": "\x01", "comment": "none", "mtime": "1.5"}
    found = contents(
        entry("usr/bin/ping", b"x", pax_headers=capability),
        entry("var/task", kind=tarfile.DIRTYPE, pax_headers={"SCHILY.xattr.user.a": "1", "SCHILY.xattr.user.b": "2"}),
        entry("plain", b"x"),
        form=tarfile.PAX_FORMAT,
    )

    assert found.marks == (
        Mark("usr/bin/ping", "security.capability"),
        Mark("var/task", "user.a"),
        Mark("var/task", "user.b"),
    )


def test_attributes_of_an_entry_that_was_replaced_are_gone() -> None:
    marked = entry("a", b"x", pax_headers={"SCHILY.xattr.user.a": "1"})

    assert contents(marked, entry("a", b"y"), form=tarfile.PAX_FORMAT).marks == ()


SOURCES = [entry(f"{number}.py", f"import module_{number}\n".encode()) for number in range(50)]
LIBRARIES = [native(f"{number}.so", "GLIBC_2.17") for number in range(50)]
MARKED = [entry(f"{number}", b"x", pax_headers={"SCHILY.xattr.user.a": "1"}) for number in range(50)]


@pytest.mark.parametrize(
    ("members", "limits"),
    [
        (SOURCES, Limits(facts_bytes=4_000)),
        (SOURCES, Limits(source_bytes=400)),
        (LIBRARIES, Limits(facts_bytes=8_000)),
        (LIBRARIES, Limits(elf_reads=800)),
        (MARKED, Limits(facts_bytes=4_000)),
    ],
)
def test_what_is_beyond_the_limits_is_left_out_and_told_once(
    members: list[tuple[tarfile.TarInfo, bytes]], limits: Limits
) -> None:
    data = tar_of(members, tarfile.PAX_FORMAT)

    found = read_tar(io.BytesIO(data), limits=limits)

    kept = len(found.elves) + len(found.imports) + len(found.marks)
    assert 0 < kept < 50
    assert len(found.gaps) == 1
    assert "not all" in found.gaps[0]
    assert len(found.entries) == 50


def test_the_last_file_before_the_limit_of_reads_is_told_as_not_read() -> None:
    found = read_tar(io.BytesIO(tar_of(LIBRARIES)), limits=Limits(elf_reads=100))

    assert found.elves[-1].problem.startswith("not readable: ")


def test_bytes_after_the_magic_number_may_come_one_by_one() -> None:
    data = tar_of([entry("a.so", NATIVE)])

    assert needs(read_tar(Trickle(data, most=1))) == {"a.so": ["GLIBC_2.17"]}
    assert struct.unpack_from("<I", NATIVE)[0] == 0x464C457F
