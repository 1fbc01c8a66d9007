"""How a person has the functions list: which columns, and how dense."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Density(StrEnum):
    """How high a line is."""

    COMPACT = "compact"
    COMFORTABLE = "comfortable"


COLUMNS = ("account", "region", "alias", "digest", "base", "state", "deployed", "changed", "owner", "tool")
DEFAULT = ("account", "alias", "digest", "base", "state", "deployed", "owner")


@dataclass(frozen=True)
class Grid:
    """The columns beside the function, in their order, and the density."""

    columns: tuple[str, ...] = DEFAULT
    density: Density = Density.COMPACT


def grid_of(columns: Collection[str] | None, density: str | None) -> Grid:
    """What somebody chose, as far as it is known; None: nothing was chosen."""
    chosen = DEFAULT if columns is None else tuple(column for column in COLUMNS if column in columns)
    return Grid(chosen, Density.COMFORTABLE if density == Density.COMFORTABLE else Density.COMPACT)
