"""Entries of a layer as compact bytes: columns, compressed. 20,000 files of a base take about 1 MB, mostly digests."""

import json
import sys
import zlib
from array import array
from collections.abc import Iterable
from itertools import accumulate, pairwise

from functions_app.domain.layers.entries import FILE_KINDS, FileEntry, LayerContents
from functions_app.domain.layers.package_files import Package

VERSION = b"\x01"
_CODES = {kind: code for code, kind in enumerate(FILE_KINDS)}
_DIGEST = 32  # bytes


def pack(contents: LayerContents) -> bytes:
    """Entries, notes and size, as `unpack` gives them back; the packages are kept elsewhere, where one can search."""
    rows = contents.entries
    columns = [
        "\0".join(row.path for row in rows).encode(),
        "\0".join(row.link for row in rows).encode(),
        bytes(_CODES[row.kind] for row in rows),
        _numbers("H", (row.mode for row in rows)),
        _numbers("Q", (row.size for row in rows)),
        bytes(bool(row.digest) for row in rows),
        b"".join(bytes.fromhex(row.digest) for row in rows),
    ]
    head = {"size_bytes": contents.size_bytes, "notes": contents.notes, "columns": [len(column) for column in columns]}
    return VERSION + zlib.compress(json.dumps(head).encode() + b"\n" + b"".join(columns))


def unpack(data: bytes, packages: Iterable[Package] = ()) -> LayerContents:
    """Read what `pack` wrote. Raises ValueError for bytes of another version, and for none."""
    if data[:1] != VERSION:
        raise ValueError(f"packed entries of the unknown version {data[:1].hex() or 'none'}")
    line, _, body = zlib.decompress(data[1:]).partition(b"\n")
    head = json.loads(line)
    entries = _entries(body, head["columns"]) if body else ()
    return LayerContents(entries, tuple(packages), head["size_bytes"], tuple(head["notes"]))


def _entries(body: bytes, lengths: Iterable[int]) -> tuple[FileEntry, ...]:
    ends = [0, *accumulate(lengths)]
    paths, links, kinds, modes, sizes, marks, digests = (body[start:end] for start, end in pairwise(ends))
    taken = accumulate(marks, initial=0)
    return tuple(
        FileEntry(path, FILE_KINDS[kind], size, digests[_DIGEST * at : _DIGEST * (at + mark)].hex(), link, mode)
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
