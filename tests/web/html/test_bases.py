"""The parts of base images: standings, ends of life, the timeline, and what a file is."""

import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest

from functions_app.domain.layers.entries import FileEntry
from functions_app.services.inventory.bases.base import Mark
from functions_app.services.inventory.bases.base_list import Standing, Tally
from functions_app.web.html import bases
from tests.factories import NOW

MARK = Mark(1, "3.12.new", NOW, "linux/amd64", current=True, aliases=3)


@pytest.mark.parametrize(
    ("days", "said", "colour"),
    [(400, "in 400 d", ""), (90, "in 90 d", "warn"), (0, "today", "bad"), (-3, "3 d ago", "bad")],
)
def test_an_end_of_life_says_how_long_until_then(days: int, said: str, colour: str) -> None:
    text = bases.end(date(2026, 6, 30), days)
    assert "2026-06-30" in text
    assert said in text
    assert (f'class="bdg {colour}"' in text) == bool(colour)


def test_an_end_nobody_knows_is_said() -> None:
    assert "no date known" in bases.end(None, None)


@pytest.mark.parametrize("value", list(Standing))
def test_a_standing_is_an_icon_and_a_word(value: Standing) -> None:
    assert re.search(r"<svg.*</svg>(?:<b>4</b>&nbsp;)?[\w ]+</span>", bases.standing(value, 4))


def test_the_shares_of_a_bar_fill_it() -> None:
    tally = Tally({Standing.CURRENT: 1, Standing.STALE: 3}, aliases=4, functions_through=0)
    widths = [float(width) for width in re.findall(r'width="([\d.]+)"', bases.standing_bar(tally))]
    assert widths == [25.0, 75.0]


def test_the_timeline_has_its_newest_at_the_right_and_room_between() -> None:
    marks = [replace(MARK, pk=number, created_at=NOW - timedelta(days=90 - number)) for number in range(30)]
    text = bases.timeline(marks)
    places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', text.split('class="timeline close"')[1])]
    assert all(after - before >= 60 for before, after in pairwise(places))


def test_the_timeline_holds_no_styles_and_no_markup_from_outside() -> None:
    text = bases.timeline([replace(MARK, label="<script>x</script>")])
    assert "style=" not in text
    assert "<script>" not in text


def test_releases_of_one_moment_are_drawn_apart() -> None:
    assert bases.timeline([MARK, replace(MARK, pk=2)]).count("<circle") == 4


def test_a_timeline_of_nothing_is_nothing() -> None:
    assert bases.timeline([]) == ""


def test_a_file_says_what_it_is() -> None:
    assert "1.5 kB" in bases.file_facts(FileEntry("a", "file", 1500))
    assert "→ usr/lib" in bases.file_facts(FileEntry("lib", "symlink", link="usr/lib"))
    assert "directory" in bases.file_facts(FileEntry("d", "dir"))


def test_another_mode_is_said() -> None:
    assert "mode 0755" in bases.file_facts(FileEntry("a", "file", 1, mode=0o755), FileEntry("a", "file", 1))
