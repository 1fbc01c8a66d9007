"""Which aliases only keep a way back."""

import pytest

from functions_app.domain.changes.kept_aliases import kept_aliases


@pytest.mark.parametrize("name", ["previous", "live-previous", "PREVIOUS", "prodRollback", "backup_2", "prev"])
def test_an_alias_that_is_named_after_what_was_before_keeps_a_way_back(name: str) -> None:
    assert kept_aliases(["live", name]) == {name}


@pytest.mark.parametrize("name", ["canary", "staging", "preview", "priority", "old", "stable"])
def test_what_people_may_well_call_counts(name: str) -> None:
    assert kept_aliases(["live", name]) == set()


def test_where_there_is_nothing_else_it_is_what_is_called() -> None:
    assert kept_aliases(["previous"]) == set()
    assert kept_aliases([]) == set()
