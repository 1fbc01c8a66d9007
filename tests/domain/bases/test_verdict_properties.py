"""Freshness against an oracle over random releases, images and ends of life: the worst level decides, nothing else."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.bases.detection import Detection, ImageShape, Tier, detect
from functions_app.domain.bases.ends_of_life import Ends
from functions_app.domain.bases.freshness import Freshness, Verdict, judge
from functions_app.domain.bases.known_releases import KnownReleases
from functions_app.domain.bases.lineage import KnownRelease
from tests.domain.bases.releases_at_random import FOLLOWED, STREAMS, WHEN, histories, images

NOW = WHEN + timedelta(days=30)
OVER, TO_COME = Ends(runtime=NOW.date()), Ends(runtime=NOW.date() + timedelta(days=1))
NO_ENDS = dict.fromkeys(STREAMS, Ends())
Track = tuple[str, str]  # stream, platform


def one_current(releases: Sequence[KnownRelease]) -> tuple[KnownRelease, ...]:
    """The same, of each stream and platform only one current, as a moving tag points to one image."""
    chosen = {(each.stream, each.platform): each.id for each in releases if each.current}
    return tuple(replace(each, current=chosen.get((each.stream, each.platform)) == each.id) for each in releases)


def tracks_of(releases: Sequence[KnownRelease]) -> dict[Track, list[KnownRelease]]:
    tracks = defaultdict(list)
    for each in releases:
        tracks[each.stream, each.platform].append(each)
    return tracks


def found_in(shape: ImageShape, releases: Sequence[KnownRelease]) -> Detection:
    return detect(shape, KnownReleases(releases, FOLLOWED))


def verdict(shape: ImageShape, releases: Sequence[KnownRelease], ends: Mapping[str, Ends] = NO_ENDS) -> Verdict:
    return judge(found_in(shape, releases), tracks_of(releases), ends, NOW)


known = histories().map(one_current)


@given(images(), known)
def test_current_means_that_every_level_is_and_nothing_is_in_doubt_and_stale_that_one_is_not(
    shape: ImageShape, releases: tuple[KnownRelease, ...]
) -> None:
    current = {(each.stream, each.platform): each.diff_ids for each in releases if each.current}
    found = found_in(shape, releases)
    levels = [level.release for level in found.levels]
    states = {
        None if (now := current.get((base.stream, base.platform))) is None else now == base.diff_ids for base in levels
    }

    expected = Freshness.UNKNOWN
    if False in states:
        expected = Freshness.STALE
    elif states == {True} and not found.doubt:
        expected = Freshness.CURRENT

    assert verdict(shape, releases).freshness is expected


@given(images(), known)
def test_without_a_known_release_it_is_never_green_nor_red(
    shape: ImageShape, releases: tuple[KnownRelease, ...]
) -> None:
    if found_in(shape, releases).release_id is None:
        assert verdict(shape, releases).freshness is Freshness.UNKNOWN


@given(images(), known)
def test_other_platforms_and_streams_do_not_matter(shape: ImageShape, releases: tuple[KnownRelease, ...]) -> None:
    found, tracks = found_in(shape, releases), tracks_of(releases)
    own = {(level.release.stream, level.release.platform) for level in found.levels}

    assert judge(found, tracks, NO_ENDS, NOW) == judge(
        found, {track: tracks[track] for track in tracks if track in own}, NO_ENDS, NOW
    )


@given(images(), known, st.sets(st.sampled_from(sorted(STREAMS))))
def test_an_end_of_life_at_any_level_wins_from_its_day_on(
    shape: ImageShape, releases: tuple[KnownRelease, ...], over: set[str]
) -> None:
    found = found_in(shape, releases)
    streams = {stream for level in found.levels for stream in level.streams} | {found.stream}

    judged = verdict(shape, releases, {stream: OVER if stream in over else TO_COME for stream in STREAMS})

    assert (judged.freshness is Freshness.END_OF_LIFE) == bool(streams & over)


@given(images(), known)
def test_how_far_behind_is_counted_in_sets_of_layers_that_came_later(
    shape: ImageShape, releases: tuple[KnownRelease, ...]
) -> None:
    found, judged = found_in(shape, releases), verdict(shape, releases)

    assert (judged.releases_behind == 0) or judged.freshness is Freshness.STALE
    for level, each in zip(found.levels, judged.levels, strict=True):
        track = tracks_of(releases)[level.release.stream, level.release.platform]
        assert each.releases_behind <= len({other.chain_id for other in track}) - 1
        assert each.days_behind >= 0


@given(images(), known)
def test_there_is_always_a_reason_and_it_fits_its_column(shape: ImageShape, releases: tuple[KnownRelease, ...]) -> None:
    assert 0 < len(verdict(shape, releases).reason) <= 300


@given(images(), known)
def test_what_an_image_only_says_of_its_base_is_never_told_as_certain(
    shape: ImageShape, releases: tuple[KnownRelease, ...]
) -> None:
    found = found_in(shape, releases)

    if found.tier is Tier.ANNOTATION and found.levels:
        assert not verdict(shape, releases).reason.startswith("Built on")
