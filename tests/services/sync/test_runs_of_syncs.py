"""Sync as a run, as a command, and of a part of the accounts."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from functions_app import tasks
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Status, StepStatus
from functions_app.models import (
    Account,
    Alias,
    FreshnessDay,
    Function,
    Run,
    Scope,
)
from functions_app.services.engine import runs
from functions_app.services.people import accounts
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.sync import run as sync
from functions_app.services.sync import scopes
from tests.fixtures import REGION, ROOT, Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Answer, Between, once
from tests.services.sync.sync_stage import Lines, add_account, run_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_first_account_is_made_from_the_environment(aws: Sandbox, valkey: object, db: None) -> None:
    account = accounts.ensure_first()
    assert account is not None
    assert (account.account_id, account.regions) == ("111111111111", [REGION])
    assert accounts.ensure_first() is None


def test_a_sync_by_a_run_tells_its_steps_and_ends(
    ours: Account, functions: Functions, operator: Actor, denied: Any
) -> None:
    functions.deploy()
    neighbour = add_account(str(int(ours.account_id) ^ 1), "neighbour")
    denied(neighbour.account_id, "lambda:ListFunctions")
    run = sync.submit(operator)
    runs.execute(run.pk, "tests")
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED
    assert run.result["scopes"] == {"read": 1, "failed": 1}
    assert run.steps.get(name="read").note == "1 account and region read, 1 with problems"
    assert [step.status for step in run.steps.all()] == [StepStatus.DONE] * 3
    lines = [line.text for line in run.lines.all()]
    assert any("production eu-west-1: 1 changed, 1 function," in line for line in lines)
    assert any("neighbour eu-west-1: The permission lambda:ListFunctions is missing." in line for line in lines)
    assert Function.objects.count() == 1


def test_a_sync_in_which_nothing_could_be_read_fails_and_says_why(ours: Account, operator: Actor, denied: Any) -> None:
    denied(ours.account_id, "lambda:ListFunctions")
    run = sync.submit(operator)
    runs.execute(run.pk, "tests")
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert run.problem is not None
    assert "lambda:ListFunctions" in run.problem["message"]


def test_a_sync_of_one_region_leaves_the_others_alone(
    aws: Sandbox, valkey: object, account: str, operator: Actor
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
    assert "production eu-west-1: 1 changed, 1 function," in capsys.readouterr().out
    denied(ours.account_id, "ecr:DescribeRepositories")
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("sync")
    assert "The permission ecr:DescribeRepositories is missing." in capsys.readouterr().err


def test_summaries_cost_the_same_queries_for_one_function_and_for_many(
    ours: Account, functions: Functions, log: Lines
) -> None:
    functions.push()
    for number in range(6):
        functions.create(f"app{number}")
    run_once(log)
    Function.objects.update(search_text="")
    keys = list(Function.objects.values_list("pk", flat=True))

    def cost(wanted: list[int]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert refresh_summaries(wanted) == len(wanted)
        return len(captured)

    # Functions, aliases, their moves, versions, tags of both, policies, ways back, how aliases stand, uses of bases,
    # the fleet's revision; then the counts of their accounts, in a transaction of their own: what was committed.
    assert cost(keys[:1]) == cost(keys[1:]) == 25


def test_a_scheduled_sync_is_skipped_while_a_persons_is_under_way(ours: Account, operator: Actor) -> None:
    run = sync.submit(operator)
    assert tasks.start_sync() is False
    assert list(Run.objects.values_list("pk", flat=True)) == [run.pk]


def test_a_second_press_is_told_which_sync_is_under_way(ours: Account, operator: Actor) -> None:
    run = sync.submit(SCHEDULE)
    with pytest.raises(DrydockError, match=f"Run {run.pk} .*started by the schedule") as busy:
        sync.submit(operator)
    assert busy.value.problem.code is Code.BUSY


def test_who_holds_a_lock_is_named_with_what_they_came_through(ours: Account, operator: Actor) -> None:
    sync.submit(Actor(operator.person, "token ci"))
    with pytest.raises(DrydockError, match="started by olga via token ci"):
        sync.submit(operator)


def test_the_command_joins_the_sync_that_is_under_way(
    ours: Account, functions: Functions, operator: Actor, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.deploy()
    run = sync.submit(operator)
    call_command("sync")
    said = capsys.readouterr()
    assert f"Run {run.pk} (Sync all accounts, started by olga) is under way" in said.err
    assert "production eu-west-1: 1 changed, 1 function," in said.out
    assert Run.objects.count() == 1


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_a_sync_killed_in_the_middle_is_completed_by_the_next_attempt(
    ours: Account, functions: Functions, between: Between, process_environment: dict[str, str]
) -> None:
    functions.deploy()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=functions.publish())
    reached, go_on = threading.Event(), threading.Event()

    def hold(answer: Answer) -> Answer:
        reached.set()
        go_on.wait(30)
        return answer

    between.rules["GET /functions/app/aliases"] = hold
    with start({**process_environment, "AWS_ENDPOINT_URL": between.url}, "sync") as process:
        assert reached.wait(30)
        process.kill()
    between.rules.clear()
    go_on.set()
    run = Run.objects.get()
    assert run.status == Status.RUNNING
    assert not Alias.objects.exists()
    # As a lease of silence would: its lease has run out.
    Run.objects.update(lease_until=run.created_at)
    call_command("sync")
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED
    assert Alias.objects.get().name == "prod"
    assert Scope.objects.get().problem is None
    assert Run.objects.count() == 1


def test_a_fresh_database_needs_only_the_environment_and_the_command(
    sandbox: Sandbox, process_environment: dict[str, str], tmp_path: Path
) -> None:
    database = tmp_path / "fresh.sqlite3"
    environment = process_environment | {
        "DATABASE_URL": f"sqlite:///{database}", "DRYDOCK_DATA_DIR": str(tmp_path),
        "AWS_ENDPOINT_URL": sandbox.url, "DRYDOCK_REGIONS": "eu-west-1, us-east-1,eu-west-1",
    }  # fmt: skip
    for arguments in (["migrate", "--verbosity", "0"], ["sync"]):
        with start(environment, *arguments) as process:
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
    with closing(sqlite3.connect(database)) as rows:
        assert rows.execute("SELECT account_id, regions FROM functions_app_account").fetchall() == [
            ("111111111111", '["eu-west-1", "us-east-1"]')
        ]
        scopes = rows.execute("SELECT region, problem FROM functions_app_scope WHERE synced_at IS NOT NULL")
        assert scopes.fetchall() == [("eu-west-1", None), ("us-east-1", None)]
        policies = rows.execute("SELECT account_id, tag_key, max_days FROM functions_app_freshnesspolicy")
        assert policies.fetchall() == [(None, "", 30)]


def test_the_first_sync_of_a_day_judges_once(ours: Account, functions: Functions, operator: Actor) -> None:
    functions.deploy()

    def judged() -> int:
        """How often a sync reads the releases that images are judged by."""
        with CaptureQueriesContext(connection) as queries:
            run = sync.submit(operator)
            runs.execute(run.pk, "tests")
        assert Run.objects.get(pk=run.pk).status == Status.SUCCEEDED
        releases = [query["sql"] for query in queries if 'FROM "functions_app_baserelease"' in query["sql"]]
        return len([sql for sql in releases if "diff_ids" in sql])

    first = judged()
    assert FreshnessDay.objects.exists()
    assert first == judged() > 0


def test_a_sync_tells_how_many_of_the_functions_found_are_read(
    ours: Account, functions: Functions, between: Between, log: Lines
) -> None:
    functions.push()
    for name in ("app", "other"):
        functions.create(name)
    seen: list[tuple[int, int, str]] = []
    told = threading.Event()

    def progress(done: int, total: int, unit: str) -> None:
        seen.append((done, total, unit))
        told.set()

    def hold(answer: Answer) -> Answer:
        told.clear()
        told.wait(30)  # until the next telling, which must know of the functions that were found
        return answer

    between.rules["GET /functions/app/aliases"] = once(hold)
    scopes.read_scopes(scopes.wanted_scopes(), log, full=True, progress=progress)
    assert (1, 2, "functions") in seen
    assert seen[-1] == (1, 1, "images")
