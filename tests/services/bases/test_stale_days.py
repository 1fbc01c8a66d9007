"""Every stale standing has a day from which it is stale, so that policies can count: polled, judged, overdue."""

from datetime import date, datetime, timedelta

import pytest

from functions_app.domain.bases.overdue_policies import Policy, overdue_on
from functions_app.models import Image
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.snapshot.overdue import lateness_of
from sandbox.images.making import make_image
from tests.factories import digest, make_account, make_repository
from tests.factories import make_image as make_row
from tests.fixtures import Sandbox
from tests.publishing import NOW, base
from tests.services.bases.base_stage import Company

pytestmark = [pytest.mark.django_db, pytest.mark.shows_dates]
A_WEEK = Policy(None, "", "", 7, None)


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def image_on(number: int) -> Image:
    """An image with a layer of its own on release `number`, judged now."""
    row = make_row(make_repository(make_account()), diff_ids=[*base(number).diff_ids, digest("own")])
    judge_images(now=NOW, refresh=False)
    row.refresh_from_db()
    return row


def overdue(image: Image) -> date | None:
    return overdue_on(lateness_of(image), A_WEEK)


def test_what_was_withdrawn_is_overdue_so_long_after_the_tag_went_back(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(base(1), "1.1.0")
    company.poll(ago(85))
    company.publish(base(2), "1.2.0")
    company.poll(ago(75))
    company.publish(base(1))
    company.poll(ago(60))
    company.poll()

    image = image_on(2)

    assert (image.freshness, image.stale_since, image.days_behind) == ("stale", ago(60), 60)
    assert overdue(image) == ago(53).date()


def test_a_release_that_says_2030_is_overdue_like_any_other(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(make_image(base(1).layers, created=datetime.fromisoformat("2030-01-01T00:00Z")), "1.1.0")
    company.poll(ago(85))
    company.publish(base(2), "1.2.0")
    company.poll(ago(75))

    image = image_on(1)

    assert (image.freshness, image.releases_behind, image.stale_since) == ("stale", 1, base(2).created)
    assert overdue(image) == ago(80 - 7).date()


def test_layers_released_again_are_late_since_they_were_left_for_the_last_time(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(base(1), "1.1.0")
    company.poll(ago(85))
    company.publish(base(2), "1.2.0")
    company.poll(ago(75))
    company.publish(make_image(base(1).layers, created=ago(73)), "1.3.0")
    company.poll(ago(72))
    company.publish(base(3), "1.4.0")
    company.poll(ago(65))

    image = image_on(1)

    assert (image.releases_behind, image.stale_since) == (1, base(3).created)


def test_what_came_back_and_was_left_before_anybody_looked_is_late_since_it_was_seen_to_be(aws: Sandbox) -> None:
    company = Company(aws)
    for number, days in ((1, 85), (2, 75), (1, 62), (3, 60)):
        company.publish(base(number))
        company.poll(ago(days))

    assert image_on(1).stale_since == ago(60)


def test_nothing_is_current_by_a_stream_that_was_unreadable_for_90_days(aws: Sandbox) -> None:
    company = Company(aws)
    digest_of_it = company.publish(base(1), "1.1.0")
    company.poll(ago(90))
    company.delete(digest_of_it)
    company.poll()

    image = image_on(1)

    assert (image.freshness, image.stale_since) == ("unknown", None)
    assert f"was last read, on {ago(90):%F}" in image.freshness_reason
