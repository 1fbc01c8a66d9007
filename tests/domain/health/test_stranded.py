"""Runs with no worker: told apart from those that are worked at, and from those whose turn it is not."""

from datetime import UTC, datetime, timedelta

import pytest

from functions_app.domain.health.stranded import stranded
from functions_app.domain.runs import ENDED, LEASE, Status

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize("status", [Status.RUNNING, Status.UNDOING])
def test_a_run_whose_worker_is_silent_is_stranded_since_it_was_last_heard_of(status: Status) -> None:
    found = stranded(status, NOW - timedelta(minutes=3) + LEASE, None, NOW)

    assert found is not None
    assert found.since == NOW - timedelta(minutes=3)


def test_a_worker_that_just_died_is_given_the_time_in_which_another_takes_over() -> None:
    assert stranded(Status.RUNNING, NOW - timedelta(seconds=16), None, NOW) is None


def test_a_run_that_is_worked_at_is_not_stranded() -> None:
    assert stranded(Status.RUNNING, NOW + timedelta(seconds=5), None, NOW) is None


@pytest.mark.parametrize("status", [Status.QUEUED, Status.WAITING])
def test_a_run_that_has_been_due_for_long_is_stranded_since_then(status: Status) -> None:
    due = NOW - timedelta(minutes=5)

    found = stranded(status, None, due, NOW)

    assert found is not None
    assert found.since == due


def test_a_run_that_waits_for_its_time_or_for_a_person_is_not() -> None:
    assert stranded(Status.WAITING, None, NOW + timedelta(minutes=5), NOW) is None
    assert stranded(Status.PAUSED, None, None, NOW) is None


@pytest.mark.parametrize("status", sorted(ENDED))
def test_a_run_that_ended_needs_no_worker(status: Status) -> None:
    assert stranded(status, NOW - timedelta(days=1), NOW - timedelta(days=1), NOW) is None
