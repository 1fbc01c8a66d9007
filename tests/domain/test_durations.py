"""How long something took, in words."""

from datetime import timedelta

import pytest

from functions_app.domain.durations import span, span_of_ms


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 ms"),
        (-3, "0 ms"),
        (0.0402, "40 ms"),
        (0.9994, "999 ms"),
        (0.9996, "999 ms"),
        (1.44, "1.4 s"),
        (20.00474, "20.0 s"),
        (59.999, "59.9 s"),
        (60, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3599.6, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (7800, "2 h 10 min"),
        (47 * 3600, "47 h 0 min"),
        (76 * 3600, "3 d 4 h"),
    ],
)
def test_the_words_have_a_unit_that_fits(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


def test_what_lambda_counts_in_milliseconds_is_written_alike() -> None:
    assert span_of_ms(20004.74) == "20.0 s"


@pytest.mark.parametrize("nonsense", [-1.0, float("inf"), float("nan"), 1e18])
def test_what_can_be_no_duration_is_a_dash(nonsense: float) -> None:
    assert span_of_ms(nonsense) == "—"
