"""rpm's database in each of its forms: files that rpm and Berkeley DB wrote, and files made to do harm."""

import gzip
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.layers.effort import STEPS, Effort
from functions_app.domain.layers.rpm_database import read_packages
from sandbox.images.rpm_packages import RpmPackage, berkeley_database, sqlite_database
from tests.domain.layers.hostile import PAGE, berkeley_circle, berkeley_shared, ndb_of

DATA = Path(__file__).with_name("data") / "packages"
INSTALLED = [
    ("ca-certificates", "2023.2.68-1.0.amzn2023.0.1"),
    ("curl-minimal", "8.5.0-1.amzn2023.0.4"),
    ("glibc", "2.34-52.amzn2023.0.11"),
    ("openssl-libs", "1:3.0.8-1.amzn2023.0.12"),
]
REAL = ["rpmdb.sqlite.gz", "Packages.gz", "Packages-big-endian.gz", "Packages.db.gz"]


def real(name: str) -> bytes:
    """A database as its own program wrote it."""
    return gzip.decompress((DATA / name).read_bytes())


def refusal(data: bytes) -> str:
    """Why a database cannot be read."""
    with pytest.raises(DrydockError) as caught:
        read_packages(data)
    assert caught.value.problem.code is Code.INVALID
    return caught.value.problem.message


def sqlite_with(statements: str) -> bytes:
    """A sqlite database that these statements made."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(statements)
        return connection.serialize()


def header(*fields: tuple[int, int, bytes], tags: int | None = None, size: int | None = None) -> bytes:
    """A header blob of (tag, type, value), its counts wrong where a test wants it."""
    data, index = b"", b""
    for tag, kind, value in fields:
        index += struct.pack(">IIiI", tag, kind, len(data), 1)
        data += value
    counts = struct.pack(">II", len(fields) if tags is None else tags, len(data) if size is None else size)
    return counts + index + data


def sqlite_of(*blobs: bytes) -> bytes:
    """rpmdb.sqlite with these header blobs."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)")
        connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in blobs])
        connection.commit()
        return connection.serialize()


@pytest.mark.parametrize("name", REAL)
def test_every_package_of_a_real_database_is_found_with_epoch_and_release(name: str) -> None:
    assert read_packages(real(name)) == INSTALLED


@pytest.mark.parametrize("write", [sqlite_database, berkeley_database])
def test_databases_of_many_packages_are_read_to_the_end(write: type) -> None:
    packages = [RpmPackage(f"p{number:03d}", str(number), "1.amzn", epoch=number % 3) for number in range(300)]

    found = read_packages(write(packages))

    assert len(found) == 300
    assert found[:3] == [("p000", "0-1.amzn"), ("p001", "1:1-1.amzn"), ("p002", "2:2-1.amzn")]


def test_the_keys_that_rpm_trusts_are_no_packages() -> None:
    assert read_packages(sqlite_database([RpmPackage("gpg-pubkey", "d832c631", "6515c85e")])) == []


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "none of sqlite, ndb and Berkeley DB"),
        (b"x" * 9000, "none of sqlite, ndb and Berkeley DB"),
        (b"SQLite format 3\0" + b"\0" * 4096, "sqlite says"),
        (sqlite_with("CREATE TABLE other (a)"), "no such table: Packages"),
        (sqlite_with("CREATE TABLE Packages (blob); INSERT INTO Packages VALUES ('text')"), "a header ends early"),
        (sqlite_of(header((1000, 6, b"a\0"))), "no name or no version"),
        (sqlite_of(header((1000, 6, b"a" * 3000), (1001, 6, b"1\0"))), "a string does not end"),
        (sqlite_of(header((1000, 6, b"a\0"), tags=2**31)), "larger than its record"),
        (sqlite_of(header((1000, 6, b"a\0"), size=2**31)), "larger than its record"),
        (b"RpmP" + b"\0" * 8, "it ends early"),
        (b"RpmP" + struct.pack("<III", 0, 1, 1) + b"\0" * 5000, "no mark"),
    ],
)
def test_what_is_no_database_is_refused_with_the_reason(data: bytes, says: str) -> None:
    assert says in refusal(data)


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE VIEW Packages AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT i AS blob FROM n",
        "CREATE VIEW Packages AS SELECT zeroblob(900000000) AS blob",
        "CREATE VIRTUAL TABLE Packages USING fts5(blob)",
        "CREATE TABLE Packages (a, blob AS (zeroblob(900000000))); INSERT INTO Packages (a) VALUES (1)",
        "CREATE TABLE Packages (blob); CREATE TRIGGER t AFTER INSERT ON Packages BEGIN SELECT zeroblob(900000000); END",
    ],
)
def test_a_schema_that_computes_what_it_gives_is_refused(schema: str) -> None:
    assert "more than tables and indexes" in refusal(sqlite_with(schema))


