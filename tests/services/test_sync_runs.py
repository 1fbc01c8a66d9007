"""Sync as a run, as a command, and of a part of the accounts."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from functions_app.domain.runs import Status, StepStatus
from functions_app.models import (
    Account,
    Function,
    Scope,
)
from functions_app.services import accounts, runs, sync
from tests.fixtures import REGION, Sandbox
from tests.sandbox.functions import Functions
from tests.services.sync_stage import Lines, add_account, run_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_first_account_is_made_from_the_environment(aws: Sandbox, valkey: object, db: None) -> None:
    account = accounts.ensure_first()
    assert account is not None
    assert (account.account_id, account.regions) == ("111111111111", [REGION])
    assert accounts.ensure_first() is None


def test_a_sync_by_a_run_tells_its_steps_and_ends(
    ours: Account, functions: Functions, operator: User, denied: Any
) -> None:
    functions.deploy()
    neighbour = add_account(str(int(ours.account_id) ^ 1), "neighbour")
    denied(neighbour.account_id, "lambda:ListFunctions")
    run = sync.submit(operator)
    runs.execute(run.pk, "tests")
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED
    assert run.result["scopes"] == {"read": 2, "failed": 1}
    assert [step.status for step in run.steps.all()] == [StepStatus.DONE] * 3
    lines = [line.text for line in run.lines.all()]
    assert any("production eu-west-1: 1 changed, 1 functions" in line for line in lines)
    assert any("neighbour eu-west-1: The permission lambda:ListFunctions is missing." in line for line in lines)
    assert Function.objects.count() == 1


def test_a_sync_in_which_nothing_could_be_read_fails_and_says_why(ours: Account, operator: User, denied: Any) -> None:
    denied(ours.account_id, "lambda:ListFunctions")
    run = sync.submit(operator)
    runs.execute(run.pk, "tests")
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert run.problem is not None
    assert "lambda:ListFunctions" in run.problem["message"]


def test_a_sync_of_one_region_leaves_the_others_alone(
    aws: Sandbox, valkey: object, account: str, operator: User
) -> None:
    row = add_account(account, regions=(REGION, "us-east-1"))
    run = sync.submit(operator, [(row.pk, "us-east-1")])
    runs.execute(run.pk, "tests")
    synced = Scope.objects.filter(synced_at__isnull=False)
    assert [scope.region for scope in synced] == ["us-east-1"]


def test_the_command_shows_its_log_and_fails_where_an_account_does(
    ours: Account, functions: Functions, denied: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.deploy()
    call_command("sync")
    assert "production eu-west-1: 1 changed, 1 functions" in capsys.readouterr().out
    denied(ours.account_id, "ecr:DescribeRepositories")
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("sync")
    assert "The permission ecr:DescribeRepositories is missing." in capsys.readouterr().err


def test_summaries_cost_the_same_queries_for_one_function_and_for_many(
    ours: Account, functions: Functions, log: Lines, django_assert_max_num_queries: Any
) -> None:
    functions.push()
    for number in range(6):
        functions.create(f"app{number}")
    run_once(log)
    Function.objects.update(search_text="")
    with django_assert_max_num_queries(11):
        assert sync.refresh_summaries() == 6
