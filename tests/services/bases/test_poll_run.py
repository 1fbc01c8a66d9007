"""The run that polls the base streams, from its start to what the functions list shows."""

import pytest
from django.test import Client

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Status
from functions_app.models import BaseStream, FreshnessDay, LogLine
from functions_app.services.bases.poll_schedule import submit_poll
from functions_app.services.bases.runtime_facts import lambda_references
from functions_app.services.bases.streams import seed_streams
from functions_app.services.engine import runs
from functions_app.services.people.actor import SCHEDULE, Actor
from tests.conftest import Valkey
from tests.factories import make_account, make_alias, make_function, make_image, make_repository, make_version
from tests.fixtures import Sandbox
from tests.publishing import app, base, dated, publish, unique_repository

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_poll_run_reads_streams_judges_images_and_renews_what_functions_show(aws: Sandbox, valkey: Valkey) -> None:
    repository = unique_repository()
    for number in (1, 2):
        publish(aws, repository, base(number), [dated("3.12", base(number)), "3.12"])
    seed_streams([f"public.ecr.aws/{repository}:3.12", "public.ecr.aws/tests/there-is-none:1"])
    account = make_account()
    image = make_image(make_repository(account), diff_ids=list(app(base(1)).diff_ids))
    function = make_function(account)
    make_version(function, 1, image)
    make_alias(function, "live", 1)

    run = submit_poll(SCHEDULE)
    assert runs.execute(run.pk, "tests")

    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED
    assert [step.note for step in run.steps.all()] == [
        "streams with news: 1; not readable: 1",
        "images with another verdict: 1",
    ]
    assert run.result["streams"] == {"read": 1, "changed": 1, "unread": 1, "partly": 0}
    assert run.result["images_changed"] == 1
    lines = LogLine.objects.filter(run=run).values_list("text", flat=True)
    assert any(
        f"{repository}:3.12: new releases: 1; platforms whose current release changed: 1" in line for line in lines
    )
    assert any(f"{repository}:3.12: earlier releases: 1" in line for line in lines)
    function.refresh_from_db()
    assert (function.freshness, function.releases_behind) == ("stale", 1)
    assert function.base_name == f"{repository}:3.12"


def test_only_one_poll_is_under_way_at_a_time(valkey: Valkey) -> None:
    submit_poll(SCHEDULE)

    with pytest.raises(DrydockError) as caught:
        submit_poll(SCHEDULE)

    assert caught.value.problem.code is Code.BUSY


def test_the_first_poll_of_an_installation_watches_all_of_lambdas_bases(aws: Sandbox, valkey: Valkey) -> None:
    run = submit_poll(SCHEDULE)
    while runs.execute(run.pk, "tests"):
        pass

    assert set(BaseStream.objects.values_list("reference", flat=True)) == set(lambda_references())


def test_a_poll_that_could_read_no_stream_at_all_has_failed_after_it_judged(aws: Sandbox, valkey: Valkey) -> None:
    seed_streams([f"public.ecr.aws/tests/there-is-none:{number}" for number in (1, 2)])

    run = submit_poll(SCHEDULE)
    assert runs.execute(run.pk, "tests")

    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert "None of the 2 base images could be read." in (run.problem or {})["message"]
    assert run.result["streams"]["unread"] == 2
    assert run.result["images_changed"] == 0
    assert FreshnessDay.objects.count() == 0  # no account, but the day's count was made
    assert [step.status for step in run.steps.all()] == ["done", "failed"]


def test_a_poll_that_could_read_some_streams_tells_at_its_end_how_many_it_could_not(
    aws: Sandbox, valkey: Valkey, viewer: Actor
) -> None:
    repository = unique_repository()
    publish(aws, repository, base(1), ["3.12"])
    seed_streams([f"public.ecr.aws/{repository}:3.12", "public.ecr.aws/tests/there-is-none:1"])

    run = submit_poll(SCHEDULE)
    assert runs.execute(run.pk, "tests")

    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED
    assert run.result["warnings"] == ["1 of 2 base images could not be read: what is new of them is not known."]
    client = Client()
    assert viewer.person is not None
    client.force_login(viewer.person)
    page = client.get(f"/runs/{run.pk}/").content.decode()
    assert "<dt>Base streams not read</dt><dd>1</dd>" in page
    assert "Succeeded with warnings." in page
    assert "1 of 2 base images could not be read" in client.get("/runs/?by=schedule").content.decode()
