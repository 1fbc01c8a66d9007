"""The tick: what is due is told to workers, in which order, and what is told twice."""

import dataclasses
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as product
from django.db import connection, connections, transaction
from django.db.models import F
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.domain.runs import Kind, Priority, Status
from functions_app.models import Run
from functions_app.services.engine import hand_out
from functions_app.services.engine.leases import Lease
from functions_app.services.people.actor import SCHEDULE, Actor
from tests.conftest import Valkey
from tests.services.engine.test_runs import carry_on, submit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "test_kinds")]


@pytest.fixture
def test_kinds(settings: Settings) -> None:
    settings.DRYDOCK_KINDS = "tests.run_kinds.KINDS"


def many(number: int, folder: Path, due: datetime) -> list[Run]:
    """Runs of the schedule that are due and were never told."""
    return Run.objects.bulk_create(
        Run(
            kind=Kind.DEPLOYMENT,
            status=Status.QUEUED,
            title=f"Change {at}",
            plan={"folder": str(folder)},
            actor_name=SCHEDULE.name,
            via=SCHEDULE.via,
            priority=Priority.SCHEDULE,
            created_at=due,
            wake_at=due,
        )
        for at in range(number)
    )


def told_on(queue: str, valkey: Valkey) -> list[str]:
    """The messages that lie in a queue, in the order in which workers take them last to first, a list a priority."""
    separator = product.CELERY_BROKER_TRANSPORT_OPTIONS["sep"]
    lists = [f"{queue}{separator}{priority}" if priority else queue for priority in reversed(Priority)]
    return [
        json.loads(message)["headers"]["argsrepr"] for name in lists for message in valkey.client.lrange(name, 0, -1)
    ]


@contextmanager
def row_held_by_another(run: Run) -> Iterator[None]:
    """Another process is in the middle of a transaction that has written the run, and does nothing more."""
    holds, end = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Run.objects.filter(pk=run.pk).update(revision=F("revision") + 1)
                holds.set()
                end.wait(20)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert holds.wait(20)
        yield
        assert holder.is_alive(), "whoever came had to wait for the holder"
    finally:
        end.set()
        holder.join()


class Test_the_tick:
    def test_hands_out_what_is_due_once(self, tmp_path: Path) -> None:
        run = submit(tmp_path)
        Run.objects.filter(pk=run.pk).update(handed_out_at=None)
        assert hand_out.hand_out_due() == 1
        assert hand_out.hand_out_due() == 0

    @pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one lock for all, and ends waiting")
    def test_passes_over_a_run_whose_row_a_frozen_worker_holds(self, tmp_path: Path) -> None:
        held, other = submit(tmp_path), submit(tmp_path)
        Run.objects.update(handed_out_at=None)
        with row_held_by_another(held):
            assert hand_out.hand_out_due() == 1
            assert Run.objects.get(pk=other.pk).handed_out_at is not None
        assert hand_out.hand_out_due() == 1

    def test_hands_it_out_again_when_nobody_came(self, tmp_path: Path) -> None:
        run = submit(tmp_path)
        Run.objects.filter(pk=run.pk).update(handed_out_at=clock.now() - timedelta(minutes=1))
        assert hand_out.hand_out_due() == 1

    def test_tells_1501_runs_once_each_before_any_twice(
        self, tmp_path: Path, settings: Settings, valkey: Valkey
    ) -> None:
        valkey.flush()
        many(1501, tmp_path, clock.now() - timedelta(minutes=1))

        rounds = []
        for second in range(14):  # in which no message that lies in its queue runs out
            settings.ENV = dataclasses.replace(settings.ENV, clock_ahead=timedelta(seconds=second))
            rounds.append(hand_out.hand_out_due())
        assert rounds == [200] * 7 + [101] + [0] * 6
        told = told_on("changes", valkey)
        assert len(told) == len(set(told)) == 1501

    def test_tells_again_soon_what_a_flushed_redis_lost(
        self, tmp_path: Path, settings: Settings, valkey: Valkey
    ) -> None:
        many(3, tmp_path, clock.now())
        assert hand_out.hand_out_due() == 3
        valkey.flush()

        for second, told in ((4, 0), (6, 3)):
            settings.ENV = dataclasses.replace(settings.ENV, clock_ahead=timedelta(seconds=second))
            assert hand_out.hand_out_due() == told

    def test_tells_what_workers_left_first_then_what_people_started(
        self, tmp_path: Path, operator: Actor, valkey: Valkey
    ) -> None:
        valkey.flush()
        old = clock.now() - timedelta(hours=1)
        by_schedule, again = many(2, tmp_path, old)
        Run.objects.filter(pk=again.pk).update(handed_out_at=old + timedelta(minutes=1))
        by_person, orphan = submit(tmp_path, operator), submit(tmp_path)
        Lease.claim(orphan.pk, "vanished")
        Run.objects.filter(pk=orphan.pk).update(lease_until=clock.now() - timedelta(seconds=1), handed_out_at=old)
        Run.objects.filter(pk=by_person.pk).update(handed_out_at=None)
        valkey.flush()

        assert hand_out.hand_out_due() == 4
        messages = told_on("changes", valkey)
        assert messages[::-1] == [f"[{run.pk}]" for run in (orphan, by_person, by_schedule, again)]

    def test_hands_out_a_run_whose_lease_ran_out(self, tmp_path: Path) -> None:
        run = submit(tmp_path)
        Lease.claim(run.pk, "vanished")
        old = clock.now() - timedelta(minutes=1)
        Run.objects.filter(pk=run.pk).update(lease_until=old, handed_out_at=old)
        assert hand_out.hand_out_due() == 1

    def test_leaves_alone_what_waits_works_or_has_ended(self, tmp_path: Path) -> None:
        carry_on(submit(tmp_path))
        carry_on(submit(tmp_path, waits=1, seconds=3000))
        Lease.claim(submit(tmp_path).pk, "busy")
        Run.objects.update(handed_out_at=None)
        assert hand_out.hand_out_due() == 0


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite tells whoever waits after some seconds")
def test_what_a_frozen_process_holds_is_let_go_of_by_the_database_after_a_while() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite compiles nothing")
def test_no_query_is_compiled_which_takes_longer_than_it_runs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
