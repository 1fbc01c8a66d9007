"""Freshness: current, stale by how much, end of life, unknown; always with the reason."""

from datetime import UTC, date, datetime, timedelta

import pytest

from functions_app.domain.bases import Detection, KnownRelease, Tier, unknown
from functions_app.domain.freshness import Freshness, Verdict, judge

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOW.date()


def release(number: int, days_old: int, *, current: bool = False, chain: str = "") -> KnownRelease:
    created = NOW - timedelta(days=days_old)
    return KnownRelease(
        number, "python:3.12", "linux/amd64", chain or f"chain {number}", (), created, current, f"3.12.{number}"
    )


STREAM = [release(1, 97), release(2, 61), release(3, 33), release(4, 9, current=True)]


def verdict(number: int | None, releases: list[KnownRelease] = STREAM, end_of_life: date | None = None) -> Verdict:
    detection = Detection(Tier.EXACT, number, ("proof",)) if number else unknown("None of its 5 layers is known.")
    return judge(detection, releases, end_of_life, NOW)


def test_the_current_release_is_current() -> None:
    assert verdict(4) == Verdict(Freshness.CURRENT, "Built on python:3.12.4, the current release of python:3.12.", 0, 0)


@pytest.mark.parametrize(("number", "releases", "days"), [(3, 1, 24), (2, 2, 52), (1, 3, 88)])
def test_an_older_release_is_stale_by_newer_releases_and_days(number: int, releases: int, days: int) -> None:
    found = verdict(number)

    assert (found.freshness, found.releases_behind, found.days_behind) == (Freshness.STALE, releases, days)
    assert f"{releases} release" in found.reason
    assert f"{days} days behind python:3.12.4" in found.reason


def test_the_same_layers_released_twice_count_once() -> None:
    twice = [*STREAM, release(5, 20, chain="chain 3")]

    assert verdict(2, twice).releases_behind == 2


def test_a_release_with_the_layers_of_the_current_one_is_current() -> None:
    assert verdict(5, [*STREAM, release(5, 50, chain="chain 4")]).freshness is Freshness.CURRENT


def test_a_release_that_was_withdrawn_is_stale_although_it_is_the_newest() -> None:
    found = verdict(5, [*STREAM, release(5, 1)])

    assert (found.freshness, found.releases_behind) == (Freshness.STALE, 0)
    assert "withdrawn" in found.reason


def test_a_stream_without_a_current_release_gives_no_verdict() -> None:
    found = verdict(1, STREAM[:3])

    assert found.freshness is Freshness.UNKNOWN
    assert "no current release for linux/amd64" in found.reason


def test_an_unknown_base_gives_the_detections_own_reason() -> None:
    assert verdict(None) == Verdict(Freshness.UNKNOWN, "None of its 5 layers is known.")


def test_end_of_life_wins_over_staleness_and_still_tells_how_far_behind() -> None:
    found = verdict(1, end_of_life=date(2026, 10, 31))

    assert (found.freshness, found.releases_behind, found.days_behind) == (Freshness.END_OF_LIFE, 3, 88)
    assert "end of life on 2026-10-31" in found.reason
    assert "3 releases and 88 days behind" in found.reason


def test_end_of_life_wins_over_current_too() -> None:
    assert verdict(4, end_of_life=TODAY).freshness is Freshness.END_OF_LIFE


def test_the_day_before_its_end_a_runtime_still_lives() -> None:
    assert verdict(4, end_of_life=TODAY + timedelta(days=1)).freshness is Freshness.CURRENT
