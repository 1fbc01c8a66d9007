"""What issue 4's runs do when their worker is killed in the middle: real workers, a real beat, a real kill -9."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from functions_app import clock, runlog
from functions_app.domain.runs import Status
from functions_app.models import BaseRelease, BaseStream, Image, LayerFiles, LifecycleForecast, Run
from functions_app.services.bases import polls
from functions_app.services.bases.poll_schedule import submit_poll
from functions_app.services.bases.streams import seed_streams
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.engine import runs
from functions_app.services.images import files, forecasts
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.snapshot.endangered_images import dangers
from functions_app.services.sync import run as sync
from sandbox.images.making import make_image as build_image
from sandbox.images.making import make_layer
from tests.factories import make_account, make_alias, make_function, make_image, make_repository, make_version
from tests.fixtures import Sandbox
from tests.processes import Process, beat, eventually, worker
from tests.publishing import NOW, app, base, dated, publish, unique_repository
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Between
from tests.services.changes.stage import log_of, make_stage
from tests.services.changes.test_deploy_survives import Held, ended
from tests.services.images.test_forecasts import START, keep, put_policy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


@pytest.fixture
def between(aws: Sandbox) -> Iterator[Between]:
    """All calls of the workers, to AWS and to registries, pass through it."""
    proxy = Between(aws.url)
    yield proxy
    proxy.close()


@pytest.fixture
def environment(process_environment: dict[str, str], between: Between) -> dict[str, str]:
    """Of workers with the product's own runs and a short lease."""
    mirrors = f"*.amazonaws.com={between.url},public.ecr.aws={between.url}"
    outside = {"AWS_ENDPOINT_URL": between.url, "DRYDOCK_REGISTRY_MIRRORS": mirrors}
    return {**process_environment, **outside, "PROCESS_SETTINGS": "tests.survive_settings"}


@contextmanager
def another(environment: dict[str, str], tmp_path: Path) -> Iterator[Process]:
    """A second worker, and a beat that finds what the first one left. Before, it would start runs of its own."""
    with worker(environment, tmp_path, "two") as process, beat(environment, tmp_path):
        yield process


def assert_taken_over(run: Run) -> None:
    """It ended as if nothing had happened, and its log has neither gap nor double."""
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert any("another takes it over" in line for line in log_of(run))
    assert [line.sequence for line in runlog.read(run.pk, limit=10_000)] == list(range(1, run.line_count + 1))


