"""How a person has the functions list."""

from functions_app.domain.fleet.grid import DEFAULT, Density, Grid, grid_of


def test_who_chose_nothing_has_the_usual_columns_in_compact_lines() -> None:
    assert grid_of(None, None) == Grid(DEFAULT, Density.COMPACT)


def test_columns_keep_their_order_and_what_is_none_is_left_out() -> None:
    assert grid_of(["owner", "alias", "password"], "comfortable") == Grid(("alias", "owner"), Density.COMFORTABLE)
    assert grid_of([], "huge") == Grid((), Density.COMPACT)
