"""ELF files and sources: any bytes give facts or a problem that can be shown, and never more than so many reads."""

import io
import struct

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.layers.effort import Effort
from functions_app.domain.layers.elf_reader import MAGIC, SEGMENTS, read_elf
from functions_app.domain.layers.elves import ElfFacts
from functions_app.domain.layers.imports import source_reader_of
from tests.fuzz.bounds import assert_shown, bounded
from tests.fuzz.inputs import EDGES, damaged
from tests.fuzz.running import fuzzed
from tests.fuzz.samples import ELVES, NODE_SOURCES, PYTHON_SOURCES

READS = 20_000
OF_A_NAME = 8_000  # characters: each byte may have been written out
TAGS = (0, 1, 5, 14, 15, 29, 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF, 7, 2**62)


def check_elf(found: ElfFacts) -> None:
    """What holds of every file that was read, and of every one that was not."""
    assert found.bits in {0, 32, 64}
    assert found.problem == "" or (found.bits, found.needed, found.defined) == (0, (), ())
    versions = [text for version in found.versions for text in (version.library, version.name)]
    texts = (found.machine, found.soname, found.interpreter, *found.needed, *found.rpath, *found.runpath)
    for text in (*texts, *versions, *found.defined):
        assert_shown(text, OF_A_NAME)
    assert_shown(found.problem, 300)


def read(data: bytes) -> None:
    effort = Effort(most=READS)
    with bounded():
        found = read_elf(io.BytesIO(data), "a.so", effort)
    assert effort.taken <= 2 * READS
    if found:
        check_elf(found)


numbers = st.one_of(st.sampled_from(EDGES), st.integers(0, 400), st.integers(0, 2**64 - 1))


@st.composite
def built(draw: st.DrawFn) -> bytes:
    """A head with segments of any place and length, a dynamic section of any tags, and chains of any links."""
    segments = b"".join(
        struct.pack("<IIQQQQQQ", draw(st.sampled_from((1, 1, 2, 3, 4))), 6, *(draw(numbers) for _ in range(6)))
        for _ in range(draw(st.integers(0, 4)))
    )
    tags = b"".join(
        struct.pack("<QQ", draw(st.sampled_from(TAGS)), draw(numbers)) for _ in range(draw(st.integers(0, 12)))
    )
    chains = b"".join(
        struct.pack("<HHIII", *(draw(numbers) % 2**16 for _ in range(2)), *(draw(numbers) % 2**32 for _ in range(3)))
        for _ in range(draw(st.integers(0, 8)))
    )
    kind, machine = draw(st.sampled_from((2, 3, 3, 1, 0xFFFF))), draw(st.integers(0, 0xFFFF))
    count = draw(st.one_of(st.just(len(segments) // 56), st.sampled_from((0, SEGMENTS, 0xFFFF))))
    head = MAGIC + b"\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQI", kind, machine, 1, 0, 64, draw(numbers), 0)
    head += struct.pack("<HHHHHH", 64, draw(st.sampled_from((56, 56, 56, 0, 1))), count, 64, draw(numbers) % 2**16, 0)
    return head + segments + tags + chains + draw(st.sampled_from((b"", b"name\0", b"x" * 5000)))


@fuzzed(300)
@given(damaged(ELVES))
def test_a_damaged_file_is_read_or_told(data: bytes) -> None:
    read(data)


@fuzzed(300)
@given(built())
def test_a_file_of_any_places_and_counts_is_read_or_told(data: bytes) -> None:
    read(data)


@fuzzed(100)
@given(st.binary(max_size=400).map(lambda data: MAGIC + data))
def test_any_bytes_after_the_magic_number_are_read_or_told(data: bytes) -> None:
    read(data)


@fuzzed(150)
@given(st.one_of(damaged(PYTHON_SOURCES), damaged(NODE_SOURCES), st.binary(max_size=400)))
def test_any_source_names_modules_that_can_be_shown(data: bytes) -> None:
    for path in ("a.py", "a.js"):
        reader = source_reader_of(path)
        assert reader
        with bounded():
            found = list(reader.modules(data))
        for module in found:
            assert_shown(module, 300)
