"""What is possible for each function that a newer release of its base should reach."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from functions_app.domain.changes.patching.patch_lists import (
    CurrentRelease,
    LivePlace,
    PatchList,
    Way,
    decide,
    make_list,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TARGET = CurrentRelease(9, "3.12.new", "sha256:new")
PLACE = LivePlace(
    function_id=1,
    function="ledger",
    arn="arn:aws:lambda:eu-west-1:1:function:ledger",
    account_id=1,
    account="production",
    region="eu-west-1",
    owner="team-red",
    managed_by="",
    alias="live",
    version="7",
    digest="sha256:old",
    platform="linux/amd64",
    tier="exact",
    from_release_id=3,
    from_release="3.12.old",
    through="",
    overdue=False,
    production=True,
)


def test_proven_layers_can_be_rebased() -> None:
    entry = decide(PLACE, TARGET)
    assert (entry.way, entry.to_release_id, entry.to_release, entry.to_digest) == (
        Way.REBASE,
        9,
        "3.12.new",
        "sha256:new",
    )


@pytest.mark.parametrize("tier", ["annotation", "partial", "heuristic", "unknown", "of another version"])
def test_what_is_not_proven_has_to_be_rebuilt(tier: str) -> None:
    assert decide(replace(PLACE, tier=tier), TARGET).way is Way.REBUILD


def test_an_unknown_release_has_to_be_rebuilt_whatever_the_tier() -> None:
    assert decide(replace(PLACE, from_release_id=None), TARGET).way is Way.REBUILD


def test_a_golden_image_comes_first() -> None:
    entry = decide(replace(PLACE, through="shop/golden:1 1.4"), TARGET)
    assert entry.way is Way.GOLDEN
    assert "shop/golden:1 1.4" in entry.why


def test_without_a_current_release_for_its_platform_nothing_is_possible() -> None:
    entry = decide(PLACE, None)
    assert (entry.way, entry.to_release_id) == (Way.NONE, None)
    assert "linux/amd64" in entry.why


def test_production_and_other_owners_are_warned_of() -> None:
    entry = decide(replace(PLACE, managed_by="terraform"), TARGET)
    assert entry.production
    assert entry.warning.startswith("terraform manages it")
    assert not decide(replace(PLACE, alias="", production=False), TARGET).production
    assert decide(PLACE, TARGET).warning == ""


def test_entries_stand_in_order_with_production_last_within_a_function() -> None:
    places = [
        replace(PLACE, alias="live"),
        replace(PLACE, alias="test", production=False),
        replace(PLACE, function="audit"),
        replace(PLACE, account="development", function="zoo"),
    ]
    plan = make_list(1, "python:3.12", [decide(place, TARGET) for place in places], NOW)
    assert [(entry.place.function, entry.place.alias) for entry in plan.entries] == [
        ("zoo", "live"),
        ("audit", "live"),
        ("ledger", "test"),
        ("ledger", "live"),
    ]


def test_a_plan_reads_back_as_it_was_written() -> None:
    plan = make_list(1, "python:3.12", [decide(PLACE, TARGET), decide(replace(PLACE, tier="partial"), None)], NOW)
    assert PatchList.from_json(plan.as_json()) == plan
    assert plan.title == "Bring 1 function forward to the current release of python:3.12"
    assert (plan.count(Way.REBASE), plan.count(Way.NONE)) == (1, 1)


def planned(*places: LivePlace) -> PatchList:
    """A plan for these places."""
    return make_list(1, "python:3.12", [decide(place, TARGET) for place in places], NOW)


def test_a_plan_counts_aliases_and_functions() -> None:
    assert planned(PLACE).counted == "1 alias of 1 function"
    assert planned(PLACE, replace(PLACE, alias="blue"), replace(PLACE, function_id=2)).counted == (
        "3 aliases of 2 functions"
    )


def test_a_plan_says_what_to_mind() -> None:
    staging = replace(PLACE, alias="staging", production=False)
    assert planned(staging).cautions == ()
    assert planned(replace(PLACE, alias="production")).cautions == (
        ("Production", "1 alias carries production traffic, by name and setting."),
    )
    two = [replace(PLACE, alias=name, managed_by="Terraform") for name in ("production", "prod")]
    assert planned(*two).cautions == (
        ("Production", "2 aliases carry production traffic, by name and setting."),
        ("Ownership", "1 function is managed by another tool: what is changed elsewhere shows up there as drift."),
    )
    others = [replace(staging, function_id=number, managed_by="SAM") for number in (1, 2)]
    assert planned(*others).cautions == (
        ("Ownership", "2 functions are managed by another tool: what is changed elsewhere shows up there as drift."),
    )
