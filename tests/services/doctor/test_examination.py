"""The doctor against an AWS account: what it says of credentials, clocks, permissions and registries."""

import json
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from io import StringIO
from typing import Any

import botocore.session
import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from functions_app.aws import session
from functions_app.aws.permissions import PROBES
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.health.findings import Finding, State
from functions_app.domain.health.permissions import PERMISSIONS
from functions_app.domain.runs import Queue
from functions_app.services.doctor import examination
from functions_app.services.engine import pulses
from functions_app.services.people.actor import SCHEDULE
from tests import factories
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, make_stage
from tests.settings import CLOCK_AHEAD
from tests.test_policies import READING, documents, granted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws")]


@pytest.fixture
def stage(functions: Functions, valkey: Valkey, aws: Sandbox) -> Stage:
    """A function, its image and its alias are known; workers live."""
    valkey.flush()
    made = make_stage(functions, SCHEDULE)
    made.sync_all()
    pulses.note_tick()
    pulses.tell(Queue)
    return made


def found(part: str = "", seconds: float = 60.0) -> list[Finding]:
    """What the doctor says of a part."""
    return [one for one in examination.everything(seconds) if part in one.part]


def of(findings: list[Finding], words: str) -> Finding:
    """The one line that begins so."""
    (one,) = [one for one in findings if one.words.startswith(words)]
    return one


def test_where_all_works_nothing_is_broken_and_what_was_not_tried_is_said(stage: Stage) -> None:
    findings = found(f"account {stage.account.account_id}")

    assert [one for one in findings if one.state in (State.BAD, State.WARN)] == []
    assert of(findings, "AWS takes the credentials of arn:aws:sts::").state is State.OK
    assert of(findings, "lambda:UpdateFunctionCode is allowed").words.endswith(f"(asked of {stage.name}).")
    assert of(findings, "lambda:PublishVersion: AWS has no dry run of it").state is State.NOT_TRIED
    assert of(findings, "An image of ").state is State.OK


def test_each_action_of_the_policies_has_a_line_of_the_account_or_its_queues(stage: Stage, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, event_queues=(f"arn:aws:sqs:eu-west-1:{stage.account.account_id}:drydock-no",))

    assert unsaid(found()) == set()


def test_what_nothing_is_known_of_has_its_line_too(account: str, valkey: Valkey) -> None:
    factories.make_account(account_id=account, role_arn=f"arn:aws:iam::{account}:role/Drydock")

    assert unsaid(found()) == set()


def unsaid(findings: list[Finding]) -> set[str]:
    """The actions of docs/policies of which no line says anything."""
    said = " ".join(one.words for one in findings)
    actions = {action for document in documents().values() for action in granted(document)}
    return {action for action in actions if not re.search(rf"\b{action}\b", said)}


def test_a_write_is_tried_exactly_where_aws_has_a_dry_run_of_it() -> None:
    known = botocore.session.get_session()
    for action in PERMISSIONS:
        service, name = action.replace("InvokeFunction", "Invoke").split(":")
        shape = known.get_service_model(service).operation_model(name).input_shape
        members = shape.members if shape else {}
        dry = "DryRun" in members or "DryRun" in getattr(members.get("InvocationType"), "enum", ())
        assert dry == (action in PROBES) or READING.match(action) or service == "logs", action


def test_a_database_that_fails_on_the_way_is_a_line_and_the_rest_is_told() -> None:
    def ask_what_is_not_there() -> list[Finding]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM no_such_table")
        return []

    ok = Finding("redis", State.OK, "It answers.")
    told = list(examination.answers([("one", ask_what_is_not_there), ("two", lambda: [ok])], time.monotonic() + 60.0))

    assert [(one.part, one.state) for one in told] == [("one", State.BAD), ("redis", State.OK)]
    assert "The database lacks tables of this version" in told[0].words
    assert "migrate" in told[0].next_step


def test_it_changes_nothing(stage: Stage) -> None:
    before = stage.api.get_function(FunctionName=stage.name)["Configuration"]
    found()
    after = stage.api.get_function(FunctionName=stage.name)["Configuration"]

    assert after == before


def test_each_permission_of_the_table_is_asked_or_said_to_be_untried() -> None:
    assert PROBES.keys() == {action for action, wanted in PERMISSIONS.items() if not wanted.untried}


@pytest.mark.parametrize("action", ["lambda:ListAliases", "ecr:BatchGetImage", "lambda:UpdateFunctionCode"])
def test_a_permission_that_is_missing_is_named_with_what_it_is_for_and_what_to_do(
    stage: Stage, denied: Callable[..., Any], action: str
) -> None:
    denied(stage.account.account_id, action)

    (finding,) = [one for one in found(f"account {stage.account.account_id}") if one.words.startswith(f"{action} is")]

    assert finding.state is (State.WARN if action == "lambda:UpdateFunctionCode" else State.BAD)
    assert f"{action} is refused: without it " in finding.words
    assert "AccessDeniedException, request " in finding.words
    assert action in finding.next_step


