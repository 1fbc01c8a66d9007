"""How many calls a sync makes, by a formula; which it makes beside each other; and that AWS's quotas are kept."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from dashboard import env
from functions_app.aws import quota
from functions_app.domain.fleet.functions import LATEST
from functions_app.models import Account, Alias, Function, Version
from functions_app.services.sync import scopes
from tests.fixtures import Sandbox
from tests.processes import eventually
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Between
from tests.services.sync.sync_stage import Counted, Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = 50  # functions and versions that a call of ListFunctions tells of
Clock = Callable[..., AbstractContextManager[None]]
Shape = tuple[int, Sequence[Sequence[str]]]  # a function: how many versions it has, and what each alias runs

UNIFORM: Sequence[Shape] = [(4, [["4"], ["4"]])] * 12
MIXED: Sequence[Shape] = [
    (0, []),
    (0, [[LATEST]]),
    (1, []),
    (2, [["1"], ["2"]]),
    (3, [["2", "3"], ["3"]]),
    (4, [["1"], ["2"], ["3"], [LATEST]]),
]


def build(functions: Functions, clock: Clock, fleet: Sequence[Shape]) -> None:
    """Functions that all run one image."""
    functions.push()
    for number in range(len(fleet)):
        functions.create(f"app{number}")
    for number, (versions, aliases) in enumerate(fleet):
        functions.settled(f"app{number}")
        with clock(update=0.01):
            for _ in range(versions):
                functions.next_version(f"app{number}")
        for order, (first, *second) in enumerate(aliases):
            weights = {"AdditionalVersionWeights": dict.fromkeys(second, 0.1)}
            functions.api.create_alias(
                FunctionName=f"app{number}", Name=f"alias{order}", FunctionVersion=first, RoutingConfig=weights
            )


def formula(fleet: Sequence[Shape]) -> dict[str, int]:
    """The calls that a first full sync of a fleet makes: what cannot be listed is asked for once, and nothing else."""
    named = sum(len({number for alias in aliases for number in alias} - {LATEST}) for _, aliases in fleet)
    return {
        "ecr.BatchGetImage": 1,
        "ecr.DescribeImageScanFindings": 1,
        "ecr.DescribeImages": 1,
        "ecr.DescribeRepositories": 1,
        "ecr.GetAuthorizationToken": 1,
        "lambda.GetFunction": len(fleet) + named,
        "lambda.ListAliases": len(fleet),
        "lambda.ListFunctions": math.ceil(sum(1 + versions for versions, _ in fleet) / PAGE),
        "registry.GetBlob": 1,
    }


@pytest.mark.parametrize("fleet", [UNIFORM, MIXED], ids=["uniform", "mixed"])
def test_a_full_sync_makes_the_calls_of_the_formula(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines, clock: Clock, fleet: Sequence[Shape]
) -> None:
    build(functions, clock, fleet)
    counted = Counted(aws, ours.account_id)
    run_once(log)
    assert counted.made() == formula(fleet)
    assert Version.objects.count() == sum(1 + versions for versions, _ in fleet)
    assert Alias.objects.count() == sum(len(aliases) for _, aliases in fleet)


def test_a_version_that_an_alias_names_is_stored_with_its_own_state_though_it_was_asked_for_before_it_had_a_row(
    ours: Account, functions: Functions, log: Lines, clock: Clock
) -> None:
    build(functions, clock, MIXED)
    run_once(log)
    named = {("app3", "1"), ("app3", "2"), ("app4", "2"), ("app4", "3"), *(("app5", number) for number in "123")}
    read = Version.objects.exclude(detailed_at=None).exclude(number=LATEST)
    assert set(read.values_list("function__name", "number")) == named
    assert set(read.values_list("state", flat=True)) == {"Active"}


@pytest.fixture
def two_pages(functions: Functions) -> None:
    """As many functions as two calls of ListFunctions tell of."""
    functions.push()
    for number in range(PAGE + 1):
        functions.create(f"app{number:02}")


def of_aliases(between: Between) -> list[str]:
    return [name for name in between.seen if name.endswith("/aliases")]


def listings(between: Between) -> int:
    return between.seen.count("GET /functions")


@pytest.mark.usefixtures("two_pages")
def test_aliases_are_asked_for_while_the_listing_goes_on(ours: Account, between: Between, log: Lines) -> None:
    beside: list[str] = []

    def hold_the_second_page() -> None:
        if listings(between) == 2:
            eventually(lambda: bool(of_aliases(between)), "aliases asked for beside the listing")
            beside.extend(of_aliases(between))

    between.guards["GET /functions"] = hold_the_second_page
    run_once(log)
    assert beside
    assert len(of_aliases(between)) == PAGE + 1
    assert Function.objects.exclude(aliases_synced_at=None).count() == PAGE + 1


@pytest.mark.usefixtures("two_pages")
def test_where_the_quota_is_tight_the_listing_goes_before_aliases(
    ours: Account, between: Between, log: Lines, settings: Settings
) -> None:
    # A call in 3.7 s: after so long there would be room for an alias before the next page.
    settings.ENV = replace(settings.ENV, quota_share=0.02)
    scopes.read_scopes(scopes.wanted_scopes(), log, full=True, stopped=lambda: listings(between) == 2)
    assert listings(between) == 2
    assert of_aliases(between) == []


def test_a_sync_keeps_to_two_thirds_of_the_quotas_where_nobody_says_otherwise(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines, settings: Settings, tmp_path: Path
) -> None:
    count, rate = 24, 15 * 0.66
    functions.push()
    for number in range(count):
        functions.create(f"app{number:02}")
    settings.ENV = replace(settings.ENV, quota_share=env.read({"DRYDOCK_DATA_DIR": str(tmp_path)}).quota_share)
    counted = Counted(aws, ours.account_id)
    aws.admin("POST", "quotas", {"enforce": True})
    try:
        began = time.monotonic()
        run_once(log)
        took = time.monotonic() - began
        assert aws.admin("GET", "quotas")["throttled"] == {}
    finally:
        aws.admin("POST", "quotas", {"enforce": False})
    made = counted.made()
    assert (made["lambda.ListFunctions"], made["lambda.ListAliases"], made["lambda.GetFunction"]) == (1, count, count)
    # Half a second's worth goes at once, the rest at the rate: of all the quota it would be a second less.
    assert took >= (count + 1) / rate - quota.BURST_SECONDS
