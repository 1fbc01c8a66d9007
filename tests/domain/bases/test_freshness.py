"""Freshness: current, stale by how much, end of life, unknown; over every level; always with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from functions_app.domain.bases.detection import Detection, Tier, unknown
from functions_app.domain.bases.ends_of_life import Ends
from functions_app.domain.bases.freshness import NEWER_LIMIT, REASON_LIMIT, Freshness, Verdict, judge
from functions_app.domain.bases.lineage import KnownRelease, Level

pytestmark = pytest.mark.shows_dates

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
PYTHON, GOLDEN = "python:3.12", "acme/golden:1"


def release(
    number: int, days_old: int, stream: str = PYTHON, *, current: bool = False, chain: str = ""
) -> KnownRelease:
    created = NOW - timedelta(days=days_old)
    tag = f"{stream.partition(':')[2]}.{number}"
    return KnownRelease(number, stream, "linux/amd64", chain or f"chain {number}", (), created, current, tag)


STREAM = [release(1, 97), release(2, 61), release(3, 33), release(4, 9, current=True)]
COMPANY = [release(11, 40, GOLDEN), release(12, 5, GOLDEN, current=True)]


def on(*releases: KnownRelease, tier: Tier = Tier.EXACT) -> Detection:
    """A detection of these levels, the nearest first."""
    levels = tuple(Level(each, 9 - at) for at, each in enumerate(releases))
    return Detection(tier, releases[0].id, ("proof",), releases[0].stream, levels)


def verdict(
    detection: Detection,
    releases: Sequence[KnownRelease] = (*STREAM, *COMPANY),
    ends: Mapping[str, Ends] | None = None,
) -> Verdict:
    tracks: dict[tuple[str, str], list[KnownRelease]] = {}
    for each in releases:
        tracks.setdefault((each.stream, each.platform), []).append(each)
    return judge(detection, tracks, ends or {}, NOW)


def python_ends(runtime: date | None = None, os: date | None = None) -> dict[str, Ends]:
    return {PYTHON: Ends(runtime, None, os, "al2023"), GOLDEN: Ends()}


def test_the_current_release_is_current() -> None:
    found = verdict(on(STREAM[3]))

    assert (found.freshness, found.releases_behind, found.days_behind) == (Freshness.CURRENT, 0, 0)
    assert found.reason == "Built on python:3.12.4, the current release of python:3.12."
    assert found.stale_since is None


@pytest.mark.parametrize(("number", "releases", "days"), [(3, 1, 9), (2, 2, 33), (1, 3, 61)])
def test_an_older_release_is_stale_since_the_next_one_came(number: int, releases: int, days: int) -> None:
    found = verdict(on(STREAM[number - 1]))

    assert (found.freshness, found.releases_behind, found.days_behind) == (Freshness.STALE, releases, days)
    assert f"{releases} release" in found.reason
    assert f"behind python:3.12.4, stale for {days} days (the next release came on" in found.reason


def test_it_is_stale_since_the_first_newer_release_came() -> None:
    assert verdict(on(STREAM[0])).stale_since == STREAM[1].created_at


def test_the_same_layers_released_twice_count_once_from_the_first_time() -> None:
    twice = [*STREAM, release(5, 20, chain="chain 3")]

    found = verdict(on(STREAM[1]), twice)

    assert (found.releases_behind, found.stale_since) == (2, STREAM[2].created_at)


def test_a_release_with_the_layers_of_the_current_one_is_current() -> None:
    again = release(5, 50, chain="chain 4")

    assert verdict(on(again), [*STREAM, again]).freshness is Freshness.CURRENT


def test_a_release_that_was_withdrawn_is_stale_although_it_is_the_newest() -> None:
    withdrawn = release(5, 1)

    found = verdict(on(withdrawn), [*STREAM, withdrawn])

    assert (found.freshness, found.releases_behind) == (Freshness.STALE, 0)
    assert "withdrawn" in found.reason


def test_what_was_withdrawn_is_stale_since_the_tag_went_back() -> None:
    back = NOW - timedelta(days=20)
    before, withdrawn = replace(release(1, 97, current=True), returned_at=back), release(2, 30)

    found = verdict(on(withdrawn), [before, withdrawn])

    assert (found.freshness, found.stale_since, found.days_behind) == (Freshness.STALE, back, 20)
    assert found.reason == (
        "Built on python:3.12.2, which was withdrawn: python:3.12 is back at python:3.12.1, "
        "and this is stale for 20 days."
    )


def test_what_was_withdrawn_before_anybody_looked_is_stale_since_the_first_look() -> None:
    seen = NOW - timedelta(days=5)
    before, withdrawn = replace(release(1, 97, current=True), first_seen_at=seen), release(2, 30)

    assert verdict(on(withdrawn), [before, withdrawn]).stale_since == seen


def test_what_was_withdrawn_after_it_was_left_behind_is_stale_since_then() -> None:
    first = replace(release(1, 97, current=True), returned_at=NOW - timedelta(days=3))
    second, third = release(2, 61), release(3, 33)

    assert verdict(on(second), [first, second, third]).stale_since == third.created_at


def test_layers_that_were_released_again_are_stale_since_they_were_left_behind_for_the_last_time() -> None:
    again = replace(release(1, 300), returned_at=NOW - timedelta(days=120))
    between, newest = release(2, 280), release(3, 9, current=True)

    found = verdict(on(again), [again, between, newest])

    assert (found.releases_behind, found.days_behind, found.stale_since) == (1, 9, newest.created_at)


def test_what_layers_released_again_have_replaced_is_stale_since_they_came_back() -> None:
    again = replace(release(1, 300), returned_at=NOW - timedelta(days=120))
    between, newest = release(2, 280), release(3, 9, current=True)

    found = verdict(on(between), [again, between, newest])

    assert (found.releases_behind, found.days_behind) == (2, 120)


def test_a_release_that_was_withdrawn_meanwhile_is_none_that_an_older_one_is_behind() -> None:
    first, withdrawn = release(1, 97), release(3, 33)
    back = replace(release(2, 61, current=True), returned_at=NOW - timedelta(days=30))

    found = verdict(on(first), [first, back, withdrawn])

    assert (found.releases_behind, found.days_behind) == (1, 61)


def test_behind_counts_from_the_day_on_which_the_next_release_came() -> None:
    now = datetime(2026, 11, 28, 9, tzinfo=UTC)
    days = [datetime(2026, 1, 10, 13, tzinfo=UTC), datetime(2026, 1, 12, 13, tzinfo=UTC)]
    old, new = (replace(release(at, 0, current=at == 1), created_at=day) for at, day in enumerate(days))

    found = judge(on(old), {(PYTHON, "linux/amd64"): [old, new]}, {}, now)

    assert found.days_behind == 320
    assert found.reason == (
        "Built on python:3.12.0: 1 release behind python:3.12.1, stale for 320 days "
        "(the next release came on 2026-01-12)."
    )


def test_what_is_stale_since_today_says_so() -> None:
    old, new = release(1, 9), release(2, 0, current=True)

    assert "1 release behind python:3.12.2, stale since today (" in verdict(on(old), [old, new]).reason


@pytest.mark.parametrize(
    ("days", "freshness"), [(0, "current"), (6, "current"), (7, "current"), (8, "unknown"), (90, "unknown")]
)
def test_nothing_stays_current_by_a_reading_of_long_ago(days: int, freshness: str) -> None:
    read_at = NOW - timedelta(days=days)

    found = judge(on(STREAM[3]), {(PYTHON, "linux/amd64"): STREAM}, {}, NOW, {PYTHON: read_at})

    assert found.freshness == freshness
    assert (f"when that was last read, on {read_at:%F}" in found.reason) == (freshness == "unknown")


def test_what_is_stale_stays_so_while_its_stream_cannot_be_read() -> None:
    read_at = NOW - timedelta(days=90)

    found = judge(on(STREAM[0]), {(PYTHON, "linux/amd64"): STREAM}, {}, NOW, {PYTHON: read_at})

    assert (found.freshness, found.stale_since) == (Freshness.STALE, STREAM[1].created_at)


def test_a_golden_image_that_was_not_read_for_long_says_so_above_a_stale_base() -> None:
    tracks = {(PYTHON, "linux/amd64"): STREAM, (GOLDEN, "linux/amd64"): COMPANY}

    found = judge(on(COMPANY[1], STREAM[2]), tracks, {}, NOW, {GOLDEN: NOW - timedelta(days=90)})

    assert found.freshness is Freshness.STALE
    assert "acme/golden:1.12, current when that was last read on 2026-08-22, which stands on" in found.reason


def test_releases_that_all_carry_one_date_are_stale_since_the_newer_was_seen() -> None:
    seen = NOW - timedelta(days=2)
    old, new = release(1, 20_000), replace(release(2, 20_000, current=True), first_seen_at=seen)

    found = verdict(on(old), [old, new])

    assert (found.freshness, found.releases_behind, found.stale_since) == (Freshness.STALE, 1, seen)


def test_a_stream_without_a_current_release_gives_no_verdict() -> None:
    found = verdict(on(STREAM[0]), STREAM[:3])

    assert found.freshness is Freshness.UNKNOWN
    assert "no current release for linux/amd64" in found.reason


def test_an_unknown_base_gives_the_detections_own_reason() -> None:
    assert verdict(unknown("None of its 5 layers is known.")) == Verdict(
        Freshness.UNKNOWN, "None of its 5 layers is known."
    )


def test_a_very_old_base_remembers_so_many_newer_releases_and_counts_them_all() -> None:
    stream = [release(number, 1000 - number) for number in range(200)] + [release(200, 1, current=True)]

    found = verdict(on(stream[0]), stream)

    assert found.releases_behind == 200
    assert len(found.levels[0].newer) == NEWER_LIMIT


# several levels


def test_an_image_on_a_current_golden_image_on_a_current_base_is_current() -> None:
    found = verdict(on(COMPANY[1], STREAM[3]))

    assert found.freshness is Freshness.CURRENT
    assert found.reason == "Built on acme/golden:1.12, the current release of acme/golden:1."


def test_a_current_golden_image_on_a_stale_base_makes_a_stale_image() -> None:
    found = verdict(on(COMPANY[1], STREAM[1]))

    assert (found.freshness, found.releases_behind, found.days_behind) == (Freshness.STALE, 2, 33)
    assert found.reason == (
        "Built on acme/golden:1.12, current, which stands on python:3.12.2: 2 releases behind python:3.12.4, "
        "stale for 33 days (the next release came on 2026-10-18)."
    )
    assert found.stale_since == STREAM[2].created_at


def test_a_stale_golden_image_on_a_current_base_makes_a_stale_image() -> None:
    found = verdict(on(COMPANY[0], STREAM[3]))

    assert found.freshness is Freshness.STALE
    assert found.reason == (
        "Built on acme/golden:1.11: 1 release behind acme/golden:1.12, "
        "stale for 5 days (the next release came on 2026-11-15)."
    )


def test_of_two_stale_levels_both_are_told_and_the_earliest_day_counts() -> None:
    found = verdict(on(COMPANY[0], STREAM[0]))

    assert "acme/golden:1.11, itself 1 release behind, which stands on python:3.12.1: 3 releases" in found.reason
    assert (found.releases_behind, found.days_behind) == (3, 61)
    assert found.stale_since == STREAM[1].created_at


@pytest.mark.parametrize("days", [0, 8, 9, 10, 300])
def test_which_of_two_levels_is_further_behind_changes_no_word(days: int) -> None:
    ours = [release(11, 400, GOLDEN), release(12, days, GOLDEN, current=True)]

    found = verdict(on(ours[0], STREAM[2]), [*STREAM, *ours])

    assert found.reason == (
        "Built on acme/golden:1.11, itself 1 release behind, which stands on python:3.12.3: "
        "1 release behind python:3.12.4, stale for 9 days (the next release came on 2026-11-11)."
    )
    assert found.days_behind == max(days, 9)


def test_of_two_levels_beneath_that_are_equally_far_behind_the_deepest_is_told() -> None:
    team = [release(21, 33, "acme/team:1"), release(22, 9, "acme/team:1", current=True)]

    found = verdict(on(COMPANY[1], team[0], STREAM[2]), [*STREAM, *COMPANY, *team])

    assert found.reason == (
        "Built on acme/golden:1.12, current, which stands on python:3.12.3: "
        "1 release behind python:3.12.4, stale for 9 days (the next release came on 2026-11-11)."
    )


def test_a_withdrawn_golden_image_on_a_stale_base_says_both() -> None:
    withdrawn = release(13, 1, GOLDEN)

    found = verdict(on(withdrawn, STREAM[2]), [*STREAM, *COMPANY, withdrawn])

    assert found.reason.startswith("Built on acme/golden:1.13, itself withdrawn, which stands on python:3.12.3: 1 rel")


def test_each_level_has_a_verdict_of_its_own() -> None:
    levels = verdict(on(COMPANY[1], STREAM[1])).levels

    assert [level.freshness for level in levels] == [Freshness.CURRENT, Freshness.STALE]
    assert levels[1].reason == (
        "Built on python:3.12.2: 2 releases behind python:3.12.4, stale for 33 days "
        "(the next release came on 2026-10-18)."
    )


def test_a_golden_image_ends_with_the_base_beneath_it() -> None:
    found = verdict(on(COMPANY[1], STREAM[3]), ends=python_ends(date(2026, 10, 31)))

    assert (found.freshness, found.end_of_life_on) == (Freshness.END_OF_LIFE, date(2026, 10, 31))
    assert found.reason.startswith(
        "python:3.12 reached its end of life on 2026-10-31. "
        "Built on acme/golden:1.12, current, which stands on python:3.12.4"
    )


def test_a_golden_image_that_is_far_behind_still_says_so_beneath_an_end_of_life() -> None:
    found = verdict(on(COMPANY[0], STREAM[3]), ends=python_ends(date(2026, 10, 31)))

    assert (found.freshness, found.releases_behind, found.days_behind) == (Freshness.END_OF_LIFE, 1, 5)


def test_where_both_levels_have_ended_both_ends_are_told_and_how_far_the_nearest_is_behind() -> None:
    ends = {PYTHON: Ends(date(2026, 10, 31)), GOLDEN: Ends(date(2026, 6, 1))}

    found = verdict(on(COMPANY[0], STREAM[3]), ends=ends)

    assert found.reason == (
        "acme/golden:1 reached its end of life on 2026-06-01. python:3.12 reached its end of life on 2026-10-31. "
        "Built on acme/golden:1.11, past its end of life and 1 release behind, which stands on python:3.12.4, "
        "the current release of python:3.12."
    )


# ends of life


def test_end_of_life_wins_over_staleness_and_still_tells_how_far_behind() -> None:
    found = verdict(on(STREAM[0]), ends=python_ends(date(2026, 10, 31)))

    assert (found.freshness, found.releases_behind, found.days_behind) == (Freshness.END_OF_LIFE, 3, 61)
    assert "end of life on 2026-10-31" in found.reason
    assert "3 releases behind python:3.12.4, stale for 61 days" in found.reason


def test_end_of_life_wins_over_current_too() -> None:
    assert verdict(on(STREAM[3]), ends=python_ends(TODAY)).freshness is Freshness.END_OF_LIFE


def test_the_day_before_its_end_a_runtime_still_lives_and_the_day_is_told() -> None:
    found = verdict(on(STREAM[3]), ends=python_ends(TODAY + timedelta(days=1)))

    assert (found.freshness, found.end_of_life_on) == (Freshness.CURRENT, TODAY + timedelta(days=1))


def test_an_os_past_its_end_is_an_end_of_life_and_the_reason_says_which() -> None:
    found = verdict(on(STREAM[3]), ends=python_ends(date(2028, 1, 1), os=date(2026, 6, 30)))

    assert (found.freshness, found.end_of_life_on) == (Freshness.END_OF_LIFE, date(2026, 6, 30))
    assert "Amazon Linux 2023, the OS of python:3.12, reached its end of life on 2026-06-30." in found.reason


@pytest.mark.parametrize(
    ("runtime", "os", "text"),
    [
        (
            date(2026, 10, 1),
            date(2026, 6, 30),
            "Amazon Linux 2023, the OS of python:3.12, reached its end of life on 2026-06-30 and python:3.12 itself "
            "on 2026-10-01. Built on",
        ),
        (
            date(2026, 5, 1),
            date(2026, 6, 30),
            "python:3.12 reached its end of life on 2026-05-01 and its OS, Amazon Linux 2023, on 2026-06-30. Built on",
        ),
    ],
)
def test_where_runtime_and_os_are_past_their_end_both_are_told_the_first_one_first(
    runtime: date, os: date, text: str
) -> None:
    found = verdict(on(STREAM[3]), ends=python_ends(runtime, os=os))

    assert found.end_of_life_on == min(runtime, os)
    assert found.reason.startswith(text)


def test_the_same_layers_end_together_whatever_stream_stands_for_them() -> None:
    twin = Level(release(7, 9, GOLDEN, current=True), 3, (STREAM[3],))
    detection = Detection(Tier.EXACT, 7, ("proof",), GOLDEN, (twin,))

    found = verdict(detection, [twin.release, *STREAM], python_ends(TODAY))

    assert found.freshness is Freshness.END_OF_LIFE
    assert "python:3.12 reached" in found.reason


# no release, or none proven


def test_a_release_known_by_an_annotation_alone_is_judged_and_says_so() -> None:
    found = verdict(on(STREAM[2], tier=Tier.ANNOTATION))

    assert (found.freshness, found.releases_behind) == (Freshness.STALE, 1)
    assert found.reason.startswith("Says that it was built on python:3.12.3: 1 release")


@pytest.mark.parametrize("tier", [Tier.ANNOTATION, Tier.PARTIAL])
def test_a_stream_without_a_release_is_unknown(tier: Tier) -> None:
    found = verdict(Detection(tier, None, ("An unknown release of python:3.12.",), PYTHON))

    assert found.freshness is Freshness.UNKNOWN
    assert "python:3.12" in found.reason
    assert "release" in found.reason


@pytest.mark.parametrize("tier", [Tier.ANNOTATION, Tier.PARTIAL])
def test_a_stream_past_its_end_is_end_of_life_whatever_the_release(tier: Tier) -> None:
    found = verdict(Detection(tier, None, ("evidence",), PYTHON), ends=python_ends(date(2026, 10, 31)))

    assert (found.freshness, found.end_of_life_on) == (Freshness.END_OF_LIFE, date(2026, 10, 31))
    assert found.reason == "python:3.12 reached its end of life on 2026-10-31. Its release is unknown."


def test_a_stream_whose_end_is_to_come_stays_unknown_and_the_day_is_told() -> None:
    day = TODAY + timedelta(days=30)

    found = verdict(Detection(Tier.PARTIAL, None, ("evidence",), PYTHON), ends=python_ends(day))

    assert (found.freshness, found.end_of_life_on) == (Freshness.UNKNOWN, day)


def test_where_no_stream_is_chosen_no_end_is_told() -> None:
    found = verdict(Detection(Tier.PARTIAL, None, ("Of two streams.",)), ends=python_ends(date(2020, 1, 1)))

    assert (found.freshness, found.end_of_life_on) == (Freshness.UNKNOWN, None)


def test_reasons_fit_their_column() -> None:
    long = release(1, 9, "x" * 110 + ":1", current=True)
    stream = [release(2, 19, "y" * 110 + ":1"), release(3, 9, "y" * 110 + ":1", current=True)]

    found = verdict(on(long, stream[0]), [long, *stream], {stream[0].stream: Ends(TODAY)})

    assert len(found.reason) == REASON_LIMIT
    assert all(len(level.reason) <= REASON_LIMIT for level in found.levels)


TWINS = [release(4, 9, current=True), release(5, 9, current=True)]


def test_of_two_current_releases_of_one_moment_the_one_that_an_image_stands_on_counts() -> None:
    for order in permutations([STREAM[1], *TWINS]):
        assert [verdict(on(each), order).freshness for each in TWINS] == [Freshness.CURRENT] * 2


def test_of_two_current_releases_of_one_moment_the_one_known_first_is_named() -> None:
    told = {verdict(on(STREAM[1]), order).reason for order in permutations([STREAM[1], *TWINS])}

    assert told == {
        "Built on python:3.12.2: 2 releases behind python:3.12.4, stale for 9 days "
        "(the next release came on 2026-11-11)."
    }
