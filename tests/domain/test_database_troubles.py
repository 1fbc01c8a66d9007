"""What is the matter with a database, by the words that SQLite and PostgreSQL have for it."""

import pytest

from functions_app.domain import database_troubles as troubles
from functions_app.domain.database_troubles import Trouble, trouble_in


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("database is locked", troubles.LOCKED),
        ("database table is locked: functions_app_run", troubles.LOCKED),
        ("canceling statement due to lock timeout", troubles.LOCKED),
        ("deadlock detected\nDETAIL:  Process 7 waits for ShareLock", troubles.LOCKED),
        ("database or disk is full", troubles.FULL),
        ("No space left on device", troubles.FULL),
        ("Disk quota exceeded", troubles.FULL),
        ('could not extend file "base/5/16401": No space left on device', troubles.FULL),
        ("attempt to write a readonly database", troubles.READ_ONLY),
        ("Read-only file system", troubles.READ_ONLY),
        ("cannot execute INSERT in a read-only transaction", troubles.READ_ONLY),
        ("disk I/O error", troubles.UNREADABLE),
        ("File too large", troubles.UNREADABLE),
        ("unable to open database file", troubles.UNREADABLE),
        ("no such table: functions_app_run", troubles.NOT_MIGRATED),
        ("table functions_app_run has no column named lease", troubles.NOT_MIGRATED),
        ('relation "functions_app_run" does not exist\nLINE 1: SELECT', troubles.NOT_MIGRATED),
        ("FATAL:  sorry, too many clients already", troubles.CROWDED),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", troubles.CROWDED),
        ("FATAL:  the database system is starting up", troubles.STARTING),
        ("FATAL:  the database system is shutting down", troubles.STARTING),
        ("consuming input failed: server closed the connection unexpectedly", troubles.AWAY),
        ("couldn't get a connection after 3.00 sec", troubles.AWAY),
        ('connection to server at "db7" (10.0.0.7), port 5432 failed: Connection refused', troubles.AWAY),
        ("what no version has said before", troubles.AWAY),
    ],
)
def test_the_words_tell_what_is_the_matter(text: str, trouble: Trouble) -> None:
    assert trouble_in(text) == trouble


@pytest.mark.parametrize("text", ['near "FORM": syntax error', "too many SQL variables", "no such function: nope"])
def test_a_question_that_is_wrong_is_no_trouble_of_the_database(text: str) -> None:
    assert trouble_in(text) is None


@pytest.mark.parametrize("code", ["SQLITE_ERROR", "54000", "54001"])
def test_words_that_nobody_knows_are_no_trouble_where_the_code_says_that_the_question_is_wrong(code: str) -> None:
    assert trouble_in("what no version has said before", code) is None
    assert trouble_in("no such table: functions_app_run", code) == troubles.NOT_MIGRATED


def test_every_trouble_is_told_with_what_to_do_and_names_no_host() -> None:
    for trouble in (value for value in vars(troubles).values() if isinstance(value, Trouble)):
        assert trouble.next_step.endswith("."), trouble
        assert trouble.problem.code.http_status == 503
        assert trouble.word.replace(" ", "").replace("-", "").isalpha(), trouble
