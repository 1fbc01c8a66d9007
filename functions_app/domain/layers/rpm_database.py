"""Names and versions from rpm's database file, in each of the three forms that rpm writes it in.

sqlite (rpm 4.16 and later: Amazon Linux 2023, Fedora), Berkeley DB hash (Amazon Linux 2, CentOS 7) and ndb (SUSE). All
three hold the same header blobs. Own code, because what PyPI has reads Berkeley DB alone or needs librpm, and none of
it is made for hostile input. Sources: rpm's docs/manual/format_header.md and its lib/backend/{sqlite.c,ndb/rpmpkg.c};
Berkeley DB's dbinc/db_page.h. Every reader raises DrydockError(INVALID) for what it cannot make sense of.
"""

import re
import sqlite3
import struct
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from functions_app.domain.json_fields import malformed
from functions_app.domain.layers.effort import Effort

NAME, VERSION, RELEASE, EPOCH = 1000, 1001, 1002, 1003  # header tags
INT32, STRING = 4, 6  # header types
HEADER_TAGS = 64 * 1024  # rpm's own limit
NOT_PACKAGES = frozenset({"gpg-pubkey"})  # keys are kept among the packages
MOST = 50_001  # packages that are read: one more than a layer may have
NAMES_BYTES = 16 * 1024**2  # that names and versions may take in memory
TEXT = 1000  # characters of a string
RECORD = 16 * 1024**2  # bytes of one header
SQLITE_STATEMENTS = 10_000  # in a schema, about; sqlite keeps all of it in memory
SQLITE_WORTH = 60  # of our steps, of 1,000 virtual machine instructions: a hostile schema could loop for ever

Blobs = Iterator[bytes] | Iterator[bytes | bytearray]

