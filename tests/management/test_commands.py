"""Our commands where the database can't be asked: one line that says what to do, exit code 1, no traceback."""

import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from functions_app.management import command, commands
from tests.processes import ROOT

# What looks after the database or becomes another process, and says itself what is wrong (tests/serving).
BY_THEMSELVES = {"backup", "demo", "restore", "serve", "worker"}
ASKING = {
    "doctor": ["--own"],
    "person": ["olga", "viewer"],
    "sessions": [],
    "sync": [],
    "token": ["list"],
}


@pytest.fixture
def elsewhere(transactional_db: None) -> Iterator[dict[str, object]]:
    """The settings of the connection, to name another database in; what they were comes back."""
    before = connection.settings_dict["NAME"]
    connection.close()
    yield connection.settings_dict
    connection.close()
    connection.settings_dict["NAME"] = before


def test_every_command_that_asks_the_database_says_what_is_wrong_with_it_in_the_same_words() -> None:
    names = {each.name for each in pkgutil.iter_modules(commands.__path__)} - BY_THEMSELVES
    assert names == set(ASKING)
    for name in names:
        assert issubclass(importlib.import_module(f"{commands.__name__}.{name}").Command, command.Command), name


@pytest.mark.parametrize("name", sorted(ASKING.keys() - {"doctor"}))  # which tells that among its findings
@pytest.mark.parametrize(
    ("database", "told"),
    [
        ("empty.sqlite3", "The database lacks tables of this version of Drydock. Run `manage.py migrate`"),
        ("nowhere/drydock.sqlite3", "The file of the database can't be opened"),
    ],
)
def test_a_command_says_in_a_line_what_is_wrong_with_the_database(
    elsewhere: dict[str, object], tmp_path: Path, name: str, database: str, told: str
) -> None:
    elsewhere["NAME"] = str(tmp_path / database)
    options = {"password": "quay-winch-hawser"} if name == "person" else {}
    with pytest.raises(CommandError, match=told):
        call_command(name, *ASKING[name], **options)


def test_a_shell_sees_the_line_and_no_traceback(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "manage.py", "token", "list"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"},
        capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("CommandError: The database lacks tables")
    assert answer.stderr.count("\n") == 1
