"""Releases whose builds tell no time, the same for ever, or one that cannot be: ordered and aged by when they came."""

import importlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps

from functions_app.models import BaseRelease, Image
from functions_app.services.bases.verdicts import judge_images
from sandbox.images.making import Image as Built
from sandbox.images.making import make_image
from tests.factories import digest, make_account, make_release, make_repository, make_stream
from tests.factories import make_image as make_row
from tests.fixtures import Sandbox
from tests.publishing import NOW, base
from tests.services.bases.base_stage import Company

pytestmark = [pytest.mark.django_db, pytest.mark.shows_dates]
DAY = timedelta(days=1)
EPOCHS = {
    "no time": None,
    "fixed": datetime(2024, 1, 1, tzinfo=UTC),
    "1970": datetime(1970, 1, 1, tzinfo=UTC),
    "1980": datetime(1980, 1, 1, tzinfo=UTC),
    "to come": datetime(2030, 1, 1, tzinfo=UTC),
}
every_epoch = pytest.mark.parametrize("built", EPOCHS.values(), ids=EPOCHS)


def rebuilt(number: int, built: datetime | None) -> Built:
    """Release `number` of a base whose build tells this time."""
    return make_image(base(number).layers, created=built)


def ordered(company: Company) -> list[str]:
    """The tags of its releases, the oldest first."""
    return [row.tag for row in company.stream.releases.order_by("created_at")]


@every_epoch
def test_no_stream_is_refused_and_its_releases_come_when_they_are_seen(aws: Sandbox, built: datetime | None) -> None:
    company = Company(aws)
    for number, at in enumerate((NOW - 30 * DAY, NOW - 9 * DAY, NOW), 1):
        company.publish(rebuilt(number, built), f"1.{number}.0")
        company.poll(at)

    rows = list(company.stream.releases.order_by("created_at"))
    assert company.stream.problem is None
    assert [(row.tag, row.created_at, row.built) for row in rows] == [
        ("1.1.0", NOW - 30 * DAY, None), ("1.2.0", NOW - 9 * DAY, None), ("1.3.0", NOW, None),
    ]  # fmt: skip


@every_epoch
def test_the_history_of_a_first_poll_is_ordered_by_its_tags(aws: Sandbox, built: datetime | None) -> None:
    company = Company(aws)
    for number in range(1, 5):
        company.publish(rebuilt(number, built), f"1.{number}.0")

    company.poll()

    assert ordered(company) == ["1.1.0", "1.2.0", "1.3.0", "1.4.0"]


@every_epoch
def test_an_image_on_such_a_base_is_stale_since_the_next_one_came(aws: Sandbox, built: datetime | None) -> None:
    company = Company(aws)
    company.publish(rebuilt(1, built), "1.1.0")
    company.poll(NOW - 30 * DAY)
    company.publish(rebuilt(2, built), "1.2.0")
    company.poll(NOW - 9 * DAY)
    row = make_row(make_repository(make_account()), diff_ids=[*base(1).diff_ids, digest("own")])

    judge_images(now=NOW, refresh=False)

    row.refresh_from_db()
    assert (row.freshness, row.releases_behind, row.stale_since) == ("stale", 1, NOW - 9 * DAY)


def test_a_release_that_was_built_before_the_one_it_follows_withdraws_nothing(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(base(3), "1.1.0")
    company.poll(NOW - 9 * DAY)
    company.publish(base(2), "1.2.0")
    company.poll(NOW)
    row = make_row(make_repository(make_account()), diff_ids=[*base(3).diff_ids, digest("own")])

    judge_images(now=NOW, refresh=False)

    row.refresh_from_db()
    assert (row.freshness, row.releases_behind, row.stale_since) == ("stale", 1, NOW)
    assert "withdrawn" not in row.freshness_reason


def test_a_build_that_tells_a_time_that_can_be_is_as_old_as_it_says(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(base(1), "1.1.0")
    company.poll()

    row = company.stream.releases.get()
    assert row.built == row.created_at == base(1).created


@every_epoch
def test_in_a_repository_that_is_synced_ecr_tells_when_it_was_pushed(aws: Sandbox, built: datetime | None) -> None:
    company = Company(aws)
    for number in (1, 2):
        company.publish(rebuilt(number, built), f"1.{number}.0")
    repository = make_repository(make_account(), uri=f"public.ecr.aws/{company.repository}")
    for number, days in ((1, 40), (2, 20)):
        make_row(repository, pushed_at=NOW - days * DAY)
        Image.objects.filter(pk=Image.objects.latest("pk").pk).update(digest=rebuilt(number, built).digest)

    company.poll()

    assert list(company.stream.releases.order_by("created_at").values_list("tag", "created_at")) == [
        ("1.1.0", NOW - 40 * DAY), ("1.2.0", NOW - 20 * DAY),
    ]  # fmt: skip


def upgrade() -> Any:
    """The migration."""
    return importlib.import_module("functions_app.migrations.0009_releases_by_when_they_came")


@pytest.fixture
def kept() -> list[BaseRelease]:
    """Releases as an older Drydock kept them, each first seen a day after the one before."""
    stream = make_stream("acme/golden:1", own=True, runtime="")
    times = [NOW - 40 * DAY, EPOCHS["1980"], EPOCHS["fixed"], EPOCHS["fixed"], EPOCHS["to come"]]
    rows = [make_release(stream, f"1.{number}", current=number == 4) for number in range(len(times))]
    for number, (row, at) in enumerate(zip(rows, times, strict=True)):
        BaseRelease.objects.filter(pk=row.pk).update(
            created_at=at, first_seen_at=NOW - (30 - number) * DAY, built_at=None
        )
    return rows


def test_an_upgrade_gives_platforms_their_usual_names() -> None:
    stream = make_stream("acme/golden:1", own=True, runtime="", platforms=["linux/arm64/8", "linux/arm64"])
    rows = [make_release(stream, f"1.{number}") for number in range(2)]
    for row, platform in zip(rows, ("linux/arm64/8", "linux/x86_64"), strict=True):
        BaseRelease.objects.filter(pk=row.pk).update(platform=platform)
    BaseRelease.objects.create(
        stream=stream, platform="linux/arm64", chain_id="sha256:other", diff_ids=[], created_at=NOW, first_seen_at=NOW
    )

    upgrade().name_platforms_anew(apps, None)

    assert sorted(stream.releases.values_list("platform", flat=True)) == ["linux/amd64", "linux/arm64", "linux/arm64"]
    stream.refresh_from_db()
    assert stream.platforms == ["linux/arm64"]


def test_an_upgrade_dates_what_was_kept(kept: list[BaseRelease]) -> None:
    upgrade().date_anew(apps, None)

    rows = list(BaseRelease.objects.order_by("created_at"))
    assert [row.tag for row in rows] == ["1.0", "1.1", "1.2", "1.3", "1.4"]
    assert rows[0].built == rows[0].created_at == NOW - 40 * DAY
    assert [row.built for row in rows[1:]] == [None] * 4
    assert all(abs(row.created_at - row.first_seen_at) < timedelta(seconds=1) for row in rows[1:])
