"""The burn-down's bars and rows as markup: each day one, in order, with its words escaped."""

from datetime import date

from functions_app.services.inventory.overview.burn_down import BurnDown, Day
from functions_app.web.html.burn_down import day_bars, day_rows, draw

FOUND = BurnDown(
    date(2026, 11, 1),
    ("<b>python</b>", "nodejs:22"),
    (Day(date(2026, 11, 1), (3, 1), 2), None, Day(date(2026, 11, 3), (0, 0), 0)),
)


def test_a_day_is_a_bar_of_its_bases_with_words_to_point_at() -> None:
    drawing = draw(FOUND)
    assert drawing
    first, last = day_bars(drawing.columns).split("</g>")[:2]
    assert first.startswith(
        "<g><title>2026-11-01: 4 stale (&lt;b&gt;python&lt;/b&gt; 3, nodejs:22 1), 2 overdue</title>"
        '<rect class="day" x="0" width="10" height="100"/>'
    )
    assert '<rect class="s0" x="1" y="25.0" width="8" height="75.0"/><rect class="s1" x="1" y="0.0"' in first
    assert last == (
        '<g><title>2026-11-03: 0 stale, 0 overdue</title><rect class="day" x="20" width="10" height="100"/>'
    )


def test_a_computed_day_is_marked_in_the_bar_its_words_and_the_table() -> None:
    drawing = draw(BurnDown(date(2026, 11, 1), ("python",), (Day(date(2026, 11, 1), (3,), 0, computed=True),)))
    assert drawing
    assert drawing.computed
    assert day_bars(drawing.columns).startswith(
        '<g class="computed"><title>2026-11-01: 3 stale (python 3), 0 overdue, computed'
    )
    assert '2026-11-01 <span class="sub">computed</span>' in day_rows(drawing.table)


def test_the_table_has_a_row_for_each_day_that_was_counted_the_latest_first() -> None:
    drawing = draw(FOUND)
    assert drawing
    assert day_rows(drawing.table) == (
        '<tr><th scope="row" class="nb">2026-11-03</th><td class="r"><b>0</b></td><td class="r">0</td>'
        '<td class="r">0</td><td class="r">0</td></tr>'
        '<tr><th scope="row" class="nb">2026-11-01</th><td class="r"><b>4</b></td><td class="r">2</td>'
        '<td class="r">3</td><td class="r">1</td></tr>'
    )
