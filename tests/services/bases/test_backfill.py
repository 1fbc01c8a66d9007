"""A stream's history is read as deep as its tags go, some at each poll, and first where an image claims or suggests."""

from datetime import timedelta
from typing import Any

import pytest

from functions_app.domain.bases.claims import BASE_NAME
from functions_app.domain.bases.history import Progress
from functions_app.models import BaseStream, Image
from functions_app.services.bases.stream_reading import BACKFILL
from functions_app.services.bases.streams import edit_stream
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.people.actor import Actor
from tests.factories import digest, make_account, make_image, make_repository
from tests.fixtures import Sandbox, Throttle
from tests.publishing import NOW, base, base_index, dated
from tests.services.bases.base_stage import Company

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DEEP = 26  # releases: the oldest is 25 behind


def days_old(number: int) -> int:
    return 10 * (DEEP - number)


def released(aws: Sandbox, count: int = DEEP) -> Company:
    """A stream 3.12 with so many releases, each with a dated tag."""
    company = Company(aws, "3.12", runtime="python", runtime_version="3.12", own=False)
    for number in range(1, count + 1):
        image = base(number, days_old=days_old(number))
        company.publish(image, dated("3.12", image))
    return company


def tags(company: Company) -> list[str]:
    return sorted(company.stream.releases.values_list("tag", flat=True))


def oldest() -> str:
    return dated("3.12", base(1, days_old=days_old(1)))


def app_on_the_oldest(**values: Any) -> Image:
    layers = [*base(1, days_old=days_old(1)).diff_ids, digest("own")]
    built = NOW - timedelta(days=days_old(1) - 2)
    return make_image(make_repository(make_account()), diff_ids=layers, created_at=built, pushed_at=built, **values)


def test_what_is_25_releases_back_is_known_after_some_polls(aws: Sandbox) -> None:
    company = released(aws)
    image = app_on_the_oldest()

    lines = company.poll()
    assert lines[-1] == f"{company.stream.name}: earlier releases: {BACKFILL - 1}; tags left for later polls: 6"
    company.poll(NOW + HOUR)

    assert company.stream.releases.count() == DEEP
    judge_images(now=NOW + HOUR, refresh=False)
    image.refresh_from_db()
    assert (image.base_tier, image.freshness, image.releases_behind) == ("exact", "stale", 25)


def test_a_history_that_was_read_to_its_end_costs_nothing_more(aws: Sandbox) -> None:
    company = released(aws, 4)
    company.poll()
    aws.admin("DELETE", "calls")

    company.poll(NOW + HOUR)

    assert aws.admin("GET", "calls?account=public") == {"registry.HeadManifest": 1}


def test_a_release_that_an_image_claims_by_its_tag_is_looked_up_first(aws: Sandbox) -> None:
    company = released(aws)
    image = app_on_the_oldest(annotations={BASE_NAME: f"public.ecr.aws/{company.repository}:{oldest()}-x86_64"})

    company.poll()
    judge_images(now=NOW, refresh=False)

    assert oldest() in tags(company)
    image.refresh_from_db()
    assert image.base_tier == "exact"


def test_a_release_that_an_image_suggests_by_when_it_was_built_is_looked_up_first(aws: Sandbox) -> None:
    company = released(aws)
    settings = {"entrypoint": ["/lambda-entrypoint.sh"], "env_keys": ["LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"]}
    steps = [{"created_by": "RUN /bin/sh -c pip3.12 install # python3.12", "empty_layer": False}]
    image = app_on_the_oldest(base_tier="heuristic", settings=settings, history=steps)

    company.poll()
    judge_images(now=NOW, refresh=False)

    image.refresh_from_db()
    assert (image.base_tier, image.releases_behind) == ("exact", BACKFILL - 1)  # those between are read later


@pytest.mark.parametrize("claimed", ["3.12.2020.01.01.01", "3.12.1999.99.99"])
def test_a_claim_of_a_tag_that_there_is_not_is_looked_up_once(aws: Sandbox, claimed: str) -> None:
    company = released(aws, 2)
    app_on_the_oldest(annotations={BASE_NAME: f"public.ecr.aws/{company.repository}:{claimed}"})
    company.poll()
    aws.admin("DELETE", "calls")

    company.poll(NOW + HOUR)

    assert aws.admin("GET", "calls?account=public") == {"registry.HeadManifest": 1}
    assert company.stream.history["missing"] == [claimed]


def test_a_release_out_of_anybodys_digest_is_never_made_one_of_a_stream(aws: Sandbox) -> None:
    company = released(aws, 2)
    foreign = company.publish_only(base(9, name="foreign"), "another-thing")
    app_on_the_oldest(annotations={BASE_NAME: f"public.ecr.aws/{company.repository}:3.12@{foreign}"})

    company.poll()

    assert not company.stream.releases.filter(manifest_digest=foreign).exists()


def test_releases_that_come_meanwhile_are_read_before_the_old_ones_go_on(aws: Sandbox) -> None:
    company = released(aws)
    company.poll()
    image = base(DEEP + 1, days_old=-1)
    company.publish_only(image, dated("3.12", image))
    newer = base(DEEP + 2, days_old=-2)
    company.publish(newer, dated("3.12", newer))

    company.poll(NOW + HOUR)

    assert company.stream.releases.count() == DEEP + 2
    progress = Progress.from_json(company.stream.history)
    assert (progress.done, progress.fitting) == (True, DEEP + 2)


def test_where_a_poll_breaks_off_the_next_one_goes_on(aws: Sandbox, throttle: Throttle) -> None:
    company = released(aws, 8)
    throttle(0.001, 9, retry_after=3600)  # HEAD and GET of the moving tag, then of three that are dated

    company.poll()
    read = tags(company)
    throttle(1000, 1000)
    aws.admin("DELETE", "calls")
    company.poll(NOW + HOUR)

    assert 2 < len(read) < 8
    assert company.stream.releases.count() == 8
    assert company.stream.problem is None
    # The moving tag's HEAD, and of each tag that was left its HEAD and GET.
    assert aws.admin("GET", "calls?account=public")["registry.GetManifest"] == 8 - len(read)


def test_a_platform_that_is_added_gets_all_of_a_deep_history(aws: Sandbox, operator: Actor) -> None:
    company = Company(aws, "1", platforms=["linux/amd64"])
    for number in range(1, DEEP + 1):
        company.publish(base_index(number, days_old=days_old(number)), f"1.{number}")
    company.poll()
    company.poll(NOW + HOUR)

    edit_stream(company.stream, operator, platforms=["linux/amd64", "linux/arm64"])
    company.poll(NOW + 2 * HOUR)
    company.poll(NOW + 3 * HOUR)

    assert company.stream.releases.filter(platform="linux/arm64").count() == DEEP
    assert BaseStream.objects.get().history["again"] is False
