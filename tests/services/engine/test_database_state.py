"""What an error of the database says of the database, and what it says of the question alone."""

import pytest
from django.db import OperationalError, connection

from functions_app.services.engine.database_state import trouble_of


@pytest.mark.django_db
def test_a_question_that_the_database_finds_too_deep_is_not_told_to_everybody_as_a_database_that_is_away() -> None:
    too_deep = "SELECT " + "+".join(["1"] * 5_000)
    if connection.vendor == "postgresql":  # whose stack depends on the machine: its own code for it
        too_deep = "DO $$ BEGIN RAISE EXCEPTION 'too deep' USING ERRCODE = 'statement_too_complex'; END $$"
    with connection.cursor() as cursor, pytest.raises(OperationalError) as caught:
        cursor.execute(too_deep)
    assert trouble_of(caught.value) is None