_SQLITE = b"SQLite format 3\0"
_NDB = b"RpmP"
_SQLITE_LIMITS = {
    sqlite3.SQLITE_LIMIT_COLUMN: 16,
    sqlite3.SQLITE_LIMIT_LENGTH: RECORD,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 64 * 1024,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
_SQLITE_CREATE = re.compile(rb"create", re.IGNORECASE)
_SQLITE_UTF8 = (bytes(4), b"\0\0\0\x01")  # the encoding of its texts; none where there is no table yet
# Nothing that computes: a view of a few bytes, or a generated column, can give gigabytes.
_SQLITE_ODD = """SELECT 1 FROM sqlite_master WHERE sql NOT LIKE 'CREATE TABLE %' AND sql NOT LIKE 'CREATE INDEX %'
    AND sql NOT LIKE 'CREATE UNIQUE INDEX %' UNION ALL SELECT 1 FROM pragma_table_xinfo('Packages') WHERE hidden <> 0"""
_HASH_MAGIC = 0x00061561
_HASH_PAGES = frozenset({2, 13})  # P_HASH_UNSORTED, P_HASH
_OVERFLOW_PAGE = 7
_PAGE_HEADER = 26  # bytes
_ON_PAGE, _OFF_PAGE = 1, 3  # H_KEYDATA, H_OFFPAGE


def read_packages(data: bytes | bytearray, effort: Effort | None = None) -> list[tuple[str, str]]:
    """Name and version ("1:3.0.8-1.amzn2023") of every package, sorted. Raises DrydockError(INVALID).

    A bytearray is emptied where its contents are needed in another form: both would be too much memory.
    """
    effort = effort or Effort()
    if data.startswith(_SQLITE):
        blobs: Blobs = _sqlite_blobs(data, effort)
    elif data.startswith(_NDB):
        blobs = _ndb_blobs(data, effort)
    elif len(data) >= 512 and _HASH_MAGIC in struct.unpack_from("<I", data, 12) + struct.unpack_from(">I", data, 12):
        blobs = _berkeley_blobs(data, effort)
    else:
        raise _malformed("it is none of sqlite, ndb and Berkeley DB")
    found: list[tuple[str, str]] = []
    held = 0
    for blob in _counted(blobs, len(data)):
        name, version = _package(blob, effort)
        if name in NOT_PACKAGES:
            continue
        found.append((name, version))
        held += sys.getsizeof(name) + sys.getsizeof(version)
        if held > NAMES_BYTES:
            raise _malformed(f"its names take more than {NAMES_BYTES:,} bytes")
        if len(found) == MOST:
            break
    return sorted(found)


def _counted(blobs: Blobs, left: int) -> Blobs:
    """No two records share a byte, so all of them together are no longer than the file."""
    for blob in blobs:
        left -= len(blob)
        if left < 0:
            raise _malformed("its records overlap")
        yield blob


def _package(blob: bytes | bytearray, effort: Effort) -> tuple[str, str]:
    """Read a header blob: two counts, an index of (tag, type, offset, count), and the data that it points into."""
    if len(blob) < 8:
        raise _malformed("a header ends early")
    tags, size = struct.unpack_from(">II", blob)
    start = 8 + 16 * tags
    if tags > HEADER_TAGS or start + size > len(blob):
        raise _malformed("a header is larger than its record")
    effort.step(1 + tags)
    found: dict[int, str] = {}
    for tag, kind, offset, _ in struct.iter_unpack(">IIiI", blob[8:start]):
        if tag in found:
            continue
        if tag in (NAME, VERSION, RELEASE) and kind == STRING and 0 <= offset < size:
            found[tag] = _string(blob, start + offset)
        elif tag == EPOCH and kind == INT32 and 0 <= offset <= size - 4:
            found[tag] = str(struct.unpack_from(">I", blob, start + offset)[0])
    if not found.get(NAME) or not found.get(VERSION):
        raise _malformed("a header has no name or no version")
    epoch = f"{found[EPOCH]}:" if found.get(EPOCH, "0") != "0" else ""
    release = f"-{found[RELEASE]}" if found.get(RELEASE) else ""
    return found[NAME], f"{epoch}{found[VERSION]}{release}"


def _string(blob: bytes | bytearray, start: int) -> str:
    end = blob.find(b"\0", start, start + 1024)
    if end < 0:
        raise _malformed("a string does not end")
    return blob[start : min(end, start + 4 * TEXT)].decode("utf-8", "backslashreplace")[:TEXT]


def _sqlite_blobs(data: bytes | bytearray, effort: Effort) -> Iterator[bytes]:
    if sum(1 for _ in islice(_SQLITE_CREATE.finditer(data), SQLITE_STATEMENTS + 1)) > SQLITE_STATEMENTS:
        raise _malformed("its schema is endless")
    if data[56:60] not in _SQLITE_UTF8:
        raise _malformed("its schema is not in UTF-8")
    file = data if isinstance(data, bytearray) else bytearray(data)
    file[18:20] = b"\x01\x01"  # one in WAL mode (2) cannot be opened from memory; 1 is a rollback journal
    watching = _Watching(effort)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.set_progress_handler(watching.look, 1000)
        for limit, value in _SQLITE_LIMITS.items():
            connection.setlimit(limit, value)
        try:
            connection.deserialize(file)
            file.clear()  # sqlite has its own copy
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            if connection.execute(_SQLITE_ODD).fetchone():
                raise _malformed("its schema holds more than tables and indexes")
            connection.set_authorizer(_only_the_blobs)
            for (blob,) in connection.execute("SELECT blob FROM Packages"):
                yield blob if isinstance(blob, bytes) else b""
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter where what sqlite says is no UTF-8
            raise watching.error or _malformed(f"sqlite says: {error}") from error


class _Watching:
    """Counts sqlite's own steps, and keeps what made an end of them: sqlite lets no exception through."""

    def __init__(self, effort: Effort) -> None:
        self.error: Exception | None = None
        self._effort = effort

    def look(self) -> bool:
        """Whether to stop."""
        try:
            self._effort.step(SQLITE_WORTH)
        except Exception as error:  # noqa: BLE001 - whatever it is: it is raised where sqlite has come back
            self.error = error
        return self.error is not None


def _only_the_blobs(action: int, table: str | None, column: str | None, _: str | None, view: str | None) -> int:
    if action == sqlite3.SQLITE_SELECT or (action, table, column, view) == (
        sqlite3.SQLITE_READ, "Packages", "blob", None
    ):  # fmt: skip
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _ndb_blobs(data: bytes | bytearray, effort: Effort) -> Blobs:
    """Slots of 16 bytes after a header of 32: magic, package number, offset and count in blocks of 16 bytes."""
    pages = _unpack("<I", data, 12)[0]
    for offset in range(32, min(pages * 4096, len(data)) - 15, 16):
        effort.step()
        magic, number, block, blocks = struct.unpack_from("<4sIII", data, offset)
        if magic != b"Slot":
            raise _malformed("a slot of the ndb has no mark")
        if block == 0:
            continue  # free
        start = block * 16
        mark, owner, _, length = _unpack("<4sIII", data, start)
        if mark != b"BlbS" or owner != number or start + 16 + length > len(data) or length > blocks * 16:
            raise _malformed("a blob of the ndb is not where its slot says")
        _expect_record(length)
        yield data[start + 16 : start + 16 + length]


def _berkeley_blobs(data: bytes | bytearray, effort: Effort) -> Blobs:
    """The values of a hash database: every second item of each hash page; the long ones lie on overflow pages."""
    order = "<" if _unpack("<I", data, 12)[0] == _HASH_MAGIC else ">"
    size = _unpack(order + "I", data, 20)[0]
    if size not in {512 << shift for shift in range(8)} or _unpack("B", data, 24)[0]:
        raise _malformed("the Berkeley DB has no valid page size, or is encrypted")
    chains = _Chains(data, order, size, effort)
    for start in range(size, len(data) - size + 1, size):
        effort.step()
        entries, kind = _unpack(order + "H", data, start + 20)[0], data[start + 25]
        if kind not in _HASH_PAGES:
            continue
        if _PAGE_HEADER + 2 * entries > size:
            raise _malformed("a page of the Berkeley DB has too many entries")
        offsets = (size, *struct.unpack_from(f"{order}{entries}H", data, start + _PAGE_HEADER))
        for item in range(2, entries + 1, 2):
            effort.step()
            key = _item(data, start, offsets[item - 1], offsets[item - 2])
            value = _item(data, start, offsets[item], offsets[item - 1])
            if key[:1] == bytes([_ON_PAGE]) and not any(key[1:]):
                continue  # record 0 counts the packages
            yield value[1:] if value[0] == _ON_PAGE else chains.value(value)


def _item(data: bytes | bytearray, page: int, start: int, end: int) -> bytes | bytearray:
    if not _PAGE_HEADER < start < end:
        raise _malformed("an item of the Berkeley DB lies outside its page")
    return data[page + start : page + end]


class _Chains:
    """The overflow pages of a hash. Each belongs to one value, so that all are visited once at most."""

    def __init__(self, data: bytes | bytearray, order: str, size: int, effort: Effort) -> None:
        self._data, self._order, self._size, self._effort = data, order, size, effort
        self._visited = bytearray(len(data) // size + 1)

    def value(self, item: bytes | bytearray) -> bytes:
        """The value of an item that only says on which page it begins, and how long it is."""
        if item[0] != _OFF_PAGE or len(item) < 12:
            raise _malformed("the Berkeley DB holds an item of another kind")
        page, length = struct.unpack_from(self._order + "II", item, 4)
        _expect_record(length)
        value = bytearray()
        while page and len(value) < length:
            piece, page = self._page(page)
            value += piece
        if len(value) != length:
            raise _malformed("a value of the Berkeley DB ends early")
        return bytes(value)

    def _page(self, page: int) -> tuple[bytes | bytearray, int]:
        """What is on a page, and the number of the next one."""
        self._effort.step()
        start = page * self._size
        following = _unpack(self._order + "I", self._data, start + 16)[0]
        used = _unpack(self._order + "H", self._data, start + 22)[0]
        if self._visited[page]:
            raise _malformed("overflow pages of the Berkeley DB go round in a circle")
        self._visited[page] = 1
        if self._data[start + 25] != _OVERFLOW_PAGE or not used or _PAGE_HEADER + used > self._size:
            raise _malformed("an overflow page of the Berkeley DB is broken")
        return self._data[start + _PAGE_HEADER : start + _PAGE_HEADER + used], following


def _expect_record(length: int) -> None:
    if length > RECORD:
        raise _malformed(f"a record is longer than {RECORD:,} bytes")


def _unpack(form: str, data: bytes | bytearray, offset: int) -> tuple[Any, ...]:
    if offset + 32 > len(data):  # wider than any field read here
        raise _malformed("it ends early")
    return struct.unpack_from(form, data, offset)


def _malformed(why: str) -> Exception:
    return malformed("rpm database", why)
