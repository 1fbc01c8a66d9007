"""Amounts in words."""

import pytest

from functions_app.web.html.amounts import behind, percent, size


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (213_400_000, "213.4 MB"), (2e12, "2000.0 GB")]
)
def test_a_size_has_a_unit(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(("weight", "text"), [(1.0, "100 %"), (0.1, "10 %"), (0.005, "0.5 %"), (1 - 0.1, "90 %")])
def test_a_share_is_a_percentage(weight: float, text: str) -> None:
    assert percent(weight) == text


@pytest.mark.parametrize(
    ("releases", "days", "text"), [(0, 0, ""), (1, 0, "1 release"), (3, 41, "3 releases, 41 d"), (0, 2, "2 d")]
)
def test_how_far_behind_leaves_out_what_is_nothing(releases: int, days: int, text: str) -> None:
    assert behind(releases, days) == text
