"""Copies of the embedded database while others write all the time: each of one moment, and nobody waits for it."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from functions_app.management.database_files import copy
from tests.processes import eventually

WRITERS = 4


def make(file: Path) -> None:
    """Accounts whose balances add up to nothing, and a line for each time something was moved between them."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE account (balance)")
        database.execute("CREATE TABLE line (text)")
        database.executemany("INSERT INTO account VALUES (?)", [(0,)] * WRITERS)
        database.execute("CREATE TABLE ballast AS SELECT zeroblob(20000000) AS data")


def move(file: Path, number: int, stop: threading.Event, times: list[int]) -> None:
    """Move one from an account to all others, again and again."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as database:
        while not stop.is_set():
            database.execute("BEGIN IMMEDIATE")
            database.execute("UPDATE account SET balance = balance + 1")
            database.execute("UPDATE account SET balance = balance - ? WHERE rowid = ?", (WRITERS, number + 1))
            database.execute("INSERT INTO line VALUES (?)", ("x" * 500,))
            database.execute("COMMIT")
            times[number] += 1


def test_each_copy_is_whole_and_of_one_moment_and_writers_go_on(tmp_path: Path) -> None:
    source, stop, times = tmp_path / "drydock.sqlite3", threading.Event(), [0] * WRITERS
    make(source)
    writers = [threading.Thread(target=move, args=(source, number, stop, times)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        eventually(lambda: min(times) > 0, "all write")
        for number in range(5):
            before = sum(times)
            copy(source, tmp_path / f"copy {number}")
            with closing(sqlite3.connect(tmp_path / f"copy {number}")) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert database.execute("SELECT sum(balance) FROM account").fetchone() == (0,)
                (lines,) = database.execute("SELECT count(*) FROM line").fetchone()
            assert before - WRITERS <= lines <= sum(times) + WRITERS
            eventually(lambda before=before: sum(times) > before, "they go on")  # type: ignore[misc]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
