"""How bases stand depends on how old they are, never on which day it is."""

from datetime import datetime, time, timedelta

import pytest

from functions_app import clock
from functions_app.domain.bases.detection import Detection, Tier
from functions_app.domain.bases.ends_of_life import Ends
from functions_app.domain.bases.freshness import Freshness, Verdict, judge
from functions_app.domain.bases.lineage import KnownRelease, Level
from functions_app.domain.bases.overdue_policies import Lateness, Policy, overdue_on
from tests import days

pytestmark = pytest.mark.shows_dates
PYTHON = "python:3.12"
A_MONTH = Policy(None, "", "", 30, None)
every_day = pytest.mark.parametrize("day", days.DAYS, ids=lambda day: day.name)


def verdict(now: datetime, ends: Ends | None = None) -> Verdict:
    """On an image that stands on a release 40 days old, with newer ones 33 and 9 days old."""
    releases = [
        KnownRelease(
            number, PYTHON, "linux/amd64", f"chain {number}", (), now - timedelta(days=age), age == 9, f"{age}"
        )
        for number, age in enumerate((40, 33, 9))
    ]
    found = Detection(Tier.EXACT, 0, ("proof",), PYTHON, (Level(releases[0], 6),))
    return judge(found, {(PYTHON, "linux/amd64"): releases}, {PYTHON: ends} if ends else {}, now)


@every_day
def test_what_is_as_old_stands_alike_and_is_overdue_for_as_long(day: days.Day) -> None:
    now = day.after(clock.now())
    found = verdict(now)

    assert (found.freshness, found.releases_behind, found.days_behind) == (Freshness.STALE, 2, 33)
    due = overdue_on(Lateness.of(found), A_MONTH)
    assert due is not None
    assert (now.date() - due).days == 3


@every_day
def test_an_end_of_life_begins_with_its_day_at_midnight_in_utc(day: days.Day) -> None:
    ends = Ends(day.after(clock.now()).date() + timedelta(days=1))
    assert ends.runtime is not None
    midnight = datetime.combine(ends.runtime, time(), clock.now().tzinfo)

    assert verdict(midnight - timedelta(microseconds=1), ends).freshness is Freshness.STALE
    assert verdict(midnight, ends).freshness is Freshness.END_OF_LIFE
