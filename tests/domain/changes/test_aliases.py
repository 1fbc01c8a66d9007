"""Where aliases point, and what they may be called."""

import pytest

from functions_app.domain.changes import aliases
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.errors import DrydockError
from functions_app.domain.fleet.functions import AliasFact


@pytest.mark.parametrize("name", ["", "12", "a b", "ä", "x" * 129, "$LATEST"])
def test_names_that_lambda_refuses_are_refused_first(name: str) -> None:
    with pytest.raises(DrydockError):
        aliases.check_alias_name(name)


@pytest.mark.parametrize("name", ["live", "v12", "a_b-c", "x" * 128])
def test_other_names_are_taken(name: str) -> None:
    assert aliases.check_alias_name(f" {name} ") == name


def test_two_states_that_route_alike_are_alike_whatever_their_revision() -> None:
    assert AliasState("7", revision_id="a").routes_like(AliasState("7", "6", 0.0, "b"))
    assert not AliasState("7").routes_like(AliasState("7", "6", 0.1))
    assert AliasState("7", "8", 1.0).routes_like(AliasState("8"))


def test_a_missing_alias_is_no_state() -> None:
    assert not AliasState.of(None).exists
    assert AliasState.of(AliasFact("live", "7", "r", "8", 0.25)) == AliasState("7", "8", 0.25, "r")
