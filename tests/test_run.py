"""`make test` itself: what its passes are handed."""

from tests import run


def test_no_pass_inherits_the_callers_database_and_postgresql_names_its_own() -> None:
    assert "DATABASE_URL" not in run.SURROUNDINGS

    handed = {each.title: each.environment().get("DATABASE_URL") for each in run.passes("postgresql:///x")}
    assert {title for title, url in handed.items() if url} == {"PostgreSQL"}
    assert {"the browser", "SQLite", "A leap day"} < set(handed)
