"""Names and versions from rpm's database file, in each of the three forms that rpm writes it in.

sqlite (rpm 4.16 and later: Amazon Linux 2023, Fedora), Berkeley DB hash (Amazon Linux 2, CentOS 7) and ndb (SUSE). All
three hold the same header blobs. Own code, because what PyPI has reads Berkeley DB alone or needs librpm, and none of
it is made for hostile input. Sources: rpm's docs/manual/format_header.md and its lib/backend/{sqlite.c,ndb/rpmpkg.c};
Berkeley DB's dbinc/db_page.h. Every reader raises DrydockError(INVALID) for what it cannot make sense of.
"""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from functions_app.domain.json_fields import malformed

NAME, VERSION, RELEASE, EPOCH = 1000, 1001, 1002, 1003  # header tags
INT32, STRING = 4, 6  # header types
HEADER_TAGS = 64 * 1024  # rpm's own limit
NOT_PACKAGES = frozenset({"gpg-pubkey"})  # keys are kept among the packages
MOST = 50_001  # packages that are read: one more than a layer may have
SQLITE_STATEMENTS = 10_000  # in a schema, about; sqlite keeps all of it in memory
SQLITE_STEPS = 50_000  # callbacks of 1,000 virtual machine instructions each: a hostile schema could loop for ever

_SQLITE = b"SQLite format 3\0"
_NDB = b"RpmP"
_SQLITE_LIMITS = {
    sqlite3.SQLITE_LIMIT_COLUMN: 64,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 64 * 1024,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
# Nothing that computes: a view of a few bytes, or a generated column, can give gigabytes.
_SQLITE_ODD = """SELECT 1 FROM sqlite_master WHERE sql NOT LIKE 'CREATE TABLE %' AND sql NOT LIKE 'CREATE INDEX %'
    AND sql NOT LIKE 'CREATE UNIQUE INDEX %' UNION ALL SELECT 1 FROM pragma_table_xinfo('Packages') WHERE hidden <> 0"""
_HASH_MAGIC = 0x00061561
_HASH_PAGES = frozenset({2, 13})  # P_HASH_UNSORTED, P_HASH
_OVERFLOW_PAGE = 7
_PAGE_HEADER = 26  # bytes
_ON_PAGE, _OFF_PAGE = 1, 3  # H_KEYDATA, H_OFFPAGE


def read_packages(data: bytes) -> list[tuple[str, str]]:
    """Name and version ("1:3.0.8-1.amzn2023") of every package, sorted. Raises DrydockError(INVALID)."""
    if data.startswith(_SQLITE):
        blobs = _sqlite_blobs(data)
    elif data.startswith(_NDB):
        blobs = _ndb_blobs(data)
    elif len(data) >= 512 and _HASH_MAGIC in struct.unpack_from("<I", data, 12) + struct.unpack_from(">I", data, 12):
        blobs = _berkeley_blobs(data)
    else:
        raise _malformed("it is none of sqlite, ndb and Berkeley DB")
    found = map(_package, _counted(blobs, len(data)))
    return sorted(islice((package for package in found if package[0] not in NOT_PACKAGES), MOST))


def _counted(blobs: Iterator[bytes], left: int) -> Iterator[bytes]:
    """No two records share a byte, so all of them together are no longer than the file."""
    for blob in blobs:
        left -= len(blob)
        if left < 0:
            raise _malformed("its records overlap")
        yield blob


def _package(blob: bytes) -> tuple[str, str]:
    """Read a header blob: two counts, an index of (tag, type, offset, count), and the data that it points into."""
    if len(blob) < 8:
        raise _malformed("a header ends early")
    tags, size = struct.unpack_from(">II", blob)
    start = 8 + 16 * tags
    if tags > HEADER_TAGS or start + size > len(blob):
        raise _malformed("a header is larger than its record")
    found: dict[int, str] = {}
    for tag, kind, offset, _ in struct.iter_unpack(">IIiI", blob[8:start]):
        if tag in (NAME, VERSION, RELEASE) and kind == STRING and 0 <= offset < size:
            found[tag] = _string(blob, start + offset)
        elif tag == EPOCH and kind == INT32 and 0 <= offset <= size - 4:
            found[tag] = str(struct.unpack_from(">I", blob, start + offset)[0])
    if not found.get(NAME) or not found.get(VERSION):
        raise _malformed("a header has no name or no version")
    epoch = f"{found[EPOCH]}:" if found.get(EPOCH, "0") != "0" else ""
    release = f"-{found[RELEASE]}" if found.get(RELEASE) else ""
    return found[NAME], f"{epoch}{found[VERSION]}{release}"


def _string(blob: bytes, start: int) -> str:
    end = blob.find(b"\0", start, start + 1024)
    if end < 0:
        raise _malformed("a string does not end")
    return blob[start:end].decode("utf-8", "backslashreplace")


def _sqlite_blobs(data: bytes) -> Iterator[bytes]:
    if data.count(b"CREATE ") > SQLITE_STATEMENTS:
        raise _malformed("its schema is endless")
    # A database in WAL mode cannot be opened from memory; its header says so in two bytes, 1 is a rollback journal.
    plain = data[:18] + b"\x01\x01" + data[20:]
    steps = iter(range(SQLITE_STEPS))
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.set_progress_handler(lambda: next(steps, -1) < 0, 1000)
        for limit, value in _SQLITE_LIMITS.items():
            connection.setlimit(limit, value)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, len(data))  # of one value
        try:
            connection.deserialize(plain)
            del plain  # sqlite has its own copy
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            if connection.execute(_SQLITE_ODD).fetchone():
                raise _malformed("its schema holds more than tables and indexes")
            connection.set_authorizer(_only_the_blobs)
            for (blob,) in connection.execute("SELECT blob FROM Packages"):
                yield blob if isinstance(blob, bytes) else b""
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter where what sqlite says is no UTF-8
            raise _malformed(f"sqlite says: {error}") from error


