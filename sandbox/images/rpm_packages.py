"""The database of installed packages that rpm keeps in an Amazon Linux base, written without rpm.

sqlite for Amazon Linux 2023, Berkeley DB's hash for Amazon Linux 2; in both, a header per package. The same packages
give the same bytes. Sources: rpm's docs/manual/format_header.md, its lib/backend/sqlite.c; Berkeley DB 5.3's
dbinc/db_page.h. `rpm -qa` reads both, and Berkeley DB's db_verify finds nothing wrong with the second.
"""

import sqlite3
import struct
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

PAGE = 4096
INDEXES = (
    "Name", "Basenames", "Group", "Requirename", "Providename", "Conflictname", "Obsoletename", "Triggername",
    "Dirnames", "Installtid", "Sigmd5", "Sha1header", "Filetriggername", "Transfiletriggername", "Recommendname",
    "Suggestname", "Supplementname", "Enhancename",
)  # fmt: skip
_PAGE_HEADER = 26
_STRING, _INT32, _BINARY, _I18N = 6, 4, 7, 9
_IMMUTABLE = 63  # the tag of the region that rpm signs
_SQLITE_VERSION = struct.pack(">I", 3040001)  # of the library that wrote the file: ours must not show


@dataclass(frozen=True)
class RpmPackage:
    """An installed rpm; `epoch` 0 is none."""

    name: str
    version: str
    release: str
    epoch: int = 0
    arch: str = "x86_64"


def sqlite_database(packages: Sequence[RpmPackage]) -> bytes:
    """rpmdb.sqlite with these packages."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        for name in INDEXES:  # rpm makes those that are missing, and fails where it may not write
            connection.execute(
                f"CREATE TABLE '{name}' (key TEXT NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)"
            )
        connection.executemany("INSERT INTO Packages VALUES (?, ?)", enumerate(map(_header, packages), 1))
        names = [(package.name, number, 0) for number, package in enumerate(packages, 1)]
        connection.executemany("INSERT INTO Name VALUES (?, ?, ?)", names)
        connection.commit()
        data = connection.serialize()
    return data[:96] + _SQLITE_VERSION + data[100:]


def berkeley_database(packages: Sequence[RpmPackage]) -> bytes:
    """Packages, a hash of one bucket: a chain of pages, each with as many (number, header) pairs as it can hold."""
    pairs = [(struct.pack("<I", number), _header(package)) for number, package in enumerate(packages, 1)]
    pages: list[list[bytes]] = [[]]
    for key, value in [(bytes(4), struct.pack("<I", len(pairs))), *pairs]:
        items = [b"\x01" + key, b"\x01" + value]
        if _PAGE_HEADER + sum(len(item) + 2 for item in (*pages[-1], *items)) > PAGE:
            pages.append([])
        pages[-1] += items
    chain = [_page(number, items, last=number == len(pages)) for number, items in enumerate(pages, 1)]
    return b"".join([_meta_page(len(pages), len(pairs) + 1), *chain])


def _meta_page(last: int, records: int) -> bytes:
    fields = struct.pack("<8xIIIIBBBxIII", 0, 0x00061561, 9, PAGE, 0, 8, 0, 0, last, 0)
    fields += struct.pack("<III20x", records, records, 0)
    spares = [1, *[0] * 31]  # of the buckets of each power of two, where their pages begin
    return (fields + struct.pack("<6I32I", 0, 0, 0xFFFFFFFF, 0, records, 0x5E688DD1, *spares)).ljust(PAGE, b"\0")


def _page(number: int, items: Sequence[bytes], *, last: bool) -> bytes:
    offsets, end = [], PAGE
    for item in items:
        end -= len(item)
        offsets.append(end)
    links = (number, number - 1, 0 if last else number + 1)
    head = struct.pack("<8xIIIHHBB", *links, len(items), end, 0, 2)
    index = struct.pack(f"<{len(items)}H", *offsets)
    return (head + index).ljust(end, b"\0") + b"".join(reversed(items))


def _header(package: RpmPackage) -> bytes:
    """Index and data of one package's header, in one immutable region."""
    fields: list[tuple[int, int, bytes]] = [
        (1000, _STRING, package.name.encode() + b"\0"),
        (1001, _STRING, package.version.encode() + b"\0"),
        (1002, _STRING, package.release.encode() + b"\0"),
        *([(1003, _INT32, struct.pack(">I", package.epoch))] if package.epoch else []),
        (1004, _I18N, f"{package.name} of the base\0".encode()),
        (1011, _STRING, b"Amazon Linux\0"),
        (1022, _STRING, package.arch.encode() + b"\0"),
        (1044, _STRING, f"{package.name}-{package.version}-{package.release}.src.rpm\0".encode()),
    ]
    index, data = b"", b""
    for tag, kind, value in fields:
        data += bytes(-len(data) % 4) if kind == _INT32 else b""
        index += struct.pack(">IIiI", tag, kind, len(data), 1)
        data += value
    region = struct.pack(">IIiI", _IMMUTABLE, _BINARY, len(data), 16)
    trailer = struct.pack(">IIiI", _IMMUTABLE, _BINARY, -16 * (len(fields) + 1), 16)
    return struct.pack(">II", len(fields) + 1, len(data) + 16) + region + index + data + trailer
