"""Aliases: what they may point to, weights that route, guards."""

from collections import Counter
from typing import Any

import pytest

from sandbox.lambda_.aliases import choose
from sandbox.lambda_.model import Alias
from tests.sandbox.functions import Functions

VERSION = "def handler(event, context):\n    return context.function_version\n"


def weights(**shares: float) -> dict[str, Any]:
    """A RoutingConfig; v2=0.1 gives version 2 a tenth of the calls."""
    return {"AdditionalVersionWeights": {name.removeprefix("v"): share for name, share in shares.items()}}


@pytest.fixture
def two_versions(functions: Functions) -> Functions:
    """A function with versions 1 and 2."""
    functions.deploy(VERSION)
    functions.publish()
    functions.next_version()
    return functions


def test_an_alias_to_a_missing_version_is_refused(two_versions: Functions) -> None:
    api = two_versions.api
    with pytest.raises(api.exceptions.ResourceNotFoundException, match=r"Function not found: .*:9"):
        api.create_alias(FunctionName="app", Name="live", FunctionVersion="9")
    with pytest.raises(api.exceptions.ResourceNotFoundException, match=":9"):
        api.create_alias(FunctionName="app", Name="live", FunctionVersion="1", RoutingConfig=weights(v9=0.1))


def test_weights_come_back_as_they_were_given(two_versions: Functions) -> None:
    api = two_versions.api
    api.create_alias(FunctionName="app", Name="live", FunctionVersion="1", RoutingConfig=weights(v2=0.1))
    alias = api.get_alias(FunctionName="app", Name="live")
    assert (alias["FunctionVersion"], alias["RoutingConfig"]) == ("1", weights(v2=0.1))
    assert alias["AliasArn"].endswith(":function:app:live")


def test_weights_route_calls(two_versions: Functions) -> None:
    api = two_versions.api
    api.create_alias(FunctionName="app", Name="live", FunctionVersion="1", RoutingConfig=weights(v2=0.5))
    answers = [two_versions.invoke(Qualifier="live") for _ in range(60)]
    assert Counter(answer.version for answer in answers).keys() == {"1", "2"}
    assert all(answer.payload == answer.version for answer in answers)


def test_the_share_of_each_version_is_its_weight() -> None:
    alias = Alias("live", "1", weights={"2": 0.1})
    chosen = Counter(choose(alias, draw / 1000) for draw in range(1000))
    assert chosen == {"1": 900, "2": 100}


def test_an_alias_without_weights_leads_to_one_version(two_versions: Functions) -> None:
    two_versions.api.create_alias(FunctionName="app", Name="live", FunctionVersion="2")
    answer = two_versions.invoke(Qualifier="live")
    assert (answer.version, answer.payload) == ("2", "2")
    configuration = two_versions.read(qualifier="live")
    assert configuration["Version"] == "2"
    assert configuration["FunctionArn"].endswith(":function:app:live")


def test_leaving_the_routing_config_out_keeps_the_weights_and_an_empty_one_clears_them(two_versions: Functions) -> None:
    api = two_versions.api
    api.create_alias(FunctionName="app", Name="live", FunctionVersion="1", RoutingConfig=weights(v2=0.1))
    kept = api.update_alias(FunctionName="app", Name="live", Description="still split")
    assert kept["RoutingConfig"] == weights(v2=0.1)
    cleared = api.update_alias(FunctionName="app", Name="live", FunctionVersion="2", RoutingConfig=weights())
    assert "RoutingConfig" not in cleared
    assert cleared["Description"] == "still split"


def test_the_revision_id_changes_and_is_checked(two_versions: Functions) -> None:
    api = two_versions.api
    first = api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")["RevisionId"]
    second = api.update_alias(FunctionName="app", Name="live", FunctionVersion="2", RevisionId=first)["RevisionId"]
    assert second != first
    with pytest.raises(api.exceptions.PreconditionFailedException, match="Revision Id"):
        api.update_alias(FunctionName="app", Name="live", FunctionVersion="1", RevisionId=first)
    assert api.get_alias(FunctionName="app", Name="live")["FunctionVersion"] == "2"


@pytest.mark.parametrize(
    ("version", "routing"),
    [
        ("1", weights(v2=1.5)),
        ("1", weights(v1=0.5)),
        ("1", weights(v2=0.1, v1=0.1)),
        ("$LATEST", weights(v2=0.1)),
        ("1", {"AdditionalVersionWeights": {"$LATEST": 0.1}}),
    ],
    ids=["above 1", "its own version", "two additional versions", "from $LATEST", "to $LATEST"],
)
def test_bad_weights_are_refused(two_versions: Functions, version: str, routing: dict[str, Any]) -> None:
    api = two_versions.api
    with pytest.raises(api.exceptions.InvalidParameterValueException):
        api.create_alias(FunctionName="app", Name="live", FunctionVersion=version, RoutingConfig=routing)
    assert api.list_aliases(FunctionName="app")["Aliases"] == []


def test_versions_with_different_roles_cannot_share_an_alias(functions: Functions) -> None:
    functions.deploy()
    functions.publish()
    functions.configure(Role=f"arn:aws:iam::{functions.account}:role/other")
    functions.publish()
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="role"):
        functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion="1", RoutingConfig=weights(v2=0.1))


def test_aliases_are_listed_in_pages_and_by_version(two_versions: Functions) -> None:
    api = two_versions.api
    for name, version in (("a", "1"), ("b", "2"), ("c", "1")):
        api.create_alias(FunctionName="app", Name=name, FunctionVersion=version)
    pages = api.get_paginator("list_aliases").paginate(FunctionName="app", PaginationConfig={"PageSize": 2})
    assert [[alias["Name"] for alias in page["Aliases"]] for page in pages] == [["a", "b"], ["c"]]
    first = api.list_aliases(FunctionName="app", FunctionVersion="1")["Aliases"]
    assert [alias["Name"] for alias in first] == ["a", "c"]


def test_an_alias_that_is_missing_or_taken_says_so(two_versions: Functions) -> None:
    api = two_versions.api
    with pytest.raises(api.exceptions.ResourceNotFoundException, match="Cannot find alias arn"):
        api.get_alias(FunctionName="app", Name="live")
    api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    with pytest.raises(api.exceptions.ResourceConflictException, match="Alias already exists"):
        api.create_alias(FunctionName="app", Name="live", FunctionVersion="2")