def _only_the_blobs(action: int, table: str | None, column: str | None, _: str | None, view: str | None) -> int:
    if action == sqlite3.SQLITE_SELECT or (action, table, column, view) == (
        sqlite3.SQLITE_READ, "Packages", "blob", None
    ):  # fmt: skip
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _ndb_blobs(data: bytes) -> Iterator[bytes]:
    """Slots of 16 bytes after a header of 32: magic, package number, offset and count in blocks of 16 bytes."""
    pages = _unpack("<I", data, 12)[0]
    for offset in range(32, min(pages * 4096, len(data)) - 15, 16):
        magic, number, block, blocks = struct.unpack_from("<4sIII", data, offset)
        if magic != b"Slot":
            raise _malformed("a slot of the ndb has no mark")
        if block == 0:
            continue  # free
        start = block * 16
        mark, owner, _, length = _unpack("<4sIII", data, start)
        if mark != b"BlbS" or owner != number or start + 16 + length > len(data) or length > blocks * 16:
            raise _malformed("a blob of the ndb is not where its slot says")
        yield data[start + 16 : start + 16 + length]


def _berkeley_blobs(data: bytes) -> Iterator[bytes]:
    """The values of a hash database: every second item of each hash page; the long ones lie on overflow pages."""
    order = "<" if _unpack("<I", data, 12)[0] == _HASH_MAGIC else ">"
    size = _unpack(order + "I", data, 20)[0]
    if size not in {512 << shift for shift in range(8)} or _unpack("B", data, 24)[0]:
        raise _malformed("the Berkeley DB has no valid page size, or is encrypted")
    for start in range(size, len(data) - size + 1, size):
        entries, kind = _unpack(order + "H", data, start + 20)[0], data[start + 25]
        if kind not in _HASH_PAGES:
            continue
        if _PAGE_HEADER + 2 * entries > size:
            raise _malformed("a page of the Berkeley DB has too many entries")
        offsets = (size, *struct.unpack_from(f"{order}{entries}H", data, start + _PAGE_HEADER))
        for item in range(2, entries + 1, 2):
            key = _item(data, start, offsets[item - 1], offsets[item - 2])
            value = _item(data, start, offsets[item], offsets[item - 1])
            if key[:1] == bytes([_ON_PAGE]) and not any(key[1:]):
                continue  # record 0 counts the packages
            blob = value[1:] if value[0] == _ON_PAGE else _overflow(data, order, size, value)
            yield blob


def _item(data: bytes, page: int, start: int, end: int) -> bytes:
    if not _PAGE_HEADER < start < end:
        raise _malformed("an item of the Berkeley DB lies outside its page")
    return data[page + start : page + end]


def _overflow(data: bytes, order: str, size: int, item: bytes) -> bytes:
    if item[0] != _OFF_PAGE or len(item) < 12:
        raise _malformed("the Berkeley DB holds an item of another kind")
    page, length = struct.unpack_from(order + "II", item, 4)
    parts: list[bytes] = []
    got = 0
    while page and got < length:
        start = page * size
        following, used = _unpack(order + "I", data, start + 16)[0], _unpack(order + "H", data, start + 22)[0]
        if data[start + 25] != _OVERFLOW_PAGE or not used or _PAGE_HEADER + used > size:
            raise _malformed("an overflow page of the Berkeley DB is broken")
        parts.append(data[start + _PAGE_HEADER : start + _PAGE_HEADER + used])
        got, page = got + used, following
        if got > len(data):
            raise _malformed("overflow pages of the Berkeley DB go round in a circle")
    if got != length:
        raise _malformed("a value of the Berkeley DB ends early")
    return b"".join(parts)


def _unpack(form: str, data: bytes, offset: int) -> tuple[Any, ...]:
    if offset + 32 > len(data):  # wider than any field read here
        raise _malformed("it ends early")
    return struct.unpack_from(form, data, offset)


def _malformed(why: str) -> Exception:
    return malformed("rpm database", why)
