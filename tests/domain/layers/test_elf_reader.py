"""ELF files: what the loader would read of them, as binutils does, and files made to do harm."""

import gzip
import importlib.util
import io
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions_app.domain.layers.effort import Effort
from functions_app.domain.layers.elf_reader import NAMES, TAGS, read_elf
from functions_app.domain.layers.elves import ElfFacts, NeededVersion
from sandbox.images.elf import Elf, elf_bytes
from tests.readelf import facts_by_readelf

WHEEL = Path(__file__).with_name("data") / "elf" / "_speedups.cpython-312-x86_64-linux-gnu.so.gz"
PATH = "var/task/native.so"
LIBRARY = Elf(
    soname="libship.so.2",
    needed={"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.34"], "libm.so.6": ["GLIBC_2.27"], "libdl.so.2": []},
    weak=["GLIBC_2.27"],
    defined=["SHIP_1.0", "SHIP_2.0"],
    rpath="$ORIGIN/libs:/opt/lib",
    runpath="$ORIGIN/../lib",
    contents=b"hull" * 50,
)
PROGRAM = Elf("arm64", interpreter="/lib/ld-linux-aarch64.so.1", needed={"libc.so.6": ["GLIBC_2.17"]})
READS = 20_000


def read(data: bytes, effort: Effort | None = None) -> ElfFacts | None:
    return read_elf(io.BytesIO(data), PATH, effort or Effort(most=READS))


def facts(data: bytes) -> ElfFacts:
    found = read(data)
    assert found
    return found


def problem(data: bytes) -> str:
    """Why a file can't be read; whatever is in it, it costs so many reads at most."""
    effort = Effort(most=READS)
    found = read(data, effort)
    assert found
    assert found == ElfFacts(PATH, problem=found.problem)
    assert effort.taken <= READS + 100
    return found.problem


def changed(data: bytes, at: int, form: str, *values: int) -> bytes:
    """The same bytes with these numbers at that place."""
    new = bytearray(data)
    struct.pack_into(form, new, at, *values)
    return bytes(new)


def place_of(data: bytes, tag: int) -> int:
    """Where in the file the value of a tag of its dynamic section stands."""
    segments = (data[at : at + 56] for at in range(64, 64 + 56 * 3, 56))
    start = next(struct.unpack_from("<Q", each, 8)[0] for each in segments if each[:4] == b"\x02\0\0\0")
    return next(at + 8 for at in range(start, len(data), 16) if struct.unpack_from("<Q", data, at)[0] == tag)


def value_of(data: bytes, tag: int) -> int:
    return int(struct.unpack_from("<Q", data, place_of(data, tag))[0])


def test_a_library_says_what_it_is_called_what_it_needs_where_it_looks_and_what_it_defines() -> None:
    assert facts(elf_bytes(LIBRARY)) == ElfFacts(
        PATH,
        bits=64,
        machine="x86_64",
        soname="libship.so.2",
        needed=("libc.so.6", "libm.so.6", "libdl.so.2"),
        rpath=("$ORIGIN/libs", "/opt/lib"),
        runpath=("$ORIGIN/../lib",),
        versions=(
            NeededVersion("libc.so.6", "GLIBC_2.2.5"),
            NeededVersion("libc.so.6", "GLIBC_2.34"),
            NeededVersion("libm.so.6", "GLIBC_2.27", weak=True),
        ),
        defined=("SHIP_1.0", "SHIP_2.0"),
    )


def test_a_program_names_its_loader() -> None:
    found = facts(elf_bytes(PROGRAM))

    assert (found.machine, found.interpreter) == ("aarch64", "/lib/ld-linux-aarch64.so.1")
    assert found.versions == (NeededVersion("libc.so.6", "GLIBC_2.17"),)


def test_a_program_that_is_linked_statically_needs_nothing() -> None:
    assert facts(elf_bytes(Elf(contents=b"go"))) == ElfFacts(PATH, bits=64, machine="x86_64")


def test_programs_of_other_machines_are_known_by_their_words_and_order_of_bytes() -> None:
    big_endian = b"\x7fELF\x01\x02\x01".ljust(16, b"\0") + struct.pack(">HHIIIIIHHHHHH", 2, 20, 1, *([0] * 10))

    assert facts(big_endian) == ElfFacts(PATH, bits=32, machine="ppc")


@pytest.mark.parametrize("kind", [1, 4, 0xFE00])
def test_object_files_and_core_dumps_are_no_business_of_the_loader(kind: int) -> None:
    assert read(changed(elf_bytes(LIBRARY), 16, "<H", kind)) is None


def test_section_headers_may_be_missing_or_lie() -> None:
    data = elf_bytes(LIBRARY)
    without = changed(changed(data, 40, "<Q", 0), 58, "<HHH", 0, 0, 0)
    lying = changed(changed(data, 40, "<Q", 2**63), 58, "<HHH", 1, 65_000, 64_999)

    assert facts(without) == facts(lying) == facts(data)


@pytest.mark.needs("readelf")
@pytest.mark.parametrize("elf", [LIBRARY, PROGRAM, Elf(contents=b"go"), Elf(soname="libempty.so")])
def test_readelf_reads_the_sandboxs_files_without_complaint_and_says_the_same(elf: Elf, tmp_path: Path) -> None:
    file = tmp_path / "native.so"
    file.write_bytes(elf_bytes(elf))

    assert facts_by_readelf(file, PATH) == facts(file.read_bytes())


