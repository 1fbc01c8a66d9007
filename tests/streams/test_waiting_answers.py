"""Answers that are held until a run has ended, asked of a real web process."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User

from functions_app import clock
from functions_app.domain.runs import Kind, Status
from functions_app.models import ApiToken, ChatLink, Run
from functions_app.services.engine.leases import Lease
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from functions_app.streams.hub import Hub
from functions_app.streams.waiting_answers import ASK_AGAIN, WaitingAnswers
from tests.factories import make_account, make_function
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bot(unknown: httpx.Client, operator: User) -> httpx.Client:
    """A bot of an operator, before a real server."""
    text = tokens.make(Wanted("ci", ["read", "invoke"]), Actor(operator)).text
    unknown.headers["Authorization"] = f"Bearer {text}"
    return unknown


@pytest.fixture
def run() -> Run:
    """A run that waits for a worker."""
    return Run.objects.create(kind=Kind.BASE_POLL, status=Status.QUEUED, title="Poll", created_at=clock.now())


def claim(run: Run) -> Lease:
    """A worker begins."""
    claimed = Lease.claim(run.pk, "tests")
    assert claimed is not None
    return claimed[0]


def held(bot: httpx.Client, method: str, path: str, until: Callable[[], object], **more: Any) -> httpx.Response:
    """The answer, where `until` is done while it is held."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(bot.request, method, path, **more)
        until()
        return answer.result()


def test_a_run_is_answered_once_it_has_ended(bot: httpx.Client, run: Run) -> None:
    lease = claim(run)
    answer = held(
        *(bot, "GET", f"/runs/{run.pk}?wait=25"), lambda: lease.write(to=Status.SUCCEEDED, ended_at=clock.now())
    )
    assert (answer.status_code, answer.json()["ended"], answer.json()["status"]) == (200, True, "succeeded")


def test_a_run_that_goes_on_is_answered_as_it_stands_when_the_time_is_over(bot: httpx.Client, run: Run) -> None:
    claim(run)
    answer = bot.get(f"/runs/{run.pk}?wait=1")
    assert (answer.status_code, answer.json()["ended"]) == (200, False)


def test_what_a_post_starts_is_waited_for_and_answered_as_the_run(bot: httpx.Client) -> None:
    make_function(make_account(), "billing")

    def end_it() -> None:
        eventually(Run.objects.filter(kind=Kind.INVOCATION).exists, "it is invoked")
        claim(Run.objects.get()).write(to=Status.SUCCEEDED, ended_at=clock.now())

    answer = held(bot, "POST", "/invocations?wait=25", end_it, json={"function": "billing"})
    assert (answer.status_code, answer.json()["id"], answer.json()["ended"]) == (200, Run.objects.get().pk, True)


def test_what_somebody_starts_from_a_chat_is_waited_for_too(bot: httpx.Client, operator: User) -> None:
    make_function(make_account(), "billing")
    token = ApiToken.objects.get()
    ChatLink.objects.create(token=token, chat_user="U1", person=operator, since=clock.now())

    def end_it() -> None:
        eventually(Run.objects.exists, "the run")
        claim(Run.objects.get()).write(to=Status.SUCCEEDED, ended_at=clock.now())

    said = {"text": "invoke billing", "user": "U1"}
    answer = held(bot, "POST", "/chat?wait=25", end_it, json=said)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")


@pytest.mark.parametrize(
    ("to", "waits_for"), [(Status.PAUSED, ""), (Status.WAITING, "approve"), (Status.CANCELLED, "")]
)
def test_a_run_that_goes_on_no_more_without_a_person_has_settled(
    bot: httpx.Client, run: Run, to: Status, waits_for: str
) -> None:
    lease = claim(run)
    answer = held(
        *(bot, "GET", f"/runs/{run.pk}?wait_for=settled"),
        lambda: lease.write(to=to, waits_for=waits_for, ended_at=clock.now() if to.ended else None),
    )
    told = answer.json()
    assert (answer.status_code, told["status"], told["settled"], told["ended"]) == (200, to, True, to.ended)


def test_a_run_that_only_waits_for_a_time_has_not(bot: httpx.Client, run: Run) -> None:
    claim(run).write(to=Status.WAITING, waits_for="promote skip", wake_at=clock.now())
    told = bot.get(f"/runs/{run.pk}?wait=1&wait_for=settled").json()
    assert (told["status"], told["settled"]) == ("waiting", False)


def test_who_may_not_is_told_at_once(bot: httpx.Client, run: Run) -> None:
    for token, status in (("ddk_nothing", 401), (bot.headers["Authorization"][7:], 403)):
        User.objects.get().groups.clear()
        headers = {"Authorization": f"Bearer {token}"}
        assert bot.get(f"/runs/{run.pk}?wait=25", headers=headers).status_code == status


@pytest.mark.parametrize(
    "wait",
    ["wait=0", "wait=26", "wait=99999", "wait=-1", "wait=x", "wait=", "wait=1&wait=2", "wait_for=green", "wait_for="],
)
def test_another_time_is_refused_as_any_parameter_that_nobody_knows(bot: httpx.Client, run: Run, wait: str) -> None:
    answer = bot.get(f"/runs/{run.pk}?{wait}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")


def test_many_answers_are_held_at_one_time_while_pages_are_served(bot: httpx.Client, run: Run) -> None:
    lease = claim(run)

    def ask(_: int) -> dict[str, Any]:
        told: dict[str, Any] = bot.get(f"/runs/{run.pk}?wait=25").json()
        return told

    with ThreadPoolExecutor(25) as pool:
        answers = [pool.submit(ask, number) for number in range(25)]
        assert bot.get("/accounts").status_code == 200
        lease.write(to=Status.FAILED, ended_at=clock.now())
        assert {each.result()["status"] for each in answers} == {"failed"}


def test_what_only_prepares_is_asked_again_once_it_has_ended(run: Run) -> None:
    asked: list[bytes] = []

    async def django(scope: dict[str, Any], receive: Any, send: Any) -> None:
        asked.append((await receive())["body"])
        headers = [(b"location", f"/api/v1/runs/{run.pk}".encode())]
        headers += [(ASK_AGAIN.lower().encode(), b"1")] if len(asked) == 1 else []
        status = 202 if len(asked) < 3 else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"told %d" % len(asked)})

    Run.objects.update(status=Status.SUCCEEDED)
    assert asyncio.run(answered(django, "POST", "/api/v1/patches")) == b"told 3"
    assert asked == [b"{}", b"{}", b""]


async def answered(django: Any, method: str, path: str) -> bytes:
    """The body of a held answer to a request whose body is {}."""
    told: list[bytes] = []
    sent = [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if sent:
            return sent.pop()
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        told.append(message.get("body", b""))

    hub = Hub()
    scope = {"method": method, "path": path, "query_string": b"wait=20", "headers": []}
    await WaitingAnswers(django, hub).serve(scope, receive, send)
    hub.close()
    return b"".join(told)
