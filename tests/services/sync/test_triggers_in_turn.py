"""The syncs that are due ask what calls functions, a few at each: of what nobody asked, then of what is a day old."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from functions_app import clock, tasks
from functions_app.domain.fleet.triggers import Part, Triggers
from functions_app.domain.runs import SignalKind, Status
from functions_app.models import Account, Function, FunctionTriggers, Run, Scope
from functions_app.services.engine import signals
from functions_app.services.engine.steps import ASK_EVERY
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
DENIED = {"code": "denied", "message": "No."}
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


def refusing(name: str, between: Between) -> str:
    """Have Lambda refuse to tell of a function; the words that it does it with."""
    refused = error(400, "InvalidParameterValueException", "The runtime parameter is no longer known.")
    between.rules[f"GET /functions/{name}"] = lambda _: refused
    return "The runtime parameter is no longer known"


def test_one_that_aws_refuses_keeps_what_was_known_since_when_and_why_and_holds_nobody_up(
    fleet: Account, functions: Functions, between: Between
) -> None:
    functions.api.create_event_source_mapping(FunctionName="one", EventSourceArn=QUEUE)
    functions.api.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=7)
    read()
    for name in ("one", "three", "two"):
        aged(name, DAY * 2 if name == "one" else DAY * 1.5)
    told_at = FunctionTriggers.objects.get(function__name="one").read_at
    said = refusing("one", between)

    assert read() == ["one", "three", "two"]
    aged("one", DAY * 1.5)
    assert read() == ["one"]

    found = function_triggers(Function.objects.get(name="one").pk)
    assert [row.trigger.source for row in found.rows] == [QUEUE]
    assert [(said in each.problem.message, each.known_at) for each in found.problems] == [(True, told_at)]
    assert (found.reserved, found.reserved_known, found.concurrency_known) == (7, True, True)


def test_of_one_that_aws_has_told_nothing_of_nothing_is_claimed(fleet: Account, between: Between) -> None:
    refusing("one", between)
    read()
    found = function_triggers(Function.objects.get(name="one").pk)
    assert [each.known_at for each in found.problems] == [None]
    assert (found.reserved_known, found.concurrency_known) == (False, False)


def test_what_was_known_of_another_function_of_its_name_is_not_kept(
    fleet: Account, functions: Functions, between: Between
) -> None:
    functions.api.create_event_source_mapping(FunctionName="one", EventSourceArn=QUEUE)
    read()
    Function.objects.filter(name="one").update(histories_from=clock.now())
    refusing("one", between)
    assert read() == ["one"]
    assert function_triggers(Function.objects.get(name="one").pk).rows == ()


def test_a_part_that_is_refused_keeps_what_was_known_of_it_and_since_when(
    fleet: Account, functions: Functions, denied: Callable[..., Any]
) -> None:
    functions.api.create_event_source_mapping(FunctionName="one", EventSourceArn=QUEUE)
    read()
    aged("one", DAY * 2)
    told_at = FunctionTriggers.objects.get(function__name="one").read_at
    functions.api.create_function_url_config(FunctionName="one", AuthType="NONE")
    denied(fleet.account_id, "lambda:ListEventSourceMappings")

    assert read() == ["one"]

    found = function_triggers(Function.objects.get(name="one").pk)
    assert [row.trigger.part for row in found.rows] == [Part.MAPPINGS, Part.URLS]
    assert [(each.part, each.known_at) for each in found.problems] == [("event source mappings", told_at)]


def test_where_lambda_refuses_for_now_the_others_are_not_asked_and_it_is_the_next_turn_s_last(
    fleet: Account, between: Between
) -> None:
    between.rules["GET /functions/one"] = lambda _: error(429, "TooManyRequestsException", "Rate exceeded")
    assert read() == ["one"]
    assert not any("event-source-mappings" in name for name in between.seen)

    between.rules.clear()
    assert read(2 * EACH) == ["three", "two"]
    assert read() == ["one"]
    assert read() == []


def test_a_part_that_lambda_refuses_for_now_ends_the_turn_too(fleet: Account, between: Between) -> None:
    between.rules["GET /event-source-mappings"] = lambda _: error(429, "TooManyRequestsException", "Rate exceeded")
    assert read() == ["one"]
    between.rules.clear()
    assert read() == ["one", "three", "two"]


def test_a_function_that_is_gone_and_a_region_that_cannot_be_read_keep_nothing_up(
    fleet: Account, functions: Functions
) -> None:
    functions.api.delete_function(FunctionName="one")
    Scope.objects.create(account=fleet, region="us-east-1", problem=DENIED, attempted_at=clock.now())
    Function.objects.filter(name="two").update(region="us-east-1")
    assert read() == ["three"]


def test_a_region_whose_functions_were_listed_is_asked_though_something_else_of_it_cannot_be_read(
    fleet: Account,
) -> None:
    Scope.objects.update(problem=DENIED, synced_at=None)
    assert read() == ["one", "three", "two"]


def test_of_an_account_that_is_switched_off_nothing_is_asked(fleet: Account, between: Between) -> None:
    Account.objects.update(enabled=False)
    assert read() == []
    assert between.seen == []


def test_what_other_credentials_would_tell_is_not_asked(fleet: Account) -> None:
    Account.objects.update(role_arn="")  # whose the environment's own are then is another account
    lines = Lines()
    triggers.read_in_turn(lines, lambda: False)
    assert not FunctionTriggers.objects.exists()
    assert ["belong to account" in line for line in lines.lines] == [True]


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


def test_whoever_cancels_a_turn_ends_its_run_as_cancelled(fleet: Account, operator: Actor, between: Between) -> None:
    assert tasks.start_sync()
    due = Run.objects.latest("pk")

    def cancel() -> None:
        if due.steps.filter(name="triggers", status="running").exists():
            signals.give(due, SignalKind.CANCEL, operator)
            time.sleep(ASK_EVERY)
        connections.close_all()

    between.guards["GET /functions/one"] = cancel
    assert carry_out(due).status == Status.CANCELLED, log_of(due)
    assert due.steps.get(name="triggers").note.startswith("cancelled: Stopped while reading what calls functions")
    assert [row.function.name for row in FunctionTriggers.objects.all()] == ["one"]
