"""What calls a function is read from AWS when somebody asks, part by part, and kept with the time."""

from collections.abc import Callable
from typing import Any

import pytest

from functions_app.aws import lambda_triggers
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.triggers import Way
from functions_app.models import Function, FunctionTriggers
from functions_app.services.inventory.fleet.triggers import FunctionTriggersFound, function_triggers
from functions_app.services.people.actor import Actor
from functions_app.services.sync import triggers
from tests.conftest import Valkey
from tests.factories import NOW
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, make_stage
from tests.services.sync.sync_stage import Counted

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = "arn:aws:sqs:eu-west-1:111111111111:orders"
TOPIC = "arn:aws:sns:eu-west-1:111111111111:orders"


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """The function app with the alias staging: a queue by the alias, another one past it, and all other triggers."""
    stage = make_stage(functions, operator)
    api, name = stage.api, stage.name
    for called in (name, f"{name}:staging"):
        api.create_event_source_mapping(FunctionName=called, EventSourceArn=QUEUE)
    permission = {"Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com", "SourceArn": TOPIC}
    api.add_permission(FunctionName=name, StatementId="topic", Qualifier="staging", **permission)
    api.create_function_url_config(FunctionName=name, AuthType="NONE")
    failed = {"OnFailure": {"Destination": QUEUE}}
    api.put_function_event_invoke_config(
        FunctionName=name, Qualifier="staging", MaximumRetryAttempts=1, DestinationConfig=failed
    )
    api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=7)
    api.put_provisioned_concurrency_config(FunctionName=name, Qualifier="staging", ProvisionedConcurrentExecutions=2)
    stage.sync()
    return stage


def read(stage: Stage) -> FunctionTriggersFound:
    """Asked of AWS, then of the snapshot."""
    triggers.read(stage.actor, Function.objects.select_related("account").get(pk=stage.function.pk))
    return function_triggers(stage.function.pk)


def told(found: FunctionTriggersFound) -> list[tuple[str, str, str]]:
    """Part, qualifier and way of each."""
    return sorted((row.trigger.part.value, row.trigger.qualifier, row.reach.way.value) for row in found.rows)


def test_each_trigger_is_told_with_its_qualifier_and_whether_an_alias_decides(stage: Stage) -> None:
    found = read(stage)
    assert told(found) == [
        ("asynchronous calls", "staging", "alias"),
        ("event source mappings", "", "past the aliases"),
        ("event source mappings", "staging", "alias"),
        ("function URLs", "", "past the aliases"),
        ("permissions", "staging", "alias"),
    ]
    assert (found.problems, found.callers) == ((), ("sns.amazonaws.com",))
    by_part: dict[str, Any] = {row.trigger.part.value: row.trigger for row in found.rows}
    assert by_part["permissions"].detail == f"from {TOPIC}"
    assert (by_part["asynchronous calls"].source, by_part["asynchronous calls"].detail) == (
        f"failure to {QUEUE}",
        "1 retry",
    )


def test_how_asynchronous_calls_of_latest_are_handled_calls_nobody_and_passes_no_alias(stage: Stage) -> None:
    stage.api.put_function_event_invoke_config(FunctionName=stage.name, MaximumRetryAttempts=0)
    rows = [row for row in read(stage).rows if row.trigger.qualifier == "$LATEST"]
    assert [(row.trigger.source, row.calls, row.passes_by) for row in rows] == [("no destination", False, False)]
    assert rows[0].reach.says == "set for calls of $LATEST"


def test_concurrency_is_told_as_it_is_set(stage: Stage) -> None:
    found = read(stage)
    assert found.reserved == 7
    assert [(each.qualifier, each.wanted) for each in found.provisioned] == [("staging", 2)]


def test_nothing_is_claimed_before_aws_was_asked(stage: Stage) -> None:
    assert function_triggers(stage.function.pk) == FunctionTriggersFound(None)


def test_what_was_read_of_another_function_of_its_name_is_not_told(stage: Stage) -> None:
    read(stage)
    FunctionTriggers.objects.update(read_at=NOW)
    Function.objects.update(histories_from=stage.function.synced_at)
    assert function_triggers(stage.function.pk).read_at is None


def test_what_is_not_allowed_costs_its_part_alone_and_is_said(stage: Stage, denied: Callable[..., Any]) -> None:
    denied(stage.account.account_id, "lambda:GetPolicy")
    found = read(stage)
    assert [each.part for each in found.problems] == ["permissions"]
    assert found.problems[0].problem.code is Code.DENIED
    assert {row.trigger.part.value for row in found.rows} == {
        "asynchronous calls",
        "event source mappings",
        "function URLs",
    }


def test_the_way_follows_the_aliases_of_now(stage: Stage) -> None:
    read(stage)
    stage.function.aliases.all().delete()
    ways = {(row.trigger.qualifier, row.reach.way) for row in function_triggers(stage.function.pk).rows}
    assert ways == {("staging", Way.LOST), ("", Way.UNQUALIFIED)}


def test_a_reading_takes_the_calls_that_are_promised(stage: Stage, aws: Sandbox) -> None:
    counted = Counted(aws, stage.account.account_id)
    read(stage)
    made = {name: count for name, count in counted.made().items() if name.startswith("lambda.")}
    assert made == {
        "lambda.GetFunction": 1,
        "lambda.ListEventSourceMappings": 2,
        "lambda.GetPolicy": 2,
        "lambda.ListFunctionUrlConfigs": 1,
        "lambda.ListFunctionEventInvokeConfigs": 1,
        "lambda.ListProvisionedConcurrencyConfigs": 1,
    }
    assert sum(made.values()) == sum(lambda_triggers.calls(aliases=1).values())


def test_who_may_only_look_asks_nothing_of_aws(stage: Stage, viewer: Actor) -> None:
    with pytest.raises(DrydockError) as refused:
        triggers.read(viewer, stage.function)
    assert refused.value.problem.code is Code.DENIED
    assert not FunctionTriggers.objects.exists()
