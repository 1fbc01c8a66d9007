"""Entries of a layer as compact bytes: columns, compressed. 20,000 files of a base take about 1 MB, mostly digests."""

import json
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, islice, pairwise
from typing import Any, TypeVar

from functions_app.domain.layers.elves import ElfFacts
from functions_app.domain.layers.entries import FILE_KINDS, FileEntry, Import, LayerContents, Mark
from functions_app.domain.layers.entry_table import DIGEST, EntryTable
from functions_app.domain.layers.package_files import Package

VERSION = 2
"""Which `pack` writes. 1 had neither ELF files, imports nor extended attributes."""
BATCH = 10_000  # rows at a time
T = TypeVar("T")


def pack(contents: LayerContents) -> bytes:
    """All of it as `unpack` gives it back, but for the packages, which are kept elsewhere, where one can search."""
    table = contents.entries if isinstance(contents.entries, EntryTable) else EntryTable.of(contents.entries)
    columns = _columns(table)
    lengths = [sum(map(len, column())) for column in columns]
    head = {"size_bytes": contents.size_bytes, "notes": contents.notes, "gaps": contents.gaps, "columns": lengths}
    packer = zlib.compressobj()
    packed = [bytes([VERSION]), packer.compress(json.dumps(head).encode() + b"\n")]
    packed += (packer.compress(piece) for column in columns for piece in column())
    packed += (packer.compress(piece) for piece in _joined(_needs(contents)))
    return b"".join((*packed, packer.flush()))


def _columns(table: EntryTable) -> Sequence[Callable[[], Iterator[bytes]]]:
    """The columns, each made piece by piece as often as one asks: in one piece they would be all there twice."""
    return (
        lambda: _lines(map(table.path, table.rows())),
        lambda: _lines(map(table.link, table.rows())),
        lambda: _joined(table.kinds[row : row + 1] for row in table.rows()),
        lambda: (_numbers("H", some) for some in _batched(table.modes[row] for row in table.rows())),
        lambda: (_numbers("Q", some) for some in _batched(table.sizes[row] for row in table.rows())),
        lambda: _joined(table.marks[row : row + 1] for row in table.rows()),
        lambda: _joined(map(table.digest, table.rows())),
    )


def _needs(contents: LayerContents) -> Iterator[bytes]:
    """What the code needs: three JSON arrays within one, piece by piece."""
    yield b"[["
    yield from _listed(elf.as_json() for elf in contents.elves)
    yield b"],["
    yield from _listed((each.path, each.module) for each in contents.imports)
    yield b"],["
    yield from _listed((each.path, each.attribute) for each in contents.marks)
    yield b"]]"


def _listed(values: Iterable[Any]) -> Iterator[bytes]:
    for number, value in enumerate(values):
        yield b"," * bool(number) + json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _lines(texts: Iterable[bytearray]) -> Iterator[bytes]:
    """Texts with a NUL between each two."""
    return _joined(b"\0" + text if number else text for number, text in enumerate(texts))


def _joined(parts: Iterable[bytes | bytearray]) -> Iterator[bytes]:
    return (b"".join(some) for some in _batched(parts))


def _batched(items: Iterable[T]) -> Iterator[tuple[T, ...]]:
    iterator = iter(items)
    return iter(lambda: tuple(islice(iterator, BATCH)), ())


def unpack(data: bytes, packages: Iterable[Package] = ()) -> LayerContents:
    """Read what `pack` wrote, now or as version 1. Raises ValueError for bytes of another version, and for none."""
    if data[:1] not in (b"\x01", bytes([VERSION])):
        raise ValueError(f"packed entries of the unknown version {data[:1].hex() or 'none'}")
    line, _, body = zlib.decompress(data[1:]).partition(b"\n")
    head = json.loads(line)
    columns = sum(head["columns"])
    entries = _entries(body, head["columns"]) if columns else ()
    elves, imports, marks = json.loads(body[columns:]) if data[0] > 1 else ((), (), ())
    return LayerContents(
        entries,
        tuple(packages),
        head["size_bytes"],
        tuple(head["notes"]),
        elves=tuple(map(ElfFacts.from_json, elves)),
        imports=tuple(Import(path, module) for path, module in imports),
        marks=tuple(Mark(path, attribute) for path, attribute in marks),
        gaps=tuple(head.get("gaps", ())),
        facts_read=data[0] > 1,
    )


def _entries(body: bytes, lengths: Iterable[int]) -> tuple[FileEntry, ...]:
    ends = [0, *accumulate(lengths)]
    paths, links, kinds, modes, sizes, marks, digests = (body[start:end] for start, end in pairwise(ends))
    taken = accumulate(marks, initial=0)
    return tuple(
        FileEntry(path, FILE_KINDS[kind], size, digests[DIGEST * at : DIGEST * (at + mark)].hex(), link, mode)
        for path, link, kind, mode, size, mark, at in zip(
            paths.decode().split("\0"),
            links.decode().split("\0"),
            kinds,
            _read_numbers("H", modes),
            _read_numbers("Q", sizes),
            marks,
            taken,
            strict=False,  # the running count has one more
        )
    )


def _numbers(code: str, values: Iterable[int]) -> bytes:
    numbers = array(code, values)
    _little_endian(numbers)
    return numbers.tobytes()


def _read_numbers(code: str, data: bytes) -> "array[int]":
    numbers = array(code)
    numbers.frombytes(data)
    _little_endian(numbers)
    return numbers


def _little_endian(numbers: "array[int]") -> None:
    if sys.byteorder == "big":
        numbers.byteswap()
