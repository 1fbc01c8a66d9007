"""What a machine is answered where no endpoint is asked: by Django, by what stands before it, and where we fail."""

import asyncio
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from dashboard.request_limits import REFUSALS, Intake
from functions_app.api import runs
from functions_app.domain import limits
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.conftest import Valkey

MEMBERS = {
    *("type", "title", "status", "detail", "next_step", "text"),
    *("code", "aws_code", "request_id", "retryable"),
}


@pytest.fixture
def bot(operator: User, valkey: Valkey) -> Client:
    """A bot of an operator who is signed in beside, in the same browser: nothing of that may help or hinder."""
    text = tokens.make(Wanted("ci", ["read", "invoke"]), Actor(operator)).text
    bot = Client(enforce_csrf_checks=True, raise_request_exception=False, headers={"Authorization": f"Bearer {text}"})
    bot.force_login(operator)
    return bot


def assert_problem(status: int, wanted: int, headers: Any, body: bytes) -> None:
    """Fails unless it is told as RFC 9457 has it, with every member that a problem of ours has."""
    assert (status, headers["Content-Type"]) == (wanted, "application/problem+json")
    told = json.loads(body)
    assert set(told) == MEMBERS
    assert told["status"] == wanted
    assert 0 < len(told["text"]) <= 140
    assert headers["X-Request-Id"]


@pytest.mark.django_db(transaction=True)
class Test_django_itself:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/api/v1/nothing", 404),
            ("/api/v1/", 404),
            ("/api/v2/functions", 404),
            ("/api/v1/functions/", 404),
            ("/api/v1/functions/a%00b", 400),
            ("/api/v1/functions?search=%00", 400),
            ("/api/v1/functions?%00=1", 400),
            ("/api/v1/functions?" + "&".join(f"a{number}=" for number in range(limits.QUERY_FIELDS + 1)), 400),
            ("/api/v1/functions/%ff%fe", 404),
            ("/api/v1/functions/%ED%A0%80", 404),
            ("/api/v1/functions/%zz", 404),
        ],
    )
    def test_answers_an_address_that_is_none(self, bot: Client, path: str, status: int) -> None:
        answer = bot.get(path)
        assert_problem(answer.status_code, status, answer, answer.content)

    @pytest.mark.parametrize("host", ["evil.example", "", "[::1", "localhost:80:80"])
    def test_answers_a_host_that_is_not_ours(self, bot: Client, host: str) -> None:
        answer = bot.get("/api/v1/functions", headers={"Host": host})
        assert_problem(answer.status_code, 400, answer, answer.content)

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
    def test_answers_a_method_that_the_schema_does_not_take(self, bot: Client, method: str) -> None:
        answer = getattr(bot, method)("/api/v1/openapi.json")
        assert_problem(answer.status_code, 405, answer, answer.content)
        assert answer["Allow"] == "GET"

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
    def test_asks_a_machine_for_no_csrf_token(self, bot: Client, origin: str) -> None:
        answer = bot.post("/api/v1/polls", content_type="application/json", headers={"Origin": origin})
        assert answer.status_code == 202

    def test_answers_what_breaks_without_saying_what(self, bot: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def break_down(*_: object) -> None:
            raise RuntimeError("s3cret")

        monkeypatch.setattr(runs, "run_list", break_down)  # nothing that a machine sends is known to break us
        answer = bot.get("/api/v1/runs")
        assert_problem(answer.status_code, 500, answer, answer.content)
        assert b"s3cret" not in answer.content

    def test_tells_the_id_that_the_request_came_with(self, bot: Client) -> None:
        assert bot.get("/api/v1/functions?search=%00", headers={"X-Request-Id": "ci-7"})["X-Request-Id"] == "ci-7"

    def test_goes_on_telling_people_in_words(self, bot: Client, settings: Settings) -> None:
        assert bot.get("/functions/?search=%00")["Content-Type"] == "text/plain"
        assert bot.get("/nothing/")["Content-Type"].startswith("text/html")


class Test_what_stands_before_django:
    @pytest.mark.parametrize(
        ("status", "head", "body"),
        [
            (431, [(b"x-long", b"x" * limits.HEAD)], b""),
            (413, [(b"content-length", b"999999999")], b""),
            (413, [(b"transfer-encoding", b"chunked")], b"x" * (limits.BODY + 1)),
            (415, [(b"content-type", b"application/json; charset=utf-16")], b""),
            (408, [(b"content-length", b"10")], None),
        ],
    )
    def test_answers_a_request_that_is_not_passed_on(
        self, status: int, head: list[tuple[bytes, bytes]], body: bytes | None
    ) -> None:
        told: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if body is None:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        async def django(*_: object) -> None:
            raise AssertionError("it is passed on")

        scope = {"type": "http", "method": "POST", "path": "/api/v1/deployments", "client": ("1.1.1.1", 1)}
        asyncio.run(Intake(django, within=0.2)({**scope, "query_string": b"", "headers": head}, receive, send))
        headers = {name.decode().title(): value.decode() for name, value in told[0]["headers"]}
        assert_problem(told[0]["status"], status, headers, told[1]["body"])
        assert json.loads(told[1]["body"])["detail"] == REFUSALS[status]
