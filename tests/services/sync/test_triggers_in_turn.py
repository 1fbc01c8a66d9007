"""The syncs that are due ask what calls functions, a few at each: of what nobody asked, then of what is a day old."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from functions_app import clock, tasks
from functions_app.domain.fleet.triggers import Triggers
from functions_app.domain.runs import Status
from functions_app.models import Account, Function, FunctionTriggers, Run, Scope
from functions_app.services.inventory.fleet.triggers import function_triggers
from functions_app.services.people.actor import Actor
from functions_app.services.sync import run, triggers
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Between, error
from tests.services.changes.stage import carry_out, log_of
from tests.services.sync.sync_stage import Counted, Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
QUEUE = "arn:aws:sqs:eu-west-1:111111111111:orders"
EACH = 4  # calls of the control plane for a function without an alias


@pytest.fixture
def fleet(functions: Functions, ours: Account) -> Account:
    """An account with three functions that were synced."""
    functions.push()
    for name in ("one", "three", "two"):
        functions.create(name)
        functions.settled(name)
    run_once(Lines())
    return ours


def read(calls: int = 10 * EACH) -> list[str]:
    """What is read in one turn, in which so many calls may be made."""
    began = clock.now()
    triggers.read_in_turn(Lines(), lambda: False, calls=calls)
    return sorted(FunctionTriggers.objects.filter(read_at__gte=began).values_list("function__name", flat=True))


def aged(name: str, age: timedelta) -> None:
    """As if what calls a function had been read that long ago."""
    FunctionTriggers.objects.filter(function__name=name).update(read_at=clock.now() - age)


def test_what_was_never_asked_comes_first_and_then_what_is_a_day_old_the_oldest_first(fleet: Account) -> None:
    assert read(2 * EACH) == ["one", "three"]
    assert read(2 * EACH) == ["two"]
    assert read() == []
    for name, age in (("one", DAY * 2), ("two", DAY * 3), ("three", DAY / 2)):
        aged(name, age)
    assert read(EACH) == ["two"]
    assert read() == ["one"]


def test_a_time_that_a_wrong_clock_noted_keeps_nobody_from_asking_again(fleet: Account) -> None:
    read()
    aged("one", -DAY * 30)
    triggers.read_in_turn(Lines(), lambda: False)
    assert FunctionTriggers.objects.get(function__name="one").read_at <= clock.now()


def test_no_more_calls_are_made_than_a_turn_has(fleet: Account, aws: Sandbox) -> None:
    counted = Counted(aws, fleet.account_id)
    read(2 * EACH)
    made = {name: count for name, count in counted.made().items() if name.startswith("lambda.")}
    assert made == {
        "lambda.GetFunction": 2,
        "lambda.ListEventSourceMappings": 2,
        "lambda.GetPolicy": 2,
        "lambda.ListFunctionUrlConfigs": 2,
        "lambda.ListFunctionEventInvokeConfigs": 2,
        "lambda.ListProvisionedConcurrencyConfigs": 2,
    }


def test_what_may_not_be_read_is_told_of_each_part_and_not_asked_again_that_day(
    fleet: Account, denied: Callable[..., Any]
) -> None:
    denied(fleet.account_id, "lambda:GetPolicy")
    assert read() == ["one", "three", "two"]
    assert [*FunctionTriggers.objects.first().found["problems"]] == ["permissions"]  # type: ignore[union-attr]
    assert read() == []


def test_one_that_aws_refuses_keeps_what_was_known_and_why_and_holds_nobody_up(
    fleet: Account, functions: Functions, between: Between
) -> None:
    functions.api.create_event_source_mapping(FunctionName="one", EventSourceArn=QUEUE)
    read()
    for name in ("one", "three", "two"):
        aged(name, DAY * 2 if name == "one" else DAY * 1.5)
    refused = error(400, "InvalidParameterValueException", "The runtime parameter is no longer known.")
    between.rules["GET /functions/one"] = lambda _: refused

    assert read() == ["one", "three", "two"]

    found = function_triggers(Function.objects.get(name="one").pk)
    assert [row.trigger.source for row in found.rows] == [QUEUE]
    assert ["The runtime parameter is no longer known" in each.problem.message for each in found.problems] == [True]


def test_where_lambda_refuses_for_now_the_others_are_not_asked_either(fleet: Account, between: Between) -> None:
    between.rules["GET /functions/one"] = lambda _: error(429, "TooManyRequestsException", "Rate exceeded")
    assert read() == []
    assert not any("event-source-mappings" in name for name in between.seen)


def test_a_function_that_is_gone_and_a_region_that_cannot_be_read_keep_nothing_up(
    fleet: Account, functions: Functions
) -> None:
    functions.api.delete_function(FunctionName="one")
    Scope.objects.create(account=fleet, region="us-east-1", problem={"code": "denied", "message": "No."})
    Function.objects.filter(name="two").update(region="us-east-1")
    assert read() == ["three"]


def test_a_persons_newer_reading_stays(fleet: Account) -> None:
    read()
    newer = clock.now() + timedelta(seconds=30)
    FunctionTriggers.objects.update(read_at=newer)
    triggers.keep(Function.objects.get(name="one"), clock.now(), Triggers())
    assert FunctionTriggers.objects.get(function__name="one").read_at == newer


def test_the_syncs_that_are_due_ask_and_those_that_somebody_waits_for_do_not(fleet: Account, operator: Actor) -> None:
    assert carry_out(run.submit(operator)).status == Status.SUCCEEDED
    assert not FunctionTriggers.objects.exists()
    assert tasks.start_sync()
    due = carry_out(Run.objects.latest("pk"))
    assert due.status == Status.SUCCEEDED, log_of(due)
    assert FunctionTriggers.objects.count() == 3