def test_a_schema_without_end_is_not_loaded() -> None:
    tables = "".join(f"CREATE TABLE t{number} (a);" for number in range(2))
    data = sqlite_with(f"CREATE TABLE Packages (blob); {tables}") + b"CREATE TABLE x (a)" * 10_000

    assert "endless" in refusal(data)


def test_records_that_claim_the_same_bytes_again_and_again_are_refused() -> None:
    blob = header((1000, 6, b"a\0"), (1001, 6, b"1\0" + bytes(100_000)))
    slots = b"".join(struct.pack("<4sIII", b"Slot", 7, 256, len(blob) // 16 + 1) for _ in range(254))
    head = struct.pack("<4sIII", b"RpmP", 0, 1, 1) + bytes(16)
    data = (head + slots).ljust(4096, b"\0") + struct.pack("<4sIII", b"BlbS", 7, 0, len(blob)) + blob + bytes(16)

    assert "overlap" in refusal(data)


def test_overflow_pages_that_go_round_in_a_circle_are_noticed() -> None:
    data = bytearray(real("Packages.gz"))
    pages = [start for start in range(0, len(data), 4096) if data[start + 25] == 7]
    for start in pages:
        struct.pack_into("<I", data, start + 16, pages[0] // 4096)

    assert "Berkeley DB" in refusal(bytes(data))


@pytest.mark.parametrize("make", [berkeley_circle, lambda size: berkeley_shared(size, 200)])
def test_each_overflow_page_is_visited_once_at_most(make: Callable[[int], bytes]) -> None:
    data, effort = make(1024**2), Effort()

    with pytest.raises(DrydockError, match="Berkeley DB"):
        read_packages(data, effort)

    assert effort.taken <= len(data) // PAGE + 500


def test_a_record_that_claims_more_than_any_header_has_is_not_put_together() -> None:
    assert "longer than 16,777,216 bytes" in refusal(ndb_of([header((1000, 6, b"a\0"), (1001, 6, bytes(2**24)))]))


def test_names_that_would_fill_the_memory_are_told_as_not_read() -> None:
    blobs = [header((1000, 6, b"%d" % number + b"n" * 1000 + b"\0"), (1001, 6, b"1\0")) for number in range(20_000)]

    assert "names take more than" in refusal(ndb_of(blobs))


@pytest.mark.parametrize("name", REAL)
def test_what_a_real_database_costs_is_far_from_the_limit(name: str) -> None:
    effort = Effort()
    read_packages(real(name), effort)
    assert effort.taken < STEPS / 1000


def test_whoever_waits_can_stop_a_reading_that_takes_long() -> None:
    class Enough(Exception):
        """Nobody wants it any more."""

    def watch() -> None:
        raise Enough

    many = [header((1000, 6, b"gpg-pubkey\0"), (1001, 6, b"1\0"))] * 20_000
    for data in (sqlite_of(*many * 10), ndb_of(many)):
        with pytest.raises(Enough):
            read_packages(data, Effort(watch))


def test_a_file_that_takes_too_many_steps_is_told_as_not_read() -> None:
    many = [header((1000, 6, b"gpg-pubkey\0"), (1001, 6, b"1\0"))] * 2000
    for data in (sqlite_of(*many * 10), ndb_of(many)):
        with pytest.raises(DrydockError, match="takes more than 600 steps"):
            read_packages(data, Effort(most=600))


def test_a_schema_in_another_encoding_or_in_small_letters_is_looked_at_too() -> None:
    assert "not in UTF-8" in refusal(sqlite_with("PRAGMA encoding = 'UTF-16'; CREATE TABLE Packages (blob)"))
    data = sqlite_with("CREATE TABLE Packages (blob)") + b"create table x (a)" * 10_000
    assert "endless" in refusal(data)


def test_a_page_that_counts_more_entries_than_it_can_hold_is_noticed() -> None:
    data = bytearray(berkeley_database([RpmPackage("a", "1", "1")]))
    struct.pack_into("<H", data, 4096 + 20, 65535)

    assert "too many entries" in refusal(bytes(data))


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(REAL), at=st.integers(0, 300_000), junk=st.binary(min_size=1, max_size=40), cut=st.booleans()
)
def test_damage_anywhere_gives_packages_or_a_refusal_and_nothing_else(
    name: str, at: int, junk: bytes, cut: bool
) -> None:
    data = real(name)
    at %= len(data)
    damaged = data[:at] if cut else data[:at] + junk + data[at + len(junk) :]
    with suppress(DrydockError):
        assert all(isinstance(part, str) for package in read_packages(damaged) for part in package)
