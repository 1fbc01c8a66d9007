"""When streams are polled: spread over time, by whoever is there, once more after a crash, never backwards."""

import dataclasses
import statistics
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from functions_app import clock, tasks
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Status
from functions_app.models import Account, BaseRelease, BaseStream, Run
from functions_app.services.bases import poll_schedule, polls
from functions_app.services.bases import streams as base_streams
from functions_app.services.bases.poll_schedule import due_streams, submit_due, submit_poll
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.engine import runs
from functions_app.services.people.actor import SCHEDULE, Actor
from tests.factories import make_account, make_image, make_repository, make_stream
from tests.fixtures import REGION, Push, Sandbox
from tests.publishing import NOW, base, base_index, publish, unique_repository
from tests.services.sync.sync_stage import Lines, add_account, calls

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def published(aws: Sandbox, number: int = 1) -> BaseStream:
    """A stream whose tag points to this release."""
    repository = unique_repository()
    publish(aws, repository, base_index(number), ["3.12"])
    return make_stream(repository, reference=f"public.ecr.aws/{repository}:3.12", polled_at=None)


def move(aws: Sandbox, stream: BaseStream, number: int) -> str:
    repository = stream.reference.partition("/")[2].partition(":")[0]
    return publish(aws, repository, base(number), ["3.12"])


def poll(now: Any = NOW, streams: list[int] | None = None) -> list[str]:
    log = Lines()
    polls.poll(now, log, streams)
    return log.lines


def test_each_stream_is_polled_at_a_time_of_its_own_and_always_the_same(settings: Settings) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, base_poll_every=3600)
    base_streams.seed_streams()
    waits = [poll_schedule.next_poll(stream, NOW) - NOW for stream in BaseStream.objects.all()]

    assert waits == [poll_schedule.next_poll(stream, NOW) - NOW for stream in BaseStream.objects.all()]
    assert all(0.85 * HOUR <= wait <= 1.15 * HOUR for wait in waits)
    assert len(set(waits)) == len(waits)
    assert statistics.stdev(wait.total_seconds() for wait in waits) > 200


def test_nothing_is_polled_until_a_stream_is_due_and_then_what_soon_would_be_too(settings: Settings) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, base_poll_every=3600)
    first = make_stream("first", next_poll_at=NOW)
    soon = make_stream("soon", next_poll_at=NOW + timedelta(minutes=5))
    make_stream("later", next_poll_at=NOW + timedelta(minutes=7))
    make_stream("off", next_poll_at=None, enabled=False)

    assert due_streams(NOW - timedelta(seconds=1)) == []
    assert due_streams(NOW) == [first.pk, soon.pk]


def test_a_poll_says_when_each_stream_is_next_due(aws: Sandbox) -> None:
    stream = published(aws)
    other = published(aws)

    poll(NOW, [stream.pk])

    stream.refresh_from_db()
    other.refresh_from_db()
    assert stream.next_poll_at == poll_schedule.next_poll(stream, NOW)
    assert (other.next_poll_at, other.polled_at) == (None, None)


def test_a_stream_that_cannot_be_read_waits_for_its_next_turn_too(aws: Sandbox) -> None:
    stream = make_stream("missing", reference="public.ecr.aws/tests/there-is-none:1")

    poll()

    assert due_streams(NOW + timedelta(seconds=1)) == []
    stream.refresh_from_db()
    assert stream.problem is not None


def test_beat_starts_a_poll_only_when_one_is_due(aws: Sandbox, valkey: object) -> None:
    published(aws)
    assert tasks.start_due() == ["base_poll"]
    run = Run.objects.get()
    runs.execute(run.pk, "tests")

    assert tasks.start_due() == []
    assert BaseRelease.objects.count() == 2


def test_a_person_polls_what_is_not_due_yet(aws: Sandbox, valkey: object, operator: Actor) -> None:
    stream = published(aws)
    poll(clock.now())
    digest = move(aws, stream, 2)

    runs.execute(submit_poll(operator, [stream.pk]).pk, "tests")

    assert stream.releases.get(current=True).manifest_digest == digest


