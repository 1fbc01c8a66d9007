"""A push that ECR tells of reaches the verdicts at once: through EventBridge, an SQS queue, a poll and a judgement."""

from collections.abc import Callable
from typing import Any

import pytest

from functions_app import tasks
from functions_app.domain.errors import DrydockError
from functions_app.domain.runs import Status
from functions_app.models import Account, BaseStream, Function, Image, Repository, Run
from functions_app.services.bases import polls, streams
from functions_app.services.bases.poll_schedule import due_streams, make_due, submit_poll
from functions_app.services.engine import runs
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.sync import events as registry_events
from sandbox.images.making import Image as Built
from tests.factories import make_alias, make_function, make_image, make_repository, make_stream, make_version
from tests.fixtures import ClientFactory, Push
from tests.publishing import app, base
from tests.services.sync.events_stage import GOLDEN, Events, host, pushed

pytestmark = pytest.mark.django_db(transaction=True)


def golden(account: Account, actor: Actor) -> BaseStream:
    """The stream of the company's base, read once."""
    stream = streams.add_stream(f"{host(account)}/{GOLDEN}:stable", [], actor)
    execute(Run.objects.latest("pk"))
    return stream


def execute(run: Run) -> Run:
    runs.execute(run.pk, "tests")
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED, run.problem
    return run


def function_on(account: Account, image: Built) -> Function:
    """A function whose alias runs an image that is built on a base."""
    function = make_function(account)
    row = make_image(make_repository(account, "team/app"), diff_ids=list(app(image).diff_ids))
    make_version(function, 1, row)
    make_alias(function, "live", 1)
    return function


def test_a_pushed_golden_image_makes_the_functions_on_the_old_one_stale(
    ours: Account, events: Events, push: Push, operator: Actor
) -> None:
    push(GOLDEN, base(1), ["stable", "1.0.0"])
    stream = golden(ours, operator)
    function = function_on(ours, base(1))
    execute(submit_poll(SCHEDULE))
    function.refresh_from_db()
    assert function.freshness == "current"
    events.receive(2)
    execute(Run.objects.latest("pk"))

    push(GOLDEN, base(2), ["stable"])
    assert events.receive(1) == registry_events.Received(handled=1)
    execute(Run.objects.latest("pk"))

    current = stream.releases.get(current=True)
    assert current.manifest_digest == base(2).digest
    assert [layer["size"] > 0 for layer in current.layers] == [True, True]
    assert stream.releases.exclude(pk=current.pk).get().tag == "1.0.0"
    function.refresh_from_db()
    assert (function.freshness, function.base_name) == ("stale", stream.name)
    assert events.left() == 0


def test_a_push_reaches_a_stream_that_was_added_by_another_name_of_its_registry(
    ours: Account, push: Push, operator: Actor
) -> None:
    push(GOLDEN, base(1), ["stable"])
    dual_stack = host(ours).replace(".dkr.ecr.", ".dkr-ecr.").replace(".amazonaws.com", ".on.aws")
    stream = streams.add_stream(f"{dual_stack}/{GOLDEN}:stable", [], operator)
    execute(Run.objects.latest("pk"))

    told = registry_events.handle(pushed(ours))

    assert f"{stream.name} is polled by run {Run.objects.latest('pk').pk}" in told


def test_only_the_stream_that_was_pushed_to_is_polled(ours: Account, push: Push, operator: Actor) -> None:
    push(GOLDEN, base(1), ["stable"])
    stream = golden(ours, operator)
    make_stream("python:3.12", next_poll_at=None)

    told = registry_events.handle(pushed(ours))

    run = Run.objects.latest("pk")
    assert f"polled by run {run.pk}" in told
    assert run.plan == {"streams": [stream.pk]}
    assert run.title == f"Poll {stream.name}"


def test_a_push_during_a_poll_is_polled_after_it(ours: Account, push: Push, operator: Actor) -> None:
    push(GOLDEN, base(1), ["stable"])
    stream = golden(ours, operator)
    running = submit_poll(operator)

    told = registry_events.handle(pushed(ours))

    assert "when the poll under way has ended" in told
    assert tasks.start_due() == []
    Run.objects.filter(pk=running.pk).update(status=Status.SUCCEEDED)
    assert tasks.start_due() == ["base_poll"]
    execute(Run.objects.latest("pk"))
    assert due_streams(running.created_at) == []
    stream.refresh_from_db()
    assert stream.next_poll_at is not None


def test_a_flood_of_events_makes_no_flood_of_polls_and_loses_none(ours: Account, push: Push, operator: Actor) -> None:
    push(GOLDEN, base(1), ["stable"])
    stream = golden(ours, operator)

    for _ in range(registry_events.POLLS):
        registry_events.handle(pushed(ours))
        execute(Run.objects.latest("pk"))
    before = Run.objects.count()
    told = registry_events.handle(pushed(ours))

    stream.refresh_from_db()
    assert "within a minute" in told
    assert Run.objects.count() == before
    assert tasks.start_due() == []
    assert stream.next_poll_at is not None
    assert due_streams(stream.next_poll_at) == [stream.pk]
    assert stream.next_poll_at <= Run.objects.latest("pk").created_at + 2 * registry_events.PER


