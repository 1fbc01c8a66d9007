"""The daily count of how functions stand: by account and base, once a day for ever, in few queries."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from functions_app import tasks
from functions_app.domain.images.manifests import chain_ids
from functions_app.models import Account, FreshnessDay, Function
from functions_app.services.bases.daily_counts import count_day
from tests.factories import (
    make_account,
    make_alias,
    make_function,
    make_image,
    make_release,
    make_repository,
    make_stream,
    make_version,
)
from tests.publishing import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.shows_dates]
PYTHON = "python:3.12"
TODAY = NOW.date()


def functions(account: Account, number: int, freshness: str, base: str = PYTHON, **values: Any) -> None:
    """So many functions with summaries as given, on the day that was counted before."""
    for _ in range(number):
        make_function(account, freshness=freshness, base_name=base, **values)


def counted(day: date = TODAY) -> dict[tuple[str, str], tuple[int, ...]]:
    """What stands for a day: account and base -> current, stale, end of life, unknown, overdue."""
    rows = FreshnessDay.objects.filter(day=day).values_list(
        "account__name", "base_name", "current", "stale", "end_of_life", "unknown", "overdue"
    )
    return {(row[0], row[1]): row[2:] for row in rows}


@pytest.fixture
def account() -> Account:
    """An account whose day has begun: summaries are not worked out anew by the next count."""
    row = make_account("production")
    count_day(NOW)
    return row


def test_the_counts_of_a_first_day_bring_the_days_before_it(account: Account) -> None:
    stream = make_stream(PYTHON)
    image = make_image(
        make_repository(account),
        base_release=make_release(stream, "old", days_old=60),
        base_stream=stream,
        stale_since=NOW - timedelta(days=10),
    )
    for number in range(3):
        function = make_function(account, freshness="stale", base_name=PYTHON)
        make_version(function, "$LATEST", image)
        make_version(function, 1, image, last_modified=NOW - timedelta(days=20))
        make_alias(function, "live", 1)
        if number:
            make_version(function, 2, image, last_modified=NOW - timedelta(days=5))
    count_day(NOW)
    assert [counted(TODAY - timedelta(days=ago)) for ago in (21, 20, 11, 10, 1)] == [
        {},
        {("production", PYTHON): (3, 0, 0, 0, 0)},
        {("production", PYTHON): (3, 0, 0, 0, 0)},
        {("production", PYTHON): (0, 3, 0, 0, 0)},
        {("production", PYTHON): (0, 3, 0, 0, 0)},
    ]
    assert not FreshnessDay.objects.filter(day=TODAY, computed=True).exists()


def test_the_days_before_stay_as_they_are_once_the_first_day_is_over(account: Account) -> None:
    FreshnessDay.objects.create(account=account, day=TODAY - timedelta(days=3), base_name=PYTHON, computed=True)
    before = set(FreshnessDay.objects.filter(computed=True).values_list("pk", flat=True))
    count_day(NOW + timedelta(days=1))
    assert set(FreshnessDay.objects.filter(computed=True).values_list("pk", flat=True)) == before


def test_functions_are_counted_by_account_base_and_freshness(account: Account) -> None:
    other = make_account("staging")
    functions(account, 3, "current")
    functions(account, 2, "stale", overdue_on=TODAY)
    functions(account, 1, "stale", overdue_on=TODAY + timedelta(days=1))
    functions(account, 1, "end_of_life", "python:3.9", overdue_on=date(2020, 1, 1))
    functions(account, 1, "current", overdue_on=date(2020, 1, 1))
    functions(other, 1, "unknown", "")
    functions(other, 5, "stale", gone_at=NOW)

    count_day(NOW)

    assert counted() == {
        ("production", ""): (0, 0, 0, 0, 0),
        ("production", PYTHON): (4, 3, 0, 0, 2),
        ("production", "python:3.9"): (0, 0, 1, 0, 1),
        ("staging", ""): (0, 0, 0, 1, 0),
    }


def test_the_last_count_of_a_day_stays_and_what_vanished_is_zero(account: Account) -> None:
    functions(account, 2, "stale")
    count_day(NOW)
    Function.objects.update(base_name="python:3.13", freshness="current")

    count_day(NOW + timedelta(hours=1))

    assert counted()["production", PYTHON] == (0, 0, 0, 0, 0)
    assert counted()["production", "python:3.13"] == (2, 0, 0, 0, 0)


def test_counting_twice_changes_nothing(account: Account) -> None:
    functions(account, 2, "stale")
    count_day(NOW)
    before = counted()

    count_day(NOW)

    assert counted() == before
    assert FreshnessDay.objects.count() == 2


def test_days_on_which_nothing_ran_stay_a_gap(account: Account) -> None:
    functions(account, 1, "stale")
    count_day(NOW)

    count_day(NOW + timedelta(days=5))

    assert sorted(set(FreshnessDay.objects.values_list("day", flat=True))) == [
        TODAY,
        TODAY + timedelta(days=5),
    ]


def test_a_day_is_counted_although_there_are_no_functions() -> None:
    make_account("production")

    assert count_day(NOW) == 1
    assert counted() == {("production", ""): (0, 0, 0, 0, 0)}


def test_a_count_costs_the_same_for_few_and_for_many(account: Account, django_assert_max_num_queries: Any) -> None:
    for base in range(40):
        functions(account, 2, "stale", f"base:{base}")

    with django_assert_max_num_queries(12):  # five of them for the days before a first one
        count_day(NOW)


def test_the_first_count_of_a_day_lets_an_end_of_life_take_effect(valkey: object) -> None:
    account = make_account("production")
    stream = make_stream(PYTHON, polled_at=NOW, deprecated_on=TODAY + timedelta(days=1))
    release = make_release(stream, "3.12.2026.10.03.13", current=True)
    image = make_image(make_repository(account), base_release=release)
    image.diff_ids = [*release.diff_ids]
    image.save()
    type(release).objects.update(chain_id=chain_ids(release.diff_ids)[-1])
    function = make_function(account)
    make_version(function, 1, image)
    make_alias(function, "live", 1)
    count_day(NOW)
    assert counted()["production", PYTHON] == (1, 0, 0, 0, 0)

    count_day(NOW + timedelta(hours=1))
    assert counted()["production", PYTHON] == (1, 0, 0, 0, 0)
    midnight = datetime.combine(TODAY + timedelta(days=1), datetime.min.time(), NOW.tzinfo)
    count_day(midnight)

    assert counted(midnight.date())["production", PYTHON] == (0, 0, 1, 0, 0)
    assert counted()["production", PYTHON] == (1, 0, 0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_count_at_once_do_no_harm() -> None:
    account = make_account("production")
    for number in range(30):
        functions(account, 1, "stale", f"base:{number}")
    count_day(NOW)
    Function.objects.update(freshness="stale")

    def count(_: int) -> None:
        try:
            count_day(NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(12)))

    assert FreshnessDay.objects.filter(day=TODAY).count() == len(counted())


def test_beats_task_counts_today() -> None:
    make_account()

    assert tasks.count_day() == 1