def test_who_asks_during_a_poll_is_told_and_served_after_it(aws: Sandbox, valkey: object, operator: Actor) -> None:
    stream = published(aws)
    poll(clock.now())
    submit_poll(SCHEDULE)

    with pytest.raises(DrydockError) as caught:
        submit_poll(operator, [stream.pk])

    assert caught.value.problem.code is Code.BUSY
    assert due_streams(clock.now()) == [stream.pk]


def test_two_pollers_at_once_store_each_release_once(aws: Sandbox) -> None:
    streams = [published(aws) for _ in range(4)]

    def work(_: int) -> list[str]:
        try:
            return poll(NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        logs = list(pool.map(work, range(3)))

    assert BaseRelease.objects.count() == 2 * len(streams)
    assert BaseRelease.objects.filter(current=True).count() == 2 * len(streams)
    assert not BaseStream.objects.filter(problem__isnull=False).exists()
    assert not [line for lines in logs for line in lines if line.startswith("warning")]


def test_a_reading_that_began_earlier_never_takes_the_place_of_a_later_one(aws: Sandbox) -> None:
    stream = published(aws)
    poll(NOW)
    newest = move(aws, stream, 3)
    poll(NOW + 2 * HOUR)
    move(aws, stream, 2)

    poll(NOW + HOUR)

    assert stream.releases.get(current=True).manifest_digest == newest
    stream.refresh_from_db()
    assert stream.polled_at == NOW + 2 * HOUR
    assert stream.releases.filter(manifest_digest=base(2).digest).exists()


def test_a_stream_that_was_changed_while_it_was_read_is_read_anew(aws: Sandbox, operator: Actor) -> None:
    first, stream = published(aws), published(aws)
    BaseStream.objects.update(own=True)

    class Editing(Lines):
        """Changes the second stream when the first has been read, which is before the second's news are stored."""

        def info(self, text: str) -> None:
            if text.startswith(first.name):
                stream.refresh_from_db()
                base_streams.edit_stream(stream, operator, platforms=["linux/arm64"])

    polls.poll(NOW, Editing())

    assert not stream.releases.exists()
    stream.refresh_from_db()
    assert (stream.tag_digest, stream.history["again"], stream.next_poll_at) == ("", True, None)


def test_a_poll_that_was_killed_keeps_what_it_stored_and_is_done_again_by_another(aws: Sandbox, valkey: object) -> None:
    first, second = published(aws), published(aws)
    run = submit_due(clock.now())
    assert run is not None

    class Killed(Exception):
        """As if the worker had died."""

    class Dying(Lines):
        def info(self, text: str) -> None:
            raise Killed(text)

    with pytest.raises(Killed):
        polls.poll(clock.now(), Dying(), [first.pk, second.pk])
    assert BaseRelease.objects.count() == 2
    assert due_streams(clock.now()) == []
    # What its run had kept by then, and what a lease of silence does.
    run.steps.filter(name="poll").update(status="running", memory={"streams": [first.pk, second.pk]})
    Run.objects.update(status=Status.RUNNING, lease_owner="dead", lease_until=NOW - HOUR, wake_at=None)

    assert runs.execute(run.pk, "another")

    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED
    assert BaseRelease.objects.filter(current=True).count() == 4


def test_a_private_base_is_read_with_the_login_of_its_account(aws: Sandbox, account: str, push: Push) -> None:
    digest = push("bases/golden", base(1), ["stable"])
    add_account(account)
    stream = make_stream("golden", reference=f"{account}.dkr.ecr.{REGION}.amazonaws.com/bases/golden:stable", own=True)

    poll()

    assert stream.releases.get().manifest_digest == digest


def test_a_base_of_an_account_we_do_not_know_is_asked_for_with_our_own_login(aws: Sandbox, account: str) -> None:
    add_account(account, "readers")
    make_stream("golden", reference=f"{int(account) ^ 1}.dkr.ecr.{REGION}.amazonaws.com/bases/golden:stable", own=True)

    poll()

    # The sandbox tells accounts by their logins alone and cannot show another's repository: the login is what counts.
    assert calls(aws, account)["ecr.GetAuthorizationToken"] == 1


def test_a_registry_that_refuses_the_login_spoils_no_other(aws: Sandbox, account: str, denied: Any) -> None:
    add_account(account)
    denied(account, "ecr:GetAuthorizationToken")
    private = make_stream("golden", reference=f"{account}.dkr.ecr.{REGION}.amazonaws.com/bases/golden:stable", own=True)
    public = published(aws)

    poll()

    private.refresh_from_db()
    assert private.problem is not None
    assert private.problem["code"] == "denied"
    assert public.releases.count() == 2
    assert Account.objects.count() == 1


def test_a_clock_that_was_years_ahead_keeps_no_stream_from_being_read_once_it_is_right(aws: Sandbox) -> None:
    stream = published(aws)
    poll(NOW + timedelta(days=4000))
    move(aws, stream, 2)

    assert due_streams(NOW) == [stream.pk]
    assert any("new releases: 1" in line for line in poll(NOW))

    stream.refresh_from_db()
    assert stream.polled_at == NOW
    assert due_streams(NOW + timedelta(minutes=10)) == []


def test_who_wants_polls_more_often_need_not_wait_for_the_next_of_the_slow_ones(settings: Settings) -> None:
    stream = make_stream(next_poll_at=NOW + timedelta(days=7))
    settings.ENV = dataclasses.replace(settings.ENV, base_poll_every=900)

    assert due_streams(NOW) == [stream.pk]


def test_what_stands_on_a_stream_switched_off_during_a_poll_is_judged_after_it(
    aws: Sandbox, valkey: object, operator: Actor
) -> None:
    stream = published(aws)
    poll(clock.now())
    release = BaseRelease.objects.filter(platform="linux/amd64").get()
    image = make_image(make_repository(make_account()), base_release=release)
    running = submit_poll(operator)
    judge_images(None)
    image.refresh_from_db()
    assert image.freshness == "current"

    base_streams.switch_stream(stream, False, operator)
    Run.objects.filter(pk=running.pk).update(status=Status.SUCCEEDED)  # its images had been judged by then

    assert tasks.start_due() == ["base_poll"]
    assert runs.execute(Run.objects.latest("pk").pk, "tests")
    image.refresh_from_db()
    assert (image.freshness, image.base_stream) == ("unknown", None)
    assert tasks.start_due() == []


class Test_a_stream_that_nobody_answers_for:
    @pytest.fixture
    def read(self, aws: Sandbox, settings: Settings) -> BaseStream:
        """One that was read at NOW, of a registry that is away since."""
        settings.ENV = dataclasses.replace(settings.ENV, base_poll_every=3600)
        stream = published(aws)
        poll(NOW, [stream.pk])
        settings.ENV = dataclasses.replace(settings.ENV, registry_mirrors={"public.ecr.aws": "http://registry.invalid"})
        return stream

    @pytest.mark.parametrize("after", [timedelta(seconds=20), HOUR, 24 * HOUR])
    def test_is_read_again_in_a_minute(self, read: BaseStream, after: timedelta) -> None:
        poll(NOW + after, [read.pk])
        read.refresh_from_db()
        assert read.next_poll_at == NOW + after + timedelta(minutes=1)

    def test_is_read_again_ever_later_as_it_lasts_until_that_is_as_often_as_any(self, read: BaseStream) -> None:
        poll(NOW + HOUR, [read.pk])
        waits = []
        for hours in (2, 3, 24):
            poll(NOW + hours * HOUR, [read.pk])
            read.refresh_from_db()
            assert read.next_poll_at is not None
            waits.append(read.next_poll_at - NOW - hours * HOUR)
        assert waits[:2] == [timedelta(minutes=20), timedelta(minutes=30)]
        assert read.next_poll_at == poll_schedule.next_poll(read, NOW + 24 * HOUR)

    def test_from_the_beginning_is_read_again_in_a_minute_too(self, settings: Settings) -> None:
        settings.ENV = dataclasses.replace(settings.ENV, registry_mirrors={"public.ecr.aws": "http://registry.invalid"})
        stream = make_stream("new", reference="public.ecr.aws/lambda/new:1", polled_at=None)
        poll(NOW, [stream.pk])
        stream.refresh_from_db()
        assert stream.next_poll_at == NOW + timedelta(minutes=1)


def test_a_stream_that_may_not_be_read_is_read_as_often_as_any(aws: Sandbox) -> None:
    stream = make_stream("gone", reference="public.ecr.aws/nobody/has:it", polled_at=NOW - HOUR)
    poll(NOW, [stream.pk])
    stream.refresh_from_db()
    assert stream.next_poll_at == poll_schedule.next_poll(stream, NOW)
