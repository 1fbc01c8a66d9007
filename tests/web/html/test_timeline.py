"""The timeline of a base."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from functions_app.services.inventory.bases.base import Mark
from functions_app.web.html.timeline import timeline
from tests.factories import NOW
from tests.web.html.hostile import ATTACK, harmless

MARK = Mark(1, "3.12.new", NOW, "linux/amd64", current=True, aliases=3)


def test_the_timeline_has_its_newest_at_the_right_and_room_between() -> None:
    marks = [replace(MARK, pk=number, created_at=NOW - timedelta(days=90 - number)) for number in range(30)]
    text = timeline(marks)
    places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', text.split('class="timeline close"')[1])]
    assert all(after - before >= 60 for before, after in pairwise(places))


def test_the_timeline_holds_no_styles_and_no_markup_from_outside() -> None:
    text = timeline([replace(MARK, label=ATTACK)])
    assert "style=" not in text
    assert harmless(text)


def test_a_release_nobody_runs_has_no_bar() -> None:
    assert "<rect" in timeline([MARK])
    assert "<rect" not in timeline([replace(MARK, aliases=0)])


def test_releases_of_one_moment_are_drawn_apart() -> None:
    assert timeline([MARK, replace(MARK, pk=2)]).count("<circle") == 4


def test_a_timeline_of_nothing_is_nothing() -> None:
    assert timeline([]) == ""
