"""A rebased image has a tag of its own, which never moves."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.rebase.tags import is_rebased, longer_tags, rebased_tag
from functions_app.domain.refs import is_tag

DIGEST = "sha256:" + "0123456789abcdef" * 4
RELEASED = datetime(2026, 10, 18, 13, tzinfo=UTC)


def test_it_tells_whose_it_was_the_bases_day_and_the_digest() -> None:
    assert rebased_tag("v1.2", RELEASED, DIGEST) == "v1.2-base-20261018-01234567"


def test_an_earlier_end_is_replaced() -> None:
    earlier = "v1.2-base-20260901-aaaaaaaa"

    assert rebased_tag(earlier, RELEASED, DIGEST) == "v1.2-base-20261018-01234567"
    assert rebased_tag(f"{earlier}-base-20260902-bbbbbbbb", RELEASED, DIGEST) == "v1.2-base-20261018-01234567"


def test_what_only_looks_like_such_an_end_stays() -> None:
    assert rebased_tag("my-base-2026", RELEASED, DIGEST) == "my-base-2026-base-20261018-01234567"


def test_it_is_known_by_its_end() -> None:
    assert is_rebased(rebased_tag("v1.2", RELEASED, DIGEST))
    assert not any(map(is_rebased, ("v1.2", "my-base-2026", "v1.2-base-20261018-01234567-arm64")))


def test_an_image_without_a_tag_is_img() -> None:
    assert rebased_tag("", RELEASED, DIGEST) == "img-base-20261018-01234567"


def test_a_long_tag_is_cut_at_its_end() -> None:
    assert rebased_tag("a" * 128, RELEASED, DIGEST) == "a" * 105 + "-base-20261018-01234567"


def test_the_day_is_that_of_utc() -> None:
    late = datetime(2026, 10, 18, 23, tzinfo=timezone(timedelta(hours=-5)))

    assert rebased_tag("v1", late, DIGEST) == "v1-base-20261019-01234567"


def test_where_it_names_another_image_more_of_the_digest_tells_them_apart_and_is_replaced_later() -> None:
    tag = rebased_tag("v1.2", RELEASED, DIGEST)

    longer = longer_tags(tag, DIGEST)

    assert longer[:3] == (tag, "v1.2-base-20261018-0123456789ab", "v1.2-base-20261018-0123456789abcdef")
    assert longer[-1] == f"v1.2-base-20261018-{DIGEST[7:]}"
    assert {rebased_tag(each, RELEASED, DIGEST) for each in longer} == {tag}


def test_a_longer_one_is_cut_where_its_beginning_is_long() -> None:
    longest = longer_tags(rebased_tag("a" * 128, RELEASED, DIGEST), DIGEST)[-1]

    assert len(longest) == 128
    assert longest.endswith(f"a-base-20261018-{DIGEST[7:]}")


@given(st.one_of(st.text(max_size=140), st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", fullmatch=True)))
def test_every_registry_takes_it_and_a_second_time_changes_nothing(tag: str) -> None:
    once = rebased_tag(tag, RELEASED, DIGEST)

    assert is_tag(once)
    assert once.endswith("-base-20261018-01234567")
    assert rebased_tag(once, RELEASED, DIGEST) == once
