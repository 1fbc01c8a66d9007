"""`/healthz` of a web server: answered whatever pages do, from what was found last, with its age."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions_app import clock
from functions_app.services.engine import clocks, health
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
    status, text = asyncio.run(asyncio.wait_for(first_answer(), 20))
    assert status == 200
    assert text.startswith("database ok\nredis ok\nlooked ")


def test_the_age_of_the_last_tick_and_of_each_queue_is_told(valkey: Valkey) -> None:
    _, text = asyncio.run(asyncio.wait_for(first_answer(), 20))

    told = [line.rpartition(" ")[0].rpartition(" ")[0].rpartition(" ")[0] for line in text.splitlines()[3:]]
    assert told == ["tick", "worker changes", "worker reading", "worker invocations", "worker tick"]


@pytest.fixture
def nothing_known(valkey: Valkey) -> Iterator[None]:
    """No clock was measured, and none is remembered afterwards."""
    valkey.flush()
    yield
    valkey.flush()
    clocks.remember(clocks.Clocks())


@pytest.mark.usefixtures("nothing_known")
class Test_clocks:
    def test_that_are_off_have_a_line_each_and_the_status_stays(self, valkey: Valkey) -> None:
        clocks.measure("worker changes", lambda: clock.now() + timedelta(seconds=3.1))
        hostile = "beat\nredis away@db7:1"
        with valkey.client as client:
            client.hset(clocks.NAMES, hostile, f"-61000 {client.time()[0]}")

        status, text = asyncio.run(asyncio.wait_for(first_answer(), 20))

        assert status == 200
        assert [line for line in text.splitlines() if line.startswith("clock of")] == [
            "clock of beat‹U+000A›redis away: 61.0 s behind",
            "clock of worker changes: 3.1 s ahead",
        ]

    def test_tell_no_host_to_whoever_asks(self) -> None:
        clocks.measure("worker changes", lambda: clock.now() + timedelta(seconds=3.1))

        _, text = asyncio.run(asyncio.wait_for(first_answer(), 20))

        assert [one.host in text for one in clocks.remembered().off] == [False]

    def test_are_measured_by_the_web_server_itself(self) -> None:
        status, text = asyncio.run(asyncio.wait_for(first_answer(), 20))

        assert (status, "clock of" in text) == (200, False)
        assert [one.what for one in clocks.remembered().skews] == ["web"]

    def test_are_forgotten_while_Redis_is_away(self, valkey: Valkey) -> None:
        clocks.remember(clocks.Clocks((clocks.Skew("beat", "db7", 9.0),)))
        valkey.stop()
        try:
            status, text = asyncio.run(asyncio.wait_for(first_answer(), 20))
        finally:
            valkey.start()

        assert status == 200
        assert "clock of" not in text
        assert clocks.remembered() == clocks.Clocks()


async def first_answer() -> tuple[int, str]:
    """What is answered after the first look."""
    application = Application(never)
    application.health = probe = HealthProbe()
    await found(probe)
    answer = await ask(application)
    probe.close()
    return answer


@pytest.mark.parametrize("answered", [False, True], ids=["from the beginning", "any more"])
def test_a_database_that_does_not_answer_is_told_by_age(
    monkeypatch: pytest.MonkeyPatch, valkey: Valkey, answered: bool
) -> None:
    """The look hangs, as on a host that swallows what is sent: no real server does so within a test's time."""
    release = asyncio.Event()
    monkeypatch.setattr(health_probe, "OLD", 0.05)
    monkeypatch.setattr(health_probe, "EVERY", 0.01)

    async def hangs() -> tuple[int, str]:
        loop = asyncio.get_running_loop()

        def database() -> str:
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result(10)
            return "ok"

        application = Application(never)
        if answered:
            application.health = probe = HealthProbe()
            await found(probe)
            monkeypatch.setattr(health, "database", database)
        else:
            monkeypatch.setattr(health, "database", database)
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
