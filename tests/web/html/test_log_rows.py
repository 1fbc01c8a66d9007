"""Rows of a run's log."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from django.utils.html import escape

from functions_app.runlog import Line
from functions_app.services.inventory.runs.run_log import LogRow
from functions_app.services.inventory.runs.run_log import log_rows as read
from functions_app.web.html.log_rows import log_rows
from tests.web.html.hostile import ATTACK

AT = datetime(2026, 3, 1, 12, 0, 5, 42_999, tzinfo=UTC)
LINE = Line(sequence=7, at=AT, level="info", source="drydock", text="Pushed.")


def test_a_line_is_one_line_of_html_with_its_number_and_time() -> None:
    assert log_rows(read([LINE])) == (
        '<li class="ln info" id="L7" data-n="7"><a class="no" href="#L7" tabindex="-1">7</a>'
        '<time title="2026-03-01 12:00:05.042 UTC">12:00:05.042</time><span>Pushed.</span></li>\n'
    )


def test_a_level_worth_a_word_and_a_source_are_told() -> None:
    row = log_rows(read([replace(LINE, level="error", source="function")]))
    assert '<li class="ln error of-function"' in row
    assert "</time><b>error</b><span>" in row


def test_a_line_of_another_invocation_is_told_from_ours() -> None:
    row = log_rows(read([replace(LINE, source="other")]))
    assert '<li class="ln info of-other"' in row
    assert "</time><b>of another call</b><span>" in row


def test_times_are_utc_whatever_zone_they_came_in() -> None:
    there = AT.astimezone(timezone(timedelta(hours=-14)))
    assert read([replace(LINE, at=there)]) == read([LINE])
    assert read([replace(LINE, at=AT.replace(microsecond=0))])[0].clock == "12:00:05.000"


def test_rows_follow_each_other_and_none_are_nothing() -> None:
    assert log_rows(read([LINE, LINE])) == 2 * log_rows(read([LINE]))
    assert log_rows([]) == ""


def test_what_a_line_says_is_escaped() -> None:
    html = log_rows([LogRow("1", "", "", ATTACK, ATTACK, ATTACK)])
    assert "<script" not in html
    assert html.count(escape(ATTACK)) == 3
