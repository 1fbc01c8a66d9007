"""Entries of a layer as compact bytes: columns, compressed. 20,000 files of a base take about 1 MB, mostly digests."""

import json
import sys
import zlib
from array import array
from collections.abc import Iterable
from itertools import accumulate, pairwise

from functions_app.domain.layer_entries import FILE_KINDS, FileEntry

VERSION = b"\x01"
_CODES = {kind: code for code, kind in enumerate(FILE_KINDS)}
_DIGEST = 32  # bytes


def pack(entries: Iterable[FileEntry]) -> bytes:
    """The entries in their order, as `unpack` gives them back."""
    rows = tuple(entries)
    columns = [
        "\0".join(row.path for row in rows).encode(),
        "\0".join(row.link for row in rows).encode(),
        bytes(_CODES[row.kind] for row in rows),
        _numbers("H", (row.mode for row in rows)),
        _numbers("Q", (row.size for row in rows)),
        bytes(bool(row.digest) for row in rows),
        b"".join(bytes.fromhex(row.digest) for row in rows),
    ]
    head = json.dumps([len(rows), *map(len, columns)]).encode() + b"\n"
    return VERSION + zlib.compress(head + b"".join(columns))


def unpack(data: bytes) -> tuple[FileEntry, ...]:
    """Read what `pack` wrote; no bytes are no entries. Raises ValueError for bytes of another version."""
    if not data:
        return ()
    if data[:1] != VERSION:
        raise ValueError(f"packed entries of the unknown version {data[:1].hex()}")
    head, _, body = zlib.decompress(data[1:]).partition(b"\n")
    count, *lengths = json.loads(head)
    if not count:
        return ()
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
            strict=False,
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