@pytest.mark.parametrize(("ahead", "state"), [(-400, State.BAD), (30, State.WARN), (0, State.OK)])
def test_a_clock_that_differs_from_aws_s_is_told_and_is_bad_where_signatures_fail(
    stage: Stage, clock: Callable[..., AbstractContextManager[None]], ahead: float, state: State
) -> None:
    with clock(ahead=float(CLOCK_AHEAD) + ahead):
        findings = found(f"account {stage.account.account_id} in")

    assert of(findings, "This host's clock differs from AWS's by").state is state


def test_credentials_that_are_not_taken_are_one_line_and_no_permission_is_asked(
    stage: Stage, denied: Callable[..., Any]
) -> None:
    denied(stage.account.account_id, "sts:AssumeRole")
    session.forget()  # what was assumed before is good for an hour

    findings = found(str(f"account {stage.account.account_id} in"))

    assert [one.state for one in findings if not one.part.endswith("registry")] == [State.BAD, State.NOT_TRIED]


def test_credentials_of_another_account_are_told() -> None:
    factories.make_account(account_id="999999999999", role_arn="")

    findings = found("account 999999999999 in eu-west-1")

    assert [one.state for one in findings if one.words.startswith("The credentials are arn:")] == [State.BAD]


def test_where_nothing_is_known_of_an_account_there_is_nothing_to_ask_about(account: str, valkey: Valkey) -> None:
    factories.make_account(account_id=account, role_arn=f"arn:aws:iam::{account}:role/Drydock")

    findings = found(f"account {account}")

    assert of(findings, "lambda:ListFunctions is allowed").state is State.OK
    assert of(findings, "lambda:GetFunction: no function is known there").state is State.NOT_TRIED


def test_each_registry_is_asked_for_one_of_its_streams(stage: Stage) -> None:
    host = f"{stage.account.account_id}.dkr.ecr.eu-west-1.amazonaws.com"
    factories.make_stream("golden:1", reference=stage.function.image_uri)
    factories.make_stream("lost:1", reference="registry.invalid/lost:1")

    states = {one.part: one.state for one in found("registry ")}

    assert states == {f"registry {host}": State.OK, "registry registry.invalid": State.BAD}


def test_workers_that_are_away_are_told(stage: Stage, valkey: Valkey) -> None:
    valkey.flush()
    pulses.tell([queue for queue in Queue if queue is not Queue.CHANGES])

    assert next(one.state for one in examination.own() if one.part == "queue changes") is State.BAD


def test_while_redis_is_away_the_rest_is_looked_at(stage: Stage, valkey: Valkey) -> None:
    valkey.stop()
    try:
        findings = list(examination.everything(60.0))
    finally:
        valkey.start()

    assert [one.part for one in findings if one.state is State.BAD] == ["redis"]


def test_what_has_not_answered_in_time_is_told_as_that(stage: Stage, sandbox: Sandbox) -> None:
    late = found(f"account {stage.account.account_id}", seconds=0.0)

    assert {one.state for one in late} == {State.WARN}


def test_one_examination_at_a_time(valkey: Valkey) -> None:
    first = examination.everything(60.0)
    next(first)
    with pytest.raises(DrydockError) as caught:
        next(examination.everything(60.0))
    first.close()

    assert caught.value.problem.code is Code.BUSY
    assert found()


class Test_the_command:
    def run(self, *arguments: str) -> tuple[int, str]:
        """Its exit code, and what it wrote."""
        out = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("doctor", *arguments, stdout=out, no_color=True)
        return int(ended.value.code or 0), out.getvalue()

    def test_ends_with_0_where_nothing_is_broken_and_shows_no_secret(self, stage: Stage, settings: Settings) -> None:
        code, text = self.run()

        assert code == 0, text
        assert "ok         database: " in text
        assert not [word for word in ("AKIATESTS", settings.SECRET_KEY) if word in text]

    def test_ends_with_1_where_something_is(self, stage: Stage, valkey: Valkey) -> None:
        valkey.flush()

        code, text = self.run("--own")

        assert code == 1
        assert "bad        queue changes: No worker has looked at queue changes yet: " in text
        assert "manage.py worker changes" in text

    def test_tells_machines_the_same_as_json(self, stage: Stage) -> None:
        code, text = self.run("--own", "--json")

        assert code == 0
        assert {
            "part": "redis",
            "state": "ok",
            "words": "Redis answers and takes writes.",
            "next_step": "",
        } in json.loads(text)
