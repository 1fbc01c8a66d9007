"""Signs of life: told by real workers, missed where one is killed or beat is, there again when they are."""

import asyncio
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from functions_app import eventlog, tasks
from functions_app.domain.health import pulses as judgement
from functions_app.domain.health.pulses import troubles
from functions_app.domain.runs import Queue
from functions_app.services.engine import pulses
from functions_app.streams.application import Application
from functions_app.streams.health_probe import HealthProbe
from tests.conftest import Valkey
from tests.processes import Process, beat, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
OTHERS = [queue for queue in Queue if queue is not Queue.CHANGES]


async def asked(application: Application, query: str) -> tuple[int, str]:
    """GET /healthz."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/healthz", "query_string": query.encode()}
    await application(scope, asyncio.Event().wait, send)  # type: ignore[arg-type]
    return sent[0]["status"], sent[1]["body"].decode()


class Site:
    """A web server's door, whose probe looks at real workers."""

    def __init__(self) -> None:
        self.application = Application(asyncio.Event().wait)  # type: ignore[arg-type]
        self.application.health = HealthProbe()

    async def shows(self, *whats: str) -> None:
        """Wait until exactly these parts are away by healthz and for the pages."""
        for _ in range(1200):
            _, text = await asked(self.application, "")
            told = [line for line in text.splitlines() if line.startswith("degraded: ")]
            away = pulses.remembered()
            if [one.what for one in away] == list(whats) and told == [f"degraded: {one.sentence}" for one in away]:
                return
            await asyncio.sleep(0.05)
        pytest.fail(f"healthz did not show {whats}, but:\n{text}")


def test_a_worker_that_dies_and_a_beat_that_dies_are_told_until_they_are_back(
    process_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judgement, "SILENT", 4.0)

    async def story(stack: ExitStack) -> None:
        site = Site()

        async def start(process: AbstractContextManager[Process]) -> Process:
            return await asyncio.to_thread(stack.enter_context, process)  # the probe goes on meanwhile

        _, changes, ticking = await asyncio.gather(
            start(worker(process_environment, tmp_path, "others", OTHERS)),
            start(worker(process_environment, tmp_path, "changes", [Queue.CHANGES])),
            start(beat(process_environment, tmp_path)),
        )
        await site.shows()
        assert (await asked(site.application, "strict"))[0] == 200

        changes.kill()
        await site.shows("queue changes")
        assert (await asked(site.application, ""))[0] == 200
        assert (await asked(site.application, "strict"))[0] == 503

        await start(worker(process_environment, tmp_path, "changes again", [Queue.CHANGES]))
        await site.shows()
        ticking.kill()
        await site.shows("beat")
        await start(beat(process_environment, tmp_path))
        await site.shows()
        assert site.application.health is not None
        site.application.health.close()

    with ExitStack() as stack:
        asyncio.run(story(stack))
    pulses.remember(())


class Test_who_looks_again_and_again:
    def test_counts_a_silence_from_its_own_start(self, valkey: Valkey) -> None:
        valkey.flush()

        known = pulses.Watch().look()

        assert max(known.looked.values()) < 30
        assert troubles(known) == ()

    def test_remembers_what_a_redis_that_was_wiped_has_forgotten(self, valkey: Valkey) -> None:
        valkey.flush()
        watch = pulses.Watch()
        pulses.tell(Queue)
        watch.look()
        valkey.flush()

        assert max(watch.look().looked.values()) < 30

    def test_knows_nothing_while_redis_is_away_and_blames_nobody_when_it_is_back(self, valkey: Valkey) -> None:
        watch = pulses.Watch()
        pulses.tell(Queue)
        watch.look()
        valkey.stop()
        try:
            pulses.tell(Queue)
            away = watch.look()
        finally:
            valkey.start()

        assert away.redis_away is not None
        assert troubles(away) == ()
        assert troubles(watch.look()) == ()

    def test_is_not_misled_by_what_others_write(self, valkey: Valkey) -> None:
        valkey.flush()
        with valkey.client as client:
            client.hset(pulses.NAMES, mapping={b"looked:changes": b"nan", b"\xff": b"1.0", b"ticked": b"x"})

        assert "ticked" not in (pulses.read() or {})
        assert pulses.known(pulses.read() or {}).looked == {}


def test_what_a_process_did_is_told_once_with_its_age(valkey: Valkey) -> None:
    valkey.flush()
    pulses.note_tick()
    pulses.note_message("changes")
    pulses.tell([Queue.CHANGES])

    told = pulses.read()

    assert told is not None
    assert set(told) == {"looked:changes", "took:changes", "ticked"}
    assert max(told.values()) < 30


def test_a_tick_is_noted_although_the_events_can_not_be_numbered(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OperationalError

    valkey.flush()
    monkeypatch.setattr(pulses, "_happened", {})

    # patched: what keeps events from being numbered is another's lock, or a database that just went away
    monkeypatch.setattr(eventlog, "number_new", refuse)
    with pytest.raises(OperationalError):
        tasks.tick()
    pulses.tell([])
    assert "ticked" in (pulses.read() or {})