def test_a_push_told_of_while_its_stream_is_being_read_is_read_once_more(
    ours: Account, push: Push, operator: Actor
) -> None:
    push(GOLDEN, base(1), ["stable"])
    stream = golden(ours, operator)
    polls.poll(Run.objects.latest("pk").created_at, Telling(lambda: make_due([stream.pk])))

    stream.refresh_from_db()
    assert stream.next_poll_at is None


class Telling:
    """A log that does something when the first line is told, in the middle of a poll."""

    def __init__(self, do: Callable[[], object]) -> None:
        self.do = do

    def info(self, text: str) -> None:
        """Do it."""
        del text
        self.do()

    warning = info


def test_the_same_event_twice_and_an_old_one_change_nothing(ours: Account, push: Push, operator: Actor) -> None:
    push(GOLDEN, base(1), ["stable"])
    stream = golden(ours, operator)
    registry_events.handle(pushed(ours))
    execute(Run.objects.latest("pk"))
    registry_events.handle(pushed(ours))
    execute(Run.objects.latest("pk"))
    registry_events.handle(pushed(ours, **{"image-digest": base(7).digest}))
    execute(Run.objects.latest("pk"))

    assert stream.releases.get().manifest_digest == base(1).digest


def test_a_push_to_a_stream_that_is_switched_off_starts_nothing(ours: Account, operator: Actor) -> None:
    stream = make_stream(GOLDEN, reference=f"{host(ours)}/{GOLDEN}:stable", enabled=False)

    assert "nobody here watches it" in registry_events.handle(pushed(ours))
    assert not Run.objects.exists()
    assert stream.releases.count() == 0


def test_a_push_to_a_repository_we_know_has_it_read_and_its_tags_moved(ours: Account, push: Push) -> None:
    push("team/app", base(1), ["v1"])
    repository = make_repository(ours, "team/app", gone_at=None)
    registry_events.handle(pushed(ours, "team/app", "v1"))

    assert tasks.start_due() == ["base_poll", "repositories"]
    execute(Run.objects.get(lock="repositories"))

    repository.refresh_from_db()
    assert (repository.asked_at, repository.images_synced_at is not None) == (None, True)
    assert Image.objects.get().digest == base(1).digest
    assert [tag.name for tag in repository.tags.all()] == ["v1"]


def test_many_pushes_make_one_reading_of_their_repository(ours: Account, push: Push) -> None:
    push("team/app", base(1), ["v1"])
    make_repository(ours, "team/app")
    make_stream()
    for number in range(20):
        registry_events.handle(pushed(ours, "team/app", f"v{number}"))
    tasks.start_due()
    tasks.start_due()

    run = Run.objects.get(lock="repositories")
    assert len(run.plan["repositories"]) == 1
    assert run.title == "Read team/app after an event"


def test_a_repository_that_cannot_be_read_is_left_to_the_next_sync(ours: Account, denied: Any, push: Push) -> None:
    push("team/app", base(1), ["v1"])
    make_repository(ours, "team/app")
    denied(ours.account_id, "ecr:DescribeImages")
    registry_events.handle(pushed(ours, "team/app", "v1"))
    tasks.start_due()
    run = Run.objects.get(lock="repositories")
    runs.execute(run.pk, "tests")

    assert any("ecr:DescribeImages" in line.text for line in run.lines.all())
    assert not Repository.objects.filter(asked_at__isnull=False).exists()


def test_a_deleted_image_is_seen_as_gone(ours: Account, events: Events, push: Push, client: ClientFactory) -> None:
    push("team/app", base(1), ["v1"])
    make_repository(ours, "team/app")
    make_stream()
    events.receive(1)
    tasks.start_due()
    execute(Run.objects.get(lock="repositories"))

    client("ecr").batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": base(1).digest}])
    events.receive(1)
    tasks.start_due()
    execute(Run.objects.filter(lock="repositories").latest("pk"))

    assert Image.objects.get().gone_at is not None


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"source": "aws.s3", "detail-type": "Object Created"}, "nothing to do"),
        ({"source": "aws.ecr", "detail-type": "ECR Referrer Action"}, "nothing to do"),
    ],
)
def test_events_of_others_are_let_pass(db: None, event: dict[str, Any], told: str) -> None:
    assert told in registry_events.handle(event)


def test_a_scan_is_left_to_the_next_sync(ours: Account) -> None:
    detail = {"scan-status": "COMPLETE", "repository-name": "team/app", "image-tags": ["v1"]}
    event = {**pushed(ours), "detail-type": "ECR Image Scan", "detail": detail}

    assert "the next sync reads what the scan found" in registry_events.handle(event)
    assert not Run.objects.exists()


def test_an_event_that_only_looks_like_one_is_refused(db: None) -> None:
    with pytest.raises(DrydockError):
        registry_events.handle({"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": {}})
