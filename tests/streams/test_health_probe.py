"""`/healthz` of a web server: answered whatever pages do, from what was found last, with its age."""

import asyncio
from typing import Any

import pytest

from functions_app.services.engine import health
from functions_app.streams import health_probe
from functions_app.streams.application import Application
from functions_app.streams.health_probe import HealthProbe
from tests.conftest import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


async def never(*_: Any) -> Any:
    """Django, all of whose threads are busy."""
    await asyncio.Event().wait()


async def ask(application: Application) -> tuple[int, str]:
    """GET /healthz."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application({"type": "http", "method": "GET", "path": "/healthz"}, never, send)
    return sent[0]["status"], sent[1]["body"].decode()


async def found(probe: HealthProbe) -> None:
    """Wait for the first look."""
    while probe.last is None:
        await asyncio.sleep(0.01)


def test_it_is_answered_while_no_page_is(valkey: Valkey) -> None:
    async def healthy() -> tuple[int, str]:
        application = Application(never)
        application.health = probe = HealthProbe()
        await found(probe)
        answer = await ask(application)
        probe.close()
        return answer

    status, text = asyncio.run(asyncio.wait_for(healthy(), 20))
    assert status == 200
    assert text.startswith("database ok\nredis ok\nlooked ")


def test_a_database_that_does_not_answer_is_told_by_age(monkeypatch: pytest.MonkeyPatch, valkey: Valkey) -> None:
    """The look hangs, as on a host that swallows what is sent: no real server does so within a test's time."""
    release = asyncio.Event()
    monkeypatch.setattr(health_probe, "OLD", 0.05)

    async def hangs() -> tuple[int, str]:
        loop = asyncio.get_running_loop()

        def database() -> str:
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result(10)
            return "ok"

        monkeypatch.setattr(health, "database", database)
        application = Application(never)
        application.health = probe = HealthProbe()
        await asyncio.sleep(0.2)
        answer = await ask(application)
        release.set()
        await found(probe)
        probe.close()
        return answer

    status, text = asyncio.run(asyncio.wait_for(hangs(), 20))
    assert status == 503
    assert text.startswith("database away (no answer for")
