"""The aliases of a function, a line each."""

from functions_app.web.html.aliases import aliases
from tests.factories import digest
from tests.web.html.hostile import ATTACK, harmless

LIVE = {"name": "live", "version": "7", "digest": digest("a"), "freshness": "stale", "reason": "why"}
SPLIT = {
    **LIVE,
    "second_version": "8",
    "second_digest": digest("b"),
    "second_weight": 0.1,
    "second_freshness": "current",
    "second_reason": "newest",
}


def test_an_alias_says_its_version_and_digest() -> None:
    line = aliases([LIVE], "", shown=4)
    assert line.count("<li>") == 1
    assert '<b class="v">7</b>' in line
    assert digest("a")[7:19] in line


def test_more_aliases_than_are_shown_are_counted() -> None:
    chips = [{"name": f"a{number}", "version": "1", "digest": digest(number)} for number in range(9)]
    assert "and 5 more" in aliases(chips, "", shown=4)


def test_a_split_says_both_shares_and_draws_them() -> None:
    line = aliases([SPLIT], "", shown=4)
    assert "<em>90 %</em>" in line
    assert "<em>10 %</em>" in line
    assert '<rect class="one" width="90" height="4"/><rect class="two" x="90" width="10" height="4"/>' in line


def test_verdicts_are_told_only_where_they_differ() -> None:
    assert "Stale" not in aliases([LIVE, {**LIVE, "name": "next"}], "", shown=4)
    assert "Stale" in aliases([LIVE, {**LIVE, "name": "next", "freshness": "current"}], "", shown=4)
    assert "Current" in aliases([SPLIT], "", shown=4)


def test_a_tag_that_moved_is_marked() -> None:
    assert "tag moved" in aliases([{**LIVE, "drifted": True}], "", shown=4)
    assert "tag moved" not in aliases([{**LIVE, "drifted": False}], "", shown=4)


def test_without_an_alias_latest_is_told() -> None:
    line = aliases([], digest("a"), shown=4)
    assert "$LATEST" in line
    assert digest("a")[7:19] in line


def test_an_alias_whose_digest_nobody_knows_says_so() -> None:
    assert "no digest" in aliases([{**LIVE, "digest": ""}], "", shown=4)


def test_an_alias_never_lets_markup_through() -> None:
    hostile = {
        **dict.fromkeys([*SPLIT, "drifted"], ATTACK),
        "second_weight": 0.1,
    }
    for html in (
        aliases([hostile], ATTACK, shown=3),
        aliases([hostile] * 4, "", shown=3),
        aliases([], ATTACK, shown=1),
    ):
        assert harmless(html)
