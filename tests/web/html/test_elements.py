"""The small parts: digests, badges, sizes, times, page links."""

from datetime import UTC, datetime, timedelta

import pytest

from functions_app.web.html import elements
from functions_app.web.page_links import page_links
from tests.factories import digest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "just now"),
        (40, "40 s ago"),
        (61, "1 min ago"),
        (7300, "2 h ago"),
        (100_000, "27 h ago"),
        (200_000, "2 d ago"),
        (70_000_000, "2 y ago"),
        (-240, "in 4 min"),
    ],
)
def test_a_time_is_relative_with_the_exact_one_on_hover(seconds: int, text: str) -> None:
    then = NOW - timedelta(seconds=seconds)
    shown = elements.ago(then, NOW)
    assert f">{text}</time>" in shown
    assert f'title="{then:%Y-%m-%d %H:%M:%S} UTC"' in shown


def test_no_time_is_never() -> None:
    assert "never" in elements.ago(None)


def test_a_digest_shows_twelve_digits_the_whole_on_hover_and_copies() -> None:
    chip = elements.digest(digest("a"))
    assert f">{digest('a')[7:19]}</button>" in chip
    assert f'title="{digest("a")}"' in chip
    assert "data-copy" in chip


def test_stale_says_how_far_behind_and_unknown_why() -> None:
    assert "3 releases, 41 d" in elements.freshness("stale", "why", 3, 41)
    assert "1 release, 2 d" in elements.freshness("stale", "why", 1, 2)
    assert 'title="No layer is known."' in elements.freshness("unknown", "No layer is known.")


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (213_400_000, "213.4 MB"), (2e12, "2000.0 GB")]
)
def test_a_size_has_a_unit(count: int, text: str) -> None:
    assert elements.size(count) == text


def test_a_part_never_lets_markup_through() -> None:
    attack = '"><script>x</script>'
    for html in (
        elements.digest(attack),
        elements.freshness("stale", attack),
        elements.state(attack, attack),
        elements.account(attack, attack),
        elements.tags([attack]),
        elements.badge(attack, "x", "bad", attack),
        elements.copy_button(attack, attack),
        elements.aliases([{"name": attack, "version": attack, "digest": attack}], attack, shown=3),
    ):
        assert "<script" not in html


def test_more_aliases_than_are_shown_are_counted() -> None:
    chips = [{"name": f"a{number}", "version": "1", "digest": digest(number)} for number in range(9)]
    assert "and 5 more" in elements.aliases(chips, "", shown=4)


def test_page_links_show_first_last_and_neighbours() -> None:
    links = page_links(6, 200, lambda number: f"?page={number}")
    assert [link.number for link in links.links] == [1, 0, 4, 5, 6, 7, 8, 0, 200]
    assert (links.before, links.after) == ("?page=5", "?page=7")


def test_a_single_page_has_no_way_on() -> None:
    links = page_links(1, 1, str)
    assert (links.before, links.after, len(links.links)) == ("", "", 1)


@pytest.mark.parametrize(
    ("owner", "shown", "hover"),
    [("orders@harbour.example", ">orders<", 'title="orders@harbour.example"'), ("team-red", ">team-red<", "")],
)
def test_an_owner_is_short_with_the_whole_address_on_hover(owner: str, shown: str, hover: str) -> None:
    chip = elements.owner(owner)
    assert shown in chip
    assert hover in chip
