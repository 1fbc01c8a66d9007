"""A registry that throttles: what was read of a stream stays, and each poll gets further."""

from datetime import timedelta

import pytest

from functions_app.services.bases import polls
from sandbox.images.making import make_index
from tests.fixtures import Sandbox, Throttle
from tests.publishing import NOW, base, base_index
from tests.services.bases.base_stage import Company
from tests.services.sync.sync_stage import Lines

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def current(company: Company) -> set[tuple[str, str]]:
    return set(company.stream.releases.filter(current=True).values_list("platform", "manifest_digest"))


def test_the_platform_that_was_read_before_a_throttle_stays(aws: Sandbox, throttle: Throttle) -> None:
    company = Company(aws)
    index = base_index(1)
    company.publish(index)
    throttle(0.001, 3, retry_after=3600)  # HEAD, the index, one image

    company.poll()

    amd64, arm64 = (("linux/amd64", index.images[0].digest), ("linux/arm64", index.images[1].digest))
    assert current(company) == {amd64}
    assert (company.stream.problem or {})["code"] == "throttled"
    throttle(0.001, 3, retry_after=3600)  # HEAD, the index, the other one: the first need not be read again
    company.poll(NOW + HOUR)
    assert current(company) == {amd64, arm64}
    assert company.stream.problem is None


def test_a_platform_that_could_not_be_asked_for_stays_current_and_ages(aws: Sandbox, throttle: Throttle) -> None:
    company = Company(aws)
    old, new = base_index(1), base_index(2)
    company.publish(old)
    company.poll()
    company.publish(make_index(new.images))
    throttle(0.001, 3, retry_after=3600)

    company.poll(NOW + HOUR)

    assert current(company) == {
        ("linux/amd64", new.images[0].digest),
        ("linux/arm64", old.images[1].digest),
    }
    assert company.stream.polled_at == NOW


def test_seven_streams_of_a_slow_registry_all_have_a_release_after_one_poll(aws: Sandbox, throttle: Throttle) -> None:
    companies = [Company(aws, own=False) for _ in range(7)]
    for company in companies:
        company.publish(base(1))
    throttle(5, 10)

    polls.poll(NOW, Lines(), [company.stream.pk for company in companies])

    for company in companies:
        company.stream.refresh_from_db()
    assert [company.stream.releases.count() for company in companies] == [1] * 7
    assert [company.stream.problem for company in companies] == [None] * 7


def test_what_all_tags_point_to_is_read_before_the_history_of_any(aws: Sandbox, throttle: Throttle) -> None:
    companies = [Company(aws) for _ in range(3)]
    for company in companies:
        for number in range(1, 5):
            company.publish(base(number), f"1.{number}")
    throttle(0.001, 6, retry_after=3600)  # HEAD and GET for each

    polls.poll(NOW, Lines(), [company.stream.pk for company in companies])

    assert [current(company) for company in companies] == [{("linux/amd64", base(4).digest)}] * 3


def test_why_a_history_was_read_in_part_is_kept_until_it_can_be_read(aws: Sandbox, throttle: Throttle) -> None:
    company = Company(aws)
    for number in range(1, 5):
        company.publish(base(number), f"1.{number}")
    throttle(0.001, 4, retry_after=3600)  # HEAD and GET for what the tag points to, the tags, one of them

    company.poll()

    assert current(company) == {("linux/amd64", base(4).digest)}
    assert (company.stream.problem or {})["code"] == "throttled"
    throttle(1000, 1000)
    company.poll(NOW + HOUR)
    assert company.stream.problem is None
    assert company.stream.releases.count() == 4


def test_what_is_wrong_with_the_tag_itself_is_told_before_what_is_with_its_history(
    aws: Sandbox, throttle: Throttle
) -> None:
    company = Company(aws, platforms=["linux/amd64", "linux/s390x"])
    company.publish(base_index(1), "1.1")
    throttle(0.001, 4, retry_after=3600)

    company.poll()

    assert "s390x" in str(company.stream.problem)
