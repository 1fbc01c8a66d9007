"""The same request twenty times at once, and the web server killed while it answers: it is carried out once."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from django.contrib.auth.models import User

from functions_app import clock
from functions_app.models import AuditEntry, KeptAnswer, Plan, Run
from functions_app.services.people import kept_answers, tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.fixtures import Sandbox
from tests.processes import Process, eventually, web
from tests.sandbox.functions import Functions
from tests.services.changes.stage import make_stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
TIMES = 20
BODY = json.dumps({"function": "app", "image": "2", "alias": "staging"})
LATER = {409, 429, 503}  # another answers it, too many ask, every place for plans is taken


@pytest.fixture
def headers(operator: User) -> dict[str, str]:
    """A bot's, with one key."""
    made = tokens.make(Wanted("ci", ["read", "deploy:nonprod"]), Actor(operator))
    return {"Authorization": f"Bearer {made.text}", "Idempotency-Key": "build-417", "Content-Type": "application/json"}


@pytest.fixture
def environment(
    process_environment: dict[str, str], functions: Functions, operator: User, aws: Sandbox
) -> dict[str, str]:
    """A web server's whose AWS has a function with an image more than it runs."""
    stage = make_stage(functions, Actor(operator))
    stage.push("two", "2")
    mirrors = f"*.amazonaws.com={aws.url}"
    settings = {"PROCESS_SETTINGS": "tests.survive_settings"}  # the product's own runs
    return {**process_environment, **settings, "AWS_ENDPOINT_URL": aws.url, "DRYDOCK_REGISTRY_MIRRORS": mirrors}


def ask(port: int, headers: dict[str, str]) -> int:
    """The run that it became, asked again for as long as that is said; 0 where the server died."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
        while True:
            try:
                answer = client.post("/api/v1/deployments", content=BODY)
            except httpx.TransportError:
                return 0
            if answer.status_code == 202:
                return int(answer.json()["id"])
            assert answer.status_code in LATER, answer.text
            time.sleep(1)


def ask_together(port: int, headers: dict[str, str], meanwhile: Callable[[], None] = lambda: None) -> set[int]:
    """What all of them are told that ask at once."""
    with ThreadPoolExecutor(TIMES) as pool:
        asked = [pool.submit(ask, port, headers) for _ in range(TIMES)]
        meanwhile()
        return {each.result() for each in asked}


def killed(server: Process, when: Callable[[], bool], what: str) -> Callable[[], None]:
    """kill -9, as soon as something is there."""

    def kill() -> None:
        eventually(when, what)
        server.kill()

    return kill


def time_passes() -> None:
    """So long that whoever was to answer is taken for dead."""
    KeptAnswer.objects.filter(status=None).update(begun_at=clock.now() - 2 * kept_answers.DEAD_AFTER)


def test_twenty_times_at_once_it_makes_one_run_though_the_server_dies_while_it_plans_and_when_it_has_begun(
    environment: dict[str, str], headers: dict[str, str], tmp_path: Path
) -> None:
    with web(environment, tmp_path) as (server, port):
        ask_together(port, headers, killed(server, KeptAnswer.objects.exists, "somebody answers it"))
    time_passes()
    with web(environment, tmp_path) as (server, port):
        ask_together(port, headers, killed(server, Run.objects.exists, "it has become a run"))
    time_passes()
    with web(environment, tmp_path) as (_, port):
        told = ask_together(port, headers)
    assert told == {Run.objects.get().pk}
    assert Plan.objects.count() == 1
    assert AuditEntry.objects.filter(action="deployment.submit").count() == 1
