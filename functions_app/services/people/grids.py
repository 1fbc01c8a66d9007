"""How people have the functions list: kept with the person, and read with them."""

from collections.abc import Collection

from django.contrib.auth.models import User

from functions_app.domain.fleet.grid import Grid, grid_of
from functions_app.models import GridChoice


def grid_for(person: User) -> Grid:
    """As this person chose it. No query: the backend reads it with who is signed in."""
    return grid_of(getattr(person, "grid_columns", None), getattr(person, "grid_density", None))


def keep_grid(person: User, columns: Collection[str], density: str) -> None:
    """Keep what somebody chose; what is no column or density is left out."""
    grid = grid_of(columns, density)
    chosen = {"columns": [*grid.columns], "density": grid.density.value}
    GridChoice.objects.update_or_create(person=person, defaults=chosen)
