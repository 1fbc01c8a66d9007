"""Tags, references and releases: whatever they are called, one order and one reading."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.bases.known_releases import KnownReleases
from functions_app.domain.bases.release_dates import Sighting, came_about
from functions_app.domain.bases.release_tags import NEWEST, history_tags
from functions_app.domain.bases.stream_names import Followed
from functions_app.domain.fleet.tags import managed_by, owner_of
from functions_app.domain.refs import ImageRef, is_digest, is_repository, is_tag
from tests.fuzz.bounds import assert_shown, bounded, told
from tests.fuzz.inputs import texts
from tests.fuzz.running import fuzzed

PARTS = (
    *("3", "12", "3.12", "1.4.2", "v1", "v1.4.2", "r5", "rev-3", "build.7", "rc1", "b2", "20261003", "20261003T101112"),
    *("2026.10.03", "2026.10.03.13", "1726694542", "1726694542123", "12345", "1234567", "20269999", "00", "000001"),
    *("latest", "stable", "LATEST", "slim", "-slim", "debian-12", "amd64", "arm64", "0123456789abcdef", "20261003T1"),
)  # fmt: skip
tags = st.one_of(
    st.lists(st.one_of(st.sampled_from(PARTS), st.sampled_from(".-_T")), min_size=1, max_size=9).map("".join),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=5).map("-".join),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=5).map(".".join),
    texts,
)
moving = st.one_of(st.sampled_from(("latest", "3.12", "3.12-slim", "stable", "1", "v1", "")), tags)
PIECES = (
    "a",
    "A",
    "0",
    ".",
    "..",
    "-",
    "--",
    "_",
    "__",
    "/",
    ":",
    "@",
    "sha256:",
    "f" * 64,
    "localhost",
    "a.b",
    ":5000",
    "é",
    " ",
)
references = st.one_of(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), texts)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAR = [datetime(year, 1, 1, tzinfo=UTC) for year in (2, 1980, 9999)]
moments = st.integers(-3, 3).map(lambda days: NOON + timedelta(days=days))
sightings = st.builds(
    Sighting,
    built=st.one_of(
        st.none(),
        moments,
        st.sampled_from(FAR),
    ),
    came=moments,
    at=st.one_of(st.none(), moments),
    current=st.booleans(),
    returned=st.one_of(st.none(), moments),
    rank=st.one_of(st.none(), st.integers(0, 3)),
)


@fuzzed(500)
@given(st.lists(tags, max_size=12), moving, st.booleans(), st.integers(0, 12), st.randoms(use_true_random=False))
def test_the_tags_of_a_history_have_one_order(
    listed: list[str], name: str, own: bool, limit: int, chance: random.Random
) -> None:
    with bounded():
        found = history_tags(listed, name, 100, own=own)
    assert set(found) <= set(listed)
    assert len(found) == len(set(found))
    assert name not in found or name.lower() in NEWEST or not name
    shuffled = chance.sample(listed, len(listed))
    assert history_tags(shuffled, name, 100, own=own) == found
    assert history_tags(listed * 2, name, limit, own=own) == found[:limit]


@fuzzed(60)
@given(st.sampled_from(PARTS), st.sampled_from((".", "-", "_", "T", "", "-slim")), moving)
def test_a_tag_that_repeats_itself_is_read_within_bounds(part: str, between: str, name: str) -> None:
    listed = [f"{name}-{(part + between) * count}" for count in (5, 40, 2000, 20_000)]
    with bounded():
        history_tags(listed, name, 10, own=True)


@fuzzed(400)
@given(references)
def test_a_reference_is_read_or_refused_and_written_as_it_was_read(text: str) -> None:
    ref = told(lambda: ImageRef.parse(text))
    if ref:
        assert ImageRef.parse(str(ref)) == ref
        assert str(ref) == text.strip()
        assert is_repository(ref.repository)
        assert not ref.tag or is_tag(ref.tag)
        assert not ref.digest or is_digest(ref.digest)
        assert_shown(str(ref), 3 * len(text))
        assert ImageRef.parse(str(ref.with_digest("sha256:" + "0" * 64))).name == ref.name
    with bounded():
        KnownReleases((), {"python:3.12": Followed("python:3.12")}).by_reference(text)


@fuzzed(50)
@given(st.sampled_from(PIECES), st.sampled_from(PIECES), st.sampled_from(("", "/", "!", ":", "@")))
def test_a_reference_that_repeats_itself_is_read_within_bounds(one: str, two: str, end: str) -> None:
    for text in ((one + two) * 30_000 + end, "a.b/" + (one + two) * 30_000 + end):
        told(lambda text=text: ImageRef.parse(text))  # type: ignore[misc]


@fuzzed(400)
@given(st.lists(sightings, max_size=6))
def test_releases_come_about_in_the_order_of_their_tags(track: list[Sighting]) -> None:
    with bounded():
        found = came_about(track)
    assert len(found) == len(track)
    if any(each.built or each.at for each in track):
        return
    ranked = sorted((each.rank, at) for each, at in zip(track, found, strict=True) if each.rank is not None)
    assert all(older < newer for (one, newer), (two, older) in pairwise(ranked) if one != two)  # no time orders them


@fuzzed(150)
@given(st.dictionaries(st.one_of(st.sampled_from(("Owner", "team", "managed-by", "terraform", "STAGE")), texts), texts))
def test_tags_of_a_function_tell_an_owner_and_a_tool_or_nothing(found: dict[str, str]) -> None:
    with bounded():
        assert owner_of(found) in ("", *found.values())
        assert managed_by(found).isalpha() or managed_by(found) == ""
        assert managed_by(dict(reversed(found.items()))) in {managed_by(found)} or len(found) > 1
