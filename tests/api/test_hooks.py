"""The hook that EventBridge's API destinations call: who may, what it takes, what it answers."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from functions_app.models import BaseStream, Repository, Run
from tests.factories import make_account, make_repository, make_stream

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "a token that is long enough"
URL = "/api/v1/hooks/ecr"


@pytest.fixture
def hook(settings: Settings) -> Client:
    """A client that comes from outside: no session, CSRF is checked; the hook is switched on."""
    settings.ENV = dataclasses.replace(settings.ENV, hook_token=TOKEN)
    return Client(enforce_csrf_checks=True)


def send(client: Client, body: Any, headers: Mapping[str, str] | None = None) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Authorization": f"Bearer {TOKEN}"} if headers is None else headers
    return client.post(URL, data, content_type="application/json", headers=dict(given))


def push(account_id: str) -> dict[str, Any]:
    detail = {"action-type": "PUSH", "result": "SUCCESS", "repository-name": "bases/golden", "image-tag": "stable"}
    envelope = {"source": "aws.ecr", "detail-type": "ECR Image Action", "region": "eu-west-1"}
    return {**envelope, "account": account_id, "detail": detail}


def golden(account_id: str) -> BaseStream:
    reference = f"{account_id}.dkr.ecr.eu-west-1.amazonaws.com/bases/golden:stable"
    return make_stream("golden:stable", reference=reference, own=True)


def test_the_hook_has_a_name() -> None:
    assert reverse("hook-ecr") == URL


def test_a_push_is_accepted_and_polled(hook: Client, valkey: object) -> None:
    account = make_account()
    stream = golden(account.account_id)
    repository = make_repository(account, "bases/golden")

    answer = send(hook, push(account.account_id))

    assert answer.status_code == 202
    assert "golden:stable is polled by run" in answer.json()["text"]
    assert Run.objects.get().plan == {"streams": [stream.pk]}
    assert Run.objects.get().actor_name == "the schedule"
    assert Repository.objects.get(pk=repository.pk).asked_at is not None


def test_the_token_may_come_in_the_header_of_an_api_destination(hook: Client) -> None:
    assert send(hook, push("123456789012"), {"X-Drydock-Token": TOKEN}).status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {TOKEN}"},
        {"X-Drydock-Token": ""},
        {"X-Drydock-Token": TOKEN + "x"},
        {"X-Drydock-Token": "töken"},
    ],
)
def test_nobody_without_the_token_is_heard(hook: Client, headers: dict[str, str]) -> None:
    answer = send(hook, push("123456789012"), headers)

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert TOKEN not in answer.content.decode()


def test_a_session_is_no_token(hook: Client, operator: Any) -> None:
    hook.force_login(operator)

    assert send(hook, push("123456789012"), {}).status_code == 401


def test_without_a_token_of_its_own_there_is_no_hook(settings: Settings) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, hook_token="")
    for headers in ({}, {"Authorization": "Bearer "}, {"X-Drydock-Token": ""}):
        answer = send(Client(), push("123456789012"), headers)
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not JSON", 400),
        (b"[]", 400),
        ({}, 400),
        ({"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": {"repository-name": "../x"}}, 400),
        (b'{"a": "' + b"b" * 300_000 + b'"}', 413),
        (b"\x00", 400),
    ],
)
def test_what_is_no_event_is_refused_and_says_why(hook: Client, body: Any, status: int) -> None:
    answer = send(hook, body)

    assert answer.status_code == status
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (status, "about:blank")
    assert problem["detail"]
    assert not Run.objects.exists()


def test_a_form_is_no_event(hook: Client) -> None:
    headers = {"X-Drydock-Token": TOKEN}
    assert hook.post(URL, {"source": "aws.ecr"}, headers=headers).status_code == 415


def test_events_are_sent_with_post(hook: Client) -> None:
    answer = hook.get(URL, headers={"X-Drydock-Token": TOKEN})

    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_other_events_are_accepted_and_let_pass(hook: Client) -> None:
    answer = send(hook, {"source": "aws.s3", "detail-type": "Object Created"})

    assert answer.status_code == 202
    assert answer["Cache-Control"] == "no-store"
    assert not Run.objects.exists()
