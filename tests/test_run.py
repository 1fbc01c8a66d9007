"""`make test` itself: what its passes are handed."""

import os
import subprocess
import sys

from tests import run
from tests.fuzz.running import SEED


def test_no_pass_inherits_the_callers_database_and_postgresql_names_its_own() -> None:
    assert "DATABASE_URL" not in run.SURROUNDINGS

    handed = {each.title: each.environment().get("DATABASE_URL") for each in run.passes("postgresql:///x")}
    assert {title for title, url in handed.items() if url} == {"PostgreSQL"}
    assert {"the browser", "SQLite", "A leap day"} < set(handed)


def test_the_seed_of_a_round_of_make_fuzz_reaches_its_tests() -> None:
    asked = [sys.executable, "-c", "import tests.settings, os; print(os.environ.get(__import__('sys').argv[1]))", SEED]
    answer = subprocess.run(asked, env={**os.environ, SEED: "7"}, capture_output=True, text=True, check=True)
    assert answer.stdout == "7\n"
