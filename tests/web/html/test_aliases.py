"""An alias, as lists show it."""

import itertools

from functions_app.web.html.aliases import alias
from tests.web.html.hostile import ATTACK, harmless


def test_an_alias_says_where_it_points_and_its_whole_name_on_hover() -> None:
    line = alias("live", "7")
    assert '<span class="al" title="live">live</span>' in line
    assert '<b class="v">7</b>' in line


def test_aliases_that_are_not_shown_are_counted_and_named_on_hover() -> None:
    assert 'title="Not shown: canary → 8, next → 9">+2</span>' in alias("live", "7", others=("canary → 8", "next → 9"))
    assert "Not shown" not in alias("live", "7")


def test_a_split_says_both_shares_and_draws_them() -> None:
    line = alias("live", "7", "8", 0.1)
    assert "<em>90 %</em>" in line
    assert '<b class="v">8</b><em>10 %</em>' in line
    assert '<rect class="one" width="90" height="4"/><rect class="two" x="90" width="10" height="4"/>' in line


def test_a_second_version_without_calls_is_no_split() -> None:
    assert "%" not in alias("live", "7", "8", 0.0)


def test_a_tag_that_moved_is_marked() -> None:
    assert "tag moved" in alias("live", "7", drifted=True)
    assert "tag moved" not in alias("live", "7")


def test_what_only_keeps_a_way_back_is_marked() -> None:
    assert 'aria-label="way back"' in alias("previous", "6", kept=True)
    assert "way back" not in alias("previous", "6")


def test_without_an_alias_latest_is_told() -> None:
    assert "$LATEST" in alias("", "$LATEST")


def test_an_alias_never_lets_markup_through() -> None:
    for name, second in itertools.product(("", ATTACK), repeat=2):
        assert harmless(alias(name, ATTACK, second, 0.1, unread=ATTACK, others=(ATTACK,)))
