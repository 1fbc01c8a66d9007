"""Days before the first count, worked out from when versions were published and when their bases became stale."""

from datetime import date, timedelta

import pytest

from functions_app.domain.bases.days_before import Lived, Published, Stood, days_before

FIRST = date(2026, 11, 10)
PYTHON, NODE = "python:3.12", "nodejs:22"


def ago(days: int) -> date:
    """So many days before the first that was counted."""
    return FIRST - timedelta(days=days)


@pytest.mark.parametrize(
    ("function", "stale", "current"),
    [
        pytest.param(Lived(1, [Published(ago(90), PYTHON)]), [0, 0, 0, 0], [1, 1, 1, 1], id="never stale"),
        pytest.param(Lived(1, [Published(ago(90), PYTHON, ago(80))]), [1, 1, 1, 1], [0, 0, 0, 0], id="stale all along"),
        pytest.param(Lived(1, [Published(ago(90), PYTHON, ago(2))]), [0, 0, 1, 1], [1, 1, 0, 0], id="a release came"),
        pytest.param(Lived(1, [Published(ago(2), PYTHON)]), [0, 0, 0, 0], [0, 0, 1, 1], id="not published before"),
        pytest.param(Lived(1, [Published(ago(2), PYTHON, ago(9))]), [0, 0, 1, 1], [0, 0, 0, 0], id="old when built"),
        pytest.param(
            Lived(1, [Published(ago(90), PYTHON, ago(30)), Published(ago(1), PYTHON)]),
            [1, 1, 1, 0],
            [0, 0, 0, 1],
            id="a deployment ended it",
        ),
        pytest.param(
            Lived(1, [Published(ago(90), PYTHON, ago(30)), Published(FIRST, PYTHON)]),
            [1, 1, 1, 1],
            [0, 0, 0, 0],
            id="deployed on the day that was counted",
        ),
        pytest.param(Lived(1, []), [0, 0, 0, 0], [0, 0, 0, 0], id="nothing known"),
    ],
)
def test_a_function_stands_as_its_version_of_the_day_did(function: Lived, stale: list[int], current: list[int]) -> None:
    found = {stood.day: stood for stood in days_before(FIRST, 4, [function])}
    days = [found.get(ago(number), Stood(ago(number), 1, PYTHON, 0, 0, 0)) for number in (4, 3, 2, 1)]
    assert ([day.stale for day in days], [day.current for day in days]) == (stale, current)


def test_accounts_and_bases_are_counted_apart() -> None:
    functions = [
        Lived(1, [Published(ago(9), PYTHON, ago(9))]),
        Lived(1, [Published(ago(9), PYTHON, ago(9))]),
        Lived(1, [Published(ago(9), NODE)]),
        Lived(2, [Published(ago(9), PYTHON)]),
    ]
    assert days_before(FIRST, 1, functions) == [
        Stood(ago(1), 1, NODE, 1, 0, 0),
        Stood(ago(1), 1, PYTHON, 0, 2, 0),
        Stood(ago(1), 2, PYTHON, 1, 0, 0),
    ]


def test_what_is_overdue_now_was_from_its_day_and_not_while_an_earlier_version_was_live() -> None:
    function = Lived(1, [Published(ago(90), PYTHON, ago(30)), Published(ago(3), PYTHON, ago(9))], ago(2))
    assert [stood.overdue for stood in days_before(FIRST, 4, [function])] == [0, 0, 1, 1]


def test_another_base_takes_the_place_of_the_first_on_the_day_of_the_deployment() -> None:
    function = Lived(1, [Published(ago(9), PYTHON, ago(9)), Published(ago(1), NODE)])
    assert days_before(FIRST, 2, [function]) == [Stood(ago(2), 1, PYTHON, 0, 1, 0), Stood(ago(1), 1, NODE, 1, 0, 0)]