class Test_a_worker_killed:
    def test_between_two_streams_has_its_poll_ended_and_its_images_judged_by_another(
        self, environment: dict[str, str], tmp_path: Path, aws: Sandbox, between: Between
    ) -> None:
        repositories = [unique_repository(), unique_repository()]
        for repository in repositories:
            for number in (1, 2):
                image = base(number, name=repository)
                publish(aws, repository, image, [dated("3.12", image), "3.12"])
        seed_streams([f"public.ecr.aws/{repository}:3.12" for repository in repositories])
        account = make_account()
        ours = make_image(make_repository(account), diff_ids=list(app(base(1, name=repositories[0])).diff_ids))
        function = make_function(account)
        make_version(function, 1, ours)
        make_alias(function, "live", 1)
        held = Held(between, f"GET /v2/{repositories[1]}/blobs/{base(2, name=repositories[1]).config.digest}")
        with worker(environment, tmp_path, "one") as first:
            run = submit_poll(SCHEDULE)
            eventually(held.arrived.is_set, "the second stream is being read")
            eventually(lambda: BaseRelease.objects.count() == 2, "the first stream is stored")
            first.kill()
        with another(environment, tmp_path):
            eventually(lambda: ended(run), "the run has ended")
        held.go.set()
        assert_taken_over(run)
        releases = BaseRelease.objects.filter(stream__in=run.steps.get(name="poll").memory["streams"])
        assert (releases.filter(current=True).count(), releases.count()) == (2, 4)
        function.refresh_from_db()
        assert (function.freshness, function.releases_behind) == ("stale", 1)

    def test_while_it_reads_layers_is_followed_by_another_that_reads_only_those_left(
        self, environment: dict[str, str], tmp_path: Path, aws: Sandbox, between: Between, operator: Actor
    ) -> None:
        repository = unique_repository()
        layers = [make_layer({"etc/name": f"{repository} {number}".encode()}) for number in range(3)]
        publish(aws, repository, build_image(layers, created=NOW), ["3.12"])
        seed_streams([f"public.ecr.aws/{repository}:3.12"])
        polls.poll(clock.now(), Quiet())
        release = BaseRelease.objects.get()
        blobs = [f"GET /v2/{repository}/blobs/{layer['digest']}" for layer in release.layers]
        held = Held(between, blobs[2])
        with worker(environment, tmp_path, "one") as first:
            run = files.submit_for_releases([release.pk], operator)
            eventually(held.arrived.is_set, "the last layer is being read")
            eventually(lambda: LayerFiles.objects.count() == 2, "the others are stored")
            first.kill()
        with another(environment, tmp_path):
            eventually(lambda: ended(run), "the run has ended")
        held.go.set()
        assert_taken_over(run)
        assert [between.seen.count(blob) for blob in blobs] == [1, 1, 2]
        assert LayerFiles.objects.filter(diff_id__in=release.diff_ids, problem__isnull=True).count() == 3

    def test_between_the_start_of_a_preview_and_its_reading_has_the_forecast_read_by_another(
        self, environment: dict[str, str], tmp_path: Path, between: Between, functions: Functions, operator: Actor
    ) -> None:
        stage = make_stage(functions, operator)
        stage.push("two", "2")
        stage.sync_all()
        put_policy(stage, keep(1))
        held = Held(between, START)
        with worker(environment, tmp_path, "one") as first:
            run = forecasts.submit(SCHEDULE)
            eventually(held.arrived.is_set, "ECR has begun its preview")
            first.kill()
        with another(environment, tmp_path):
            eventually(lambda: ended(run), "the run has ended")
        held.go.set()
        assert_taken_over(run)
        assert len(LifecycleForecast.objects.get().expiring) == 1
        assert len(dangers()) == 2


class Quiet:
    """A log that nobody reads."""

    def info(self, text: str) -> None:
        """Not kept."""

    warning = info


def dead(run: Run, step: str, before: list[str]) -> None:
    """What a worker leaves behind that was killed in this step of a run, after a lease of silence."""
    run.steps.filter(name__in=before).update(status="done")
    run.steps.filter(name=step).update(status="running")
    gone = clock.now() - timedelta(minutes=1)
    Run.objects.filter(pk=run.pk).update(
        status=Status.RUNNING, started_at=gone, lease_owner="dead", lease_until=gone, wake_at=None
    )


@pytest.mark.usefixtures("valkey")
class Test_whoever_takes_over:
    def test_a_judging_summarises_the_functions_whose_verdicts_were_stored_before(self) -> None:
        account = make_account()
        function = make_function(account)
        make_version(function, 1, make_image(make_repository(account), diff_ids=["sha256:" + "1" * 64]))
        make_alias(function, "live", 1)
        run = submit_poll(SCHEDULE, [])
        BaseStream.objects.create(name="golden", reference="public.ecr.aws/golden:1")
        judge_images(None, refresh=False)
        dead(run, "judge", ["poll"])

        assert runs.execute(run.pk, "another")

        function.refresh_from_db()
        assert function.alias_chips[0]["reason"] == Image.objects.get().freshness_reason != ""

    def test_a_sync_judges_images_that_were_read_before(self) -> None:
        image = make_image(make_repository(make_account()), inspected_at=None, base_tier="unknown")
        judge_images(None, refresh=False)
        image.refresh_from_db()
        unread = image.freshness_reason
        run = sync.submit(SCHEDULE)
        Image.objects.update(inspected_at=clock.now())
        Run.objects.filter(pk=run.pk).update(result={"scopes": {"read": 1, "failed": 0}})
        dead(run, "judge", ["read"])

        assert runs.execute(run.pk, "another")

        image.refresh_from_db()
        assert image.freshness_reason != unread
