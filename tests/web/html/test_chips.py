"""Chips: digests, tags, accounts, owners."""

import pytest

from functions_app.web.html import chips
from tests.factories import digest
from tests.web.html.hostile import ATTACK, harmless


def test_a_digest_shows_twelve_digits_the_whole_on_hover_and_copies() -> None:
    chip = chips.digest(digest("a"))
    assert f">{digest('a')[7:19]}</button>" in chip
    assert f'title="{digest("a")}"' in chip
    assert "data-copy" in chip


def test_no_digest_is_said() -> None:
    assert "no digest" in chips.digest("")


def test_tags_beyond_the_first_few_are_a_number_with_all_on_hover() -> None:
    shown = chips.tags(["a", "b", "c"], shown=2)
    assert shown.count('class="tag"') == 2
    assert '<span class="sub" title="a, b, c">+1</span>' in shown
    assert chips.tags([]) == ""


def test_an_account_has_one_of_the_colours_of_accounts() -> None:
    assert '"dot cyan"' in chips.account("production", "cyan")
    assert '"dot blue"' in chips.account("production", "no such colour")


def test_an_account_that_was_red_is_shown_in_a_colour_that_is_no_status() -> None:
    assert '"dot magenta"' in chips.account("production", "red")


@pytest.mark.parametrize(
    ("owner", "shown", "hover"),
    [("orders@harbour.example", ">orders<", 'title="orders@harbour.example"'), ("team-red", ">team-red<", "")],
)
def test_an_owner_is_short_with_the_whole_address_on_hover(owner: str, shown: str, hover: str) -> None:
    chip = chips.owner(owner)
    assert shown in chip
    assert hover in chip


def test_an_owner_nobody_knows_is_nothing() -> None:
    assert chips.owner("") == ""


def test_a_chip_never_lets_markup_through() -> None:
    for html in (
        chips.digest(ATTACK),
        chips.account(ATTACK, ATTACK),
        chips.tags([ATTACK] * 6),
        chips.copy_button(ATTACK, ATTACK),
        chips.owner(ATTACK),
        chips.owner(f"{ATTACK}@{ATTACK}"),
    ):
        assert harmless(html)


def test_digests_within_a_text_have_twelve_digits_and_other_numbers_all_of_theirs() -> None:
    digest, revision = "5f" * 32, "5f" * 20
    text = f"COPY file:{digest} of orders@sha256:{digest} in / # {revision}"
    assert chips.short_digests(text) == f"COPY file:{'5f' * 6} of orders@sha256:{'5f' * 6} in / # {revision}"
