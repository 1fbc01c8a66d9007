"""The counts that stand ready are those of the functions, whoever wrote them last."""

from datetime import date, timedelta

import pytest

from functions_app.domain.fleet.states import RANK_UPDATE_FAILED
from functions_app.models import Account, FleetRevision, Function, FunctionCount
from functions_app.services.snapshot.function_counts import What, keep, kept, reasons
from functions_app.services.snapshot.function_summaries import refresh_summaries
from tests.factories import NOW, make_account, make_function, make_version
from tests.services.snapshot.counted import assert_counted

pytestmark = [pytest.mark.django_db, pytest.mark.shows_dates]
TODAY = NOW.date()
SOON = TODAY + timedelta(days=90)


def numbers(account: Account | None = None, today: date = TODAY) -> dict[tuple[What, str, date | None], int]:
    """What stands ready."""
    return dict(kept(today, today + timedelta(days=90), account.pk if account else None))


@pytest.fixture
def account() -> Account:
    """An account with a function of each kind."""
    account = make_account()
    make_function(account, freshness="current")
    make_function(account, freshness="stale", overdue_on=TODAY, drifted=True, partly_read=True)
    idle = make_function(account, freshness="stale", overdue_on=TODAY + timedelta(days=3), state="Inactive")
    make_version(idle, "$LATEST", state="Inactive")
    make_function(account, freshness="end_of_life", problem_rank=RANK_UPDATE_FAILED, base_name="python:3.8",
                  end_of_life_on=TODAY - timedelta(days=9), unruled=True)  # fmt: skip
    make_function(account, freshness="unknown", freshness_reason="Not read.", gone_at=NOW, partly_read=True,
                  unruled=True)  # fmt: skip
    make_function(account, freshness="unknown", freshness_reason="Squashed.")
    return account


EXPECTED = {
    (What.FRESHNESS, "current", None): 1,
    (What.FRESHNESS, "stale", None): 2,
    (What.FRESHNESS, "end_of_life", None): 1,
    (What.FRESHNESS, "unknown", None): 1,
    (What.OVERDUE, "", None): 1,
    (What.DRIFTED, "", None): 1,
    (What.PARTLY_READ, "", None): 1,
    (What.UNRULED, "", None): 1,
    (What.INACTIVE, "", None): 1,
    (What.BROKEN, "", None): 1,
    (What.ENDING, "python:3.8", TODAY - timedelta(days=9)): 1,
}


def test_what_was_never_counted_is_counted_when_it_is_asked_for(account: Account) -> None:
    assert numbers() == EXPECTED
    assert reasons(5) == [("Squashed.", 1)]
    assert not FunctionCount.objects.exists()


def test_what_was_counted_stands_ready(account: Account, django_assert_num_queries: object) -> None:
    assert keep()

    with django_assert_num_queries(2):  # type: ignore[operator]
        assert numbers() == EXPECTED
        assert reasons(5) == [("Squashed.", 1)]
    assert not keep()


def test_one_account_that_was_never_counted_has_all_counted_now(account: Account) -> None:
    keep()
    other = make_function(make_account(), freshness="current")

    assert numbers()[What.FRESHNESS, "current", None] == 2
    assert numbers(account) == EXPECTED
    assert numbers(other.account) == {(What.FRESHNESS, "current", None): 1}


def test_an_account_without_functions_keeps_nobody_waiting(account: Account, django_assert_num_queries: object) -> None:
    keep()
    make_account()
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert numbers() == EXPECTED


def test_days_arrive_without_a_new_count(account: Account) -> None:
    keep()

    assert numbers(today=TODAY + timedelta(days=3))[What.OVERDUE, "", None] == 2
    assert (What.OVERDUE, "", None) not in numbers(today=TODAY - timedelta(days=1))


def test_an_end_that_is_far_is_told_when_it_comes_near(account: Account) -> None:
    on = TODAY + timedelta(days=100)
    make_function(account, base_name="python:3.9", end_of_life_on=on)
    keep()

    assert (What.ENDING, "python:3.9", on) not in numbers()
    assert numbers(today=TODAY + timedelta(days=10))[What.ENDING, "python:3.9", on] == 1


def test_a_new_count_replaces_the_old_one(account: Account) -> None:
    keep()
    Function.objects.filter(freshness="stale").update(freshness="current", overdue_on=None, drifted=False)
    Function.objects.filter(freshness="unknown").delete()

    assert keep([account.pk])

    assert_counted()
    assert numbers()[What.FRESHNESS, "current", None] == 3
    assert (reasons(5), numbers().keys() & {(What.OVERDUE, "", None), (What.DRIFTED, "", None)}) == ([], set())


def test_the_most_frequent_reasons_come_first() -> None:
    for account, several in ((make_account(), ["b", "b", "a", "c"]), (make_account(), ["a", "a", "d"])):
        for reason in several:
            make_function(account, freshness_reason=reason)
    now = reasons(3)
    keep()

    assert now == reasons(3) == [("a", 3), ("b", 2), ("c", 1)]


def test_an_account_that_is_deleted_takes_its_counts_along(account: Account) -> None:
    keep()
    account.delete()

    assert (numbers(), FunctionCount.objects.count()) == ({}, 0)


@pytest.mark.parametrize("named", [True, False], ids=["some functions", "all"])
def test_a_refresh_of_summaries_counts(account: Account, named: bool) -> None:
    keep()
    function = Function.objects.filter(gone_at=None)[0]
    Function.objects.filter(pk=function.pk).update(state="Failed", freshness="stale")  # as a reading that then died

    refresh_summaries([function.pk] if named else None, now=NOW)

    assert_counted()


def test_open_pages_are_told_of_other_counts_alone(account: Account) -> None:
    refresh_summaries(now=NOW)
    before = FleetRevision.objects.get().revision
    refresh_summaries(now=NOW)
    assert FleetRevision.objects.get().revision == before

    Function.objects.filter(state="Inactive").update(gone_at=NOW)
    refresh_summaries(now=NOW)

    assert FleetRevision.objects.get().revision == before + 1


def test_a_count_costs_the_same_for_few_and_for_many(account: Account, django_assert_num_queries: object) -> None:
    keep()
    for number in range(60):
        make_function(account, freshness="stale", base_name=f"base-{number}", end_of_life_on=SOON)
    with django_assert_num_queries(10):  # type: ignore[operator]
        keep()
