"""What happens to the installation: kept where it happens, numbered so that no reader misses any, gone after a week."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction

from functions_app import clock, eventlog
from functions_app.domain.events import EventKind
from functions_app.domain.fleet.functions import AliasFact
from functions_app.domain.runs import Kind, SignalKind, Status
from functions_app.domain.tokens import Reach
from functions_app.models import Event, Run
from functions_app.services.bases import poll_schedule
from functions_app.services.engine import signals
from functions_app.services.engine.leases import Lease
from functions_app.services.people.actor import Actor
from functions_app.services.sync.aliases import store_aliases
from tests.factories import make_account, make_function
from tests.fixtures import Sandbox
from tests.processes import eventually
from tests.publishing import NOW, base
from tests.services.bases.base_stage import Company

EVERY = 10**18


def happen(count: int = 1) -> None:
    eventlog.tell(*(eventlog.event(EventKind.BASE_RELEASED, f"event {number}") for number in range(count)))


def told() -> list[tuple[str, str]]:
    """Kind and text of every event, in order."""
    eventlog.number_new()
    return [(entry.kind, entry.text) for entry in eventlog.read(0, 1_000, EVERY)]


@pytest.mark.django_db
class Test_an_event:
    def test_that_is_seen_later_comes_after_those_that_were_read_although_it_was_kept_before(self) -> None:
        Event.objects.create(pk=7, at=NOW, kind=EventKind.RUN_ENDED, text="kept later, seen first")
        eventlog.number_new()
        Event.objects.create(pk=3, at=NOW, kind=EventKind.RUN_ENDED, text="kept first, committed last")
        assert [text for _, text in told()] == ["kept later, seen first", "kept first, committed last"]
        assert eventlog.last() == 2

    def test_is_not_there_where_what_it_tells_of_is_taken_back(self) -> None:
        with transaction.atomic():
            happen()
            transaction.set_rollback(True)
        assert told() == []

    def test_goes_after_a_week_and_numbers_go_on(self) -> None:
        happen(3)
        eventlog.number_new()
        Event.objects.update(at=NOW - timedelta(days=8))
        eventlog.outlived(NOW).delete()
        assert (eventlog.first(), eventlog.last()) == (3, 3)
        happen()
        told()
        assert eventlog.last() == 4

    def test_names_no_secret(self) -> None:
        eventlog.tell(eventlog.event(EventKind.RUN_BEGUN, "Deploy password=hunter22hunter22", password="hunter22"))
        event = Event.objects.get()
        assert "hunter22" not in f"{event.text} {event.facts}"


@pytest.mark.django_db(transaction=True)
def test_many_who_number_at_once_give_each_event_one_number_without_a_gap() -> None:
    happen(120)

    def number(_: int) -> None:
        try:
            eventlog.number_new()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(number, range(6)))
    assert [entry.sequence for entry in eventlog.read(0, 1_000, EVERY)] == list(range(1, 121))


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="in SQLite one writes at a time")
@pytest.mark.django_db(transaction=True)
def test_who_numbers_while_another_does_waits_for_it_instead_of_each_for_the_other() -> None:
    def number() -> None:
        try:
            eventlog.number_new()
        finally:
            connections.close_all()

    def somebody_waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(cursor.fetchone()[0])

    Event.objects.create(pk=7, at=NOW, kind=EventKind.RUN_ENDED, text="kept later, seen first")
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            eventlog.number_new()
            pool.submit(_keep_earlier).result()
            other = pool.submit(number)
            eventually(somebody_waits, "the other waits")
            eventlog.number_new()
        other.result()
    assert [text for _, text in told()] == ["kept later, seen first", "kept first, committed last"]


def _keep_earlier() -> None:
    try:
        Event.objects.create(pk=3, at=NOW, kind=EventKind.RUN_ENDED, text="kept first, committed last")
    finally:
        connections.close_all()


@pytest.mark.django_db
class Test_of_a_run_is_told:
    @pytest.fixture
    def lease(self) -> Lease:
        run = Run.objects.create(kind=Kind.DEPLOYMENT, status=Status.QUEUED, title="Deploy", created_at=clock.now())
        claimed = Lease.claim(run.pk, "tests")
        assert claimed is not None
        return claimed[0]

    def test_that_it_has_begun_with_who_began_it(self, operator: User) -> None:
        run = poll_schedule.submit_poll(Actor(operator))
        assert told() == [("run.begun", f"Run {run.pk} has begun: {run.title}")]
        facts = Event.objects.get().facts
        assert facts == {"kind": "base_poll", "status": "queued", "actor": "olga", "via": "browser", "parent": None}

    @pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED])
    def test_that_it_ended_and_how(self, lease: Lease, status: Status) -> None:
        lease.write(to=status, ended_at=clock.now())
        assert told() == [("run.ended", f"Run {lease.run_id} {status}: Deploy")]

    def test_that_it_was_paused_each_time(self, lease: Lease) -> None:
        for _ in range(2):
            lease.write(to=Status.PAUSED)
            again = claim_again(lease)
            lease = again
        assert [kind for kind, _ in told()] == ["run.waits", "run.waits"]

    def test_once_that_it_waits_for_an_approval_however_often_its_step_looks(self, lease: Lease) -> None:
        for _ in range(3):
            lease.write(to=Status.WAITING, waits_for="approve cancel")
            lease = claim_again(lease)
        assert told() == [("run.waits", f"Run {lease.run_id} waits for an approval: Deploy")]

    def test_nothing_while_it_waits_for_a_time(self, lease: Lease) -> None:
        lease.write(to=Status.WAITING, waits_for="promote skip")
        assert told() == []

    def test_that_it_was_cancelled_whose_kind_an_upgrade_took_away(self, operator: User) -> None:
        run = Run.objects.create(kind="gone", status=Status.QUEUED, title="Old", created_at=clock.now())
        signals.give(run, SignalKind.CANCEL, Actor(operator))
        assert told() == [("run.ended", f"Run {run.pk} cancelled: Old")]


def claim_again(lease: Lease) -> Lease:
    """A worker takes it on after it slept."""
    Run.objects.filter(pk=lease.run_id).update(wake_at=clock.now() - timedelta(seconds=1))
    claimed = Lease.claim(lease.run_id, "tests")
    assert claimed is not None
    return claimed[0]


@pytest.mark.django_db
def test_an_alias_that_moves_or_goes_is_told_and_one_that_is_read_the_first_time_is_not() -> None:
    function = make_function(make_account(), "billing")
    store_aliases({function.pk: (NOW, [AliasFact("live", "3", "r")])})
    assert told() == []
    later = NOW + timedelta(seconds=1)
    store_aliases({function.pk: (later, [AliasFact("live", "4", "s", "3", 0.1)])})
    store_aliases({function.pk: (later + timedelta(seconds=1), [])})
    assert told() == [
        ("alias.moved", "billing:live points to 4 and, for 10%, 3 now, to 3 before"),
        ("alias.moved", "billing:live is gone, it pointed to 4"),
    ]
    assert {(event.arn, event.facts["alias"]) for event in Event.objects.all()} == {(function.arn, "live")}


@pytest.mark.django_db
def test_a_release_that_becomes_current_is_told_and_a_streams_first_is_not(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(base(1))
    company.poll()
    assert told() == []
    digest = company.publish(base(2))
    company.poll(NOW + timedelta(days=1))
    assert [kind for kind, _ in told()] == ["base.released"]
    facts: dict[str, Any] = Event.objects.get().facts
    assert (facts["base"], [row["digest"] for row in facts["releases"]]) == (company.stream.name, [digest])


@pytest.mark.parametrize(
    ("reach", "reached"),
    [
        (Reach(), [True, True, True]),
        (Reach(accounts=frozenset({"111122223333"})), [True, False, False]),
        (Reach(functions=("billing-*",)), [True, True, False]),
    ],
)
def test_a_token_hears_of_what_is_within_its_reach(reach: Reach, reached: list[bool]) -> None:
    arns = [f"arn:aws:lambda:eu-west-1:{account}:function:billing-api" for account in ("111122223333", "444455556666")]
    assert [reach.covers_arn(arn) for arn in (*arns, "")] == reached