def test_a_real_native_wheel_says_what_it_needs() -> None:
    assert facts(gzip.decompress(WHEEL.read_bytes())) == ElfFacts(
        PATH,
        bits=64,
        machine="x86_64",
        needed=("libpthread.so.0", "libc.so.6"),
        versions=(NeededVersion("libc.so.6", "GLIBC_2.2.5"), NeededVersion("libc.so.6", "GLIBC_2.14")),
    )


@pytest.mark.needs("readelf")
def test_a_real_native_wheel_says_what_readelf_says(tmp_path: Path) -> None:
    file = tmp_path / "native.so"
    file.write_bytes(gzip.decompress(WHEEL.read_bytes()))

    assert facts_by_readelf(file, PATH) == facts(file.read_bytes())


def installed_libraries() -> Iterator[Path]:
    """Native files of wheels that are installed here, with libraries of their own beside them."""
    for name in ("psycopg_binary", "zstandard", "uvloop", "httptools"):
        spec = importlib.util.find_spec(name)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            for found in (Path(folder), Path(f"{folder}.libs")):
                yield from sorted(found.rglob("*.so*"))


@pytest.mark.needs("readelf")
def test_of_the_wheels_that_are_installed_here_it_says_what_readelf_says() -> None:
    files = [file for file in installed_libraries() if file.read_bytes()[:4] == b"\x7fELF"]

    for file in files:
        assert facts_by_readelf(file, PATH) == facts(file.read_bytes()), file
    assert len(files) > 10


HEADS = {
    "nothing but the magic number": b"\x7fELF",
    "a class that there is not": b"\x7fELF\x07\x01\x01".ljust(64, b"\0"),
    "an order of bytes that there is not": b"\x7fELF\x02\x03\x01".ljust(64, b"\0"),
    "a header cut off": elf_bytes(LIBRARY)[:40],
}


@pytest.mark.parametrize("data", HEADS.values(), ids=HEADS)
def test_a_head_that_is_none_is_told(data: bytes) -> None:
    assert problem(data).startswith("not readable: ")


def test_program_headers_beyond_the_end_are_told() -> None:
    assert problem(changed(elf_bytes(LIBRARY), 32, "<Q", 2**40)) == "not readable: it points beyond its end"


def test_too_many_program_headers_are_told() -> None:
    assert problem(changed(elf_bytes(LIBRARY), 56, "<H", 0xFFFF)) == "not readable: it has more than 200 segments"


def test_a_dynamic_section_that_points_to_what_is_not_loaded_is_told() -> None:
    data = elf_bytes(LIBRARY)

    assert problem(changed(data, place_of(data, 5), "<Q", 2**50)).endswith("points to what is not in it")


def test_a_dynamic_section_without_an_end_is_told() -> None:
    data = elf_bytes(LIBRARY)
    endless = data + struct.pack("<QQ", 12, 1) * (TAGS + 50)
    at = next(at for at in range(64, 64 + 56 * 3, 56) if data[at : at + 4] == b"\x02\0\0\0")
    pointed = changed(changed(endless, at + 8, "<Q", len(data)), at + 32, "<Q", 2**62)

    assert problem(pointed) == f"not readable: it has more than {TAGS:,} dynamic tags"


def test_a_name_without_an_end_is_told() -> None:
    data = elf_bytes(LIBRARY)
    needed = changed(data, place_of(data, 1), "<Q", len(data) - value_of(data, 5))

    assert "without an end" in problem(needed + b"x" * 5_000)


def test_a_claim_of_very_many_versions_is_told() -> None:
    data = elf_bytes(LIBRARY)

    assert problem(changed(data, place_of(data, 0x6FFFFFFF), "<Q", 2**60)).endswith(f"more than {NAMES:,} versions")
    assert problem(changed(data, place_of(data, 0x6FFFFFFD), "<Q", 2**60)).endswith(f"more than {NAMES:,} versions")


def test_chains_that_share_their_links_over_and_over_are_not_followed_for_ever() -> None:
    # Each of 1,999 libraries with the same 1,999 versions: four million in a file of some kilobytes.
    data, count = elf_bytes(LIBRARY), 1_999
    libraries = b"".join(
        struct.pack("<HHIII", 1, count, 1, 16 * (count - number), 16 if number < count - 1 else 0)
        for number in range(count)
    )
    versions = struct.pack("<IHHII", 0, 0, 2, 1, 16) * count
    pointed = changed(
        changed(data, place_of(data, 0x6FFFFFFE), "<Q", len(data)), place_of(data, 0x6FFFFFFF), "<Q", count
    )
    loaded = changed(pointed, 64 + 32, "<Q", 2**40)  # all of it

    assert problem(loaded + libraries + versions).endswith(f"that takes more than {READS:,} steps.")


def test_whoever_is_watching_may_stop_it() -> None:
    def watch() -> None:
        raise KeyboardInterrupt

    effort = Effort(watch)
    effort.taken = 20_000
    with pytest.raises(KeyboardInterrupt):
        read(elf_bytes(LIBRARY), effort)
