"""Processes that end are named, and then once a minute, however often they end."""

import pytest

from dashboard.serving.reports import Reports


@pytest.fixture
def told() -> tuple[Reports, list[str]]:
    lines: list[str] = []
    return Reports(lines.append), lines


def test_one_that_ends_and_comes_back_is_told_of_twice(told: tuple[Reports, list[str]]) -> None:
    reports, lines = told
    reports.ended("beat", "terminated by SIGKILL", 100.0)
    reports.runs("beat", 106.4)
    reports.minute(110.0)
    assert lines == ["beat ended (terminated by SIGKILL): starting it again.", "beat runs again after 6 s."]


def test_one_that_does_not_come_back_is_told_of_once_a_minute(told: tuple[Reports, list[str]]) -> None:
    reports, lines = told
    for second in range(0, 50, 5):
        reports.ended("web", "exit status 1", float(second))
    reports.minute(60.0)
    reports.minute(120.0)
    assert lines[1:] == [
        "web ended 9 more times (exit status 1): away for 60 s, trying on.",
        "web has ended (exit status 1): away for 120 s, trying on.",
    ]


def test_one_that_comes_and_goes_is_told_of_once_a_minute(told: tuple[Reports, list[str]]) -> None:
    reports, lines = told
    for second in range(0, 55, 10):
        reports.ended("tick", "exit status 1", float(second))
        reports.runs("tick", second + 6.0)
    reports.minute(60.0)
    assert lines == [
        "tick ended (exit status 1): starting it again.",
        "tick runs again after 6 s.",
        "tick ended 5 more times (exit status 1): it runs again.",
    ]


def test_those_that_run_are_not_told_of(told: tuple[Reports, list[str]]) -> None:
    reports, lines = told
    reports.runs("beat", 5.0)
    reports.minute(60.0)
    assert lines == []
