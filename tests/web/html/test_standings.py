"""How functions stand on a base, and ends of life."""

import re
from datetime import date

import pytest

from functions_app.services.inventory.bases.base_list import Standing, Tally
from functions_app.web.html.standings import end, standing, standing_bar


@pytest.mark.parametrize(
    ("days", "said", "colour"),
    [(400, "in 400 d", ""), (90, "in 90 d", "warn"), (0, "today", "bad"), (-3, "3 d ago", "bad")],
)
def test_an_end_of_life_says_how_long_until_then(days: int, said: str, colour: str) -> None:
    text = end(date(2026, 6, 30), days)
    assert "2026-06-30" in text
    assert said in text
    assert (f'class="bdg {colour}"' in text) == bool(colour)


def test_an_end_nobody_knows_is_said() -> None:
    assert "no date known" in end(None, None)


@pytest.mark.parametrize("value", list(Standing))
def test_a_standing_is_an_icon_and_a_word(value: Standing) -> None:
    assert re.search(r"<svg.*</svg>(?:<b>4</b>&nbsp;)?[\w ]+</span>", standing(value, 4))


def test_the_shares_of_a_bar_fill_it() -> None:
    tally = Tally({Standing.CURRENT: 1, Standing.STALE: 3}, aliases=4, functions_through=0)
    widths = [float(width) for width in re.findall(r'width="([\d.]+)"', standing_bar(tally))]
    assert widths == [25.0, 75.0]
