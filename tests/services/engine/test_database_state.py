"""What an error of the database says of the database, and what it says of the question alone."""

import resource

import pytest
from django.db import OperationalError, connection

from functions_app.domain.database_troubles import FULL
from functions_app.services.engine import database_state
from functions_app.services.engine.database_state import trouble_of


@pytest.mark.django_db
def test_a_question_that_the_database_finds_too_deep_is_not_told_to_everybody_as_a_database_that_is_away() -> None:
    too_deep = "SELECT " + "+".join(["1"] * 5_000)
    if connection.vendor == "postgresql":  # whose stack depends on the machine: its own code for it
        too_deep = "DO $$ BEGIN RAISE EXCEPTION 'too deep' USING ERRCODE = 'statement_too_complex'; END $$"
    with connection.cursor() as cursor, pytest.raises(OperationalError) as caught:
        cursor.execute(too_deep)
    assert trouble_of(caught.value) is None


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL's disk is its own")
@pytest.mark.django_db(transaction=True)
def test_a_disk_without_room_beside_the_database_is_told_before_anything_fails() -> None:
    """SQLite finds room for its lock; a file as large as the one that is tried does not find any."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (database_state.PROBE_BYTES - 4096, hard))
    try:
        found = database_state.check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert found is FULL
