"""Policies: the most specific counts; overdue from a day, by days or by releases."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from functions_app.domain.bases.freshness import Freshness, Verdict
from functions_app.domain.bases.overdue_policies import Lateness, Policy, choose_policy, overdue_on

pytestmark = pytest.mark.shows_dates

SINCE = datetime(2026, 10, 1, 9, tzinfo=UTC)
DEFAULT = Policy(None, "", "", 30, None)
TAG = Policy(None, "team", "payments", 7, None)
ANY_VALUE = Policy(None, "team", "", 10, None)
ACCOUNT = Policy(1, "", "", 14, None)
BOTH = Policy(1, "team", "payments", 3, None)
EVERY = [DEFAULT, ACCOUNT, ANY_VALUE, TAG, BOTH]
PAYMENTS = {"team": "payments"}


def stale(*newer_after_days: int) -> Lateness:
    days = tuple(SINCE.date() + timedelta(days=after) for after in newer_after_days)
    return Lateness(Freshness.STALE, SINCE, None, (days,))


@pytest.mark.parametrize(
    ("account", "tags", "chosen"),
    [
        (1, PAYMENTS, BOTH),
        (2, PAYMENTS, TAG),
        (2, {"team": "search"}, ANY_VALUE),
        (1, {"team": "search"}, ANY_VALUE),
        (1, {}, ACCOUNT),
        (2, {}, DEFAULT),
        (2, {"TEAM": "payments"}, DEFAULT),
    ],
)
def test_account_and_tag_come_before_tag_before_account_before_the_default(
    account: int, tags: dict[str, str], chosen: Policy
) -> None:
    assert choose_policy(EVERY, account, tags) == chosen
    assert choose_policy(reversed(EVERY), account, tags) == chosen


def test_where_none_fits_there_is_none() -> None:
    assert choose_policy([BOTH], 2, PAYMENTS) is None
    assert choose_policy([], 1, {}) is None


def test_of_two_tags_the_stricter_policy_counts() -> None:
    strict = Policy(None, "stage", "prod", 2, None)

    assert choose_policy([TAG, strict], 1, {**PAYMENTS, "stage": "prod"}) == strict
    assert (
        choose_policy([strict, Policy(None, "team", "payments", None, 5)], 1, {**PAYMENTS, "stage": "prod"}) == strict
    )


def test_a_base_is_overdue_so_many_days_after_the_first_newer_release() -> None:
    assert overdue_on(stale(), DEFAULT) == date(2026, 10, 31)


def test_no_day_may_pass_where_none_is_allowed() -> None:
    assert overdue_on(stale(), Policy(None, "", "", 0, None)) == date(2026, 10, 1)


def test_more_newer_releases_than_allowed_make_it_overdue_on_the_day_of_the_one_too_many() -> None:
    allowed = Policy(None, "", "", None, 2)

    assert overdue_on(stale(0, 5), allowed) is None
    assert overdue_on(stale(0, 5, 9, 20), allowed) == date(2026, 10, 10)


def test_the_first_newer_release_is_too_many_where_none_is_allowed() -> None:
    assert overdue_on(stale(0), Policy(None, "", "", None, 0)) == date(2026, 10, 1)


def test_of_days_and_releases_the_earlier_counts() -> None:
    assert overdue_on(stale(0, 5), Policy(None, "", "", 30, 1)) == date(2026, 10, 6)
    assert overdue_on(stale(0, 5), Policy(None, "", "", 3, 1)) == date(2026, 10, 4)


def test_every_level_counts() -> None:
    golden = (date(2026, 10, 1), date(2026, 10, 2))
    python = (date(2026, 9, 1),)

    assert (
        overdue_on(Lateness(Freshness.STALE, SINCE, None, (golden, python)), Policy(None, "", "", None, 1)) == golden[1]
    )


def test_an_end_of_life_is_overdue_so_many_days_after_it() -> None:
    ended = Lateness(Freshness.END_OF_LIFE, None, date(2026, 6, 30))

    assert overdue_on(ended, DEFAULT) == date(2026, 7, 30)


def test_an_end_of_life_to_come_makes_nothing_overdue() -> None:
    assert overdue_on(Lateness(Freshness.STALE, None, date(2026, 10, 5)), DEFAULT) is None


@pytest.mark.parametrize("freshness", [Freshness.CURRENT, Freshness.UNKNOWN])
def test_what_is_not_stale_is_not_overdue(freshness: Freshness) -> None:
    assert overdue_on(Lateness(freshness, SINCE, date(2020, 1, 1)), DEFAULT) is None


def test_without_a_policy_or_limits_nothing_is_ever_overdue() -> None:
    assert overdue_on(stale(0, 1, 2), None) is None
    assert overdue_on(stale(0, 1, 2), Policy(None, "team", "legacy", None, None)) is None


def test_a_verdict_tells_what_counts() -> None:
    level = Verdict(Freshness.STALE, "", newer=(SINCE,))
    verdict = Verdict(Freshness.STALE, "", stale_since=SINCE, end_of_life_on=date(2027, 1, 1), levels=(level,))

    assert Lateness.of(verdict) == Lateness(Freshness.STALE, SINCE, date(2027, 1, 1), ((SINCE.date(),),))


def test_of_two_tags_whose_policies_are_as_strict_the_first_by_name_counts() -> None:
    stage, team = Policy(None, "stage", "prod", 7, None), TAG

    for order in permutations([team, stage, DEFAULT]):
        assert choose_policy(order, 1, {**PAYMENTS, "stage": "prod"}) == stage


@pytest.mark.parametrize("days", [2**31 - 1, 10**12])
def test_a_limit_beyond_the_end_of_time_ends_there(days: int) -> None:
    forever = Policy(None, "", "", days, None)
    assert overdue_on(stale(0), forever) == date.max
    assert overdue_on(Lateness(Freshness.END_OF_LIFE, None, date(2027, 1, 1)), forever) == date.max
