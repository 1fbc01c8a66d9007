"""What differs between the configuration of two versions. Of variables the names alone: values never leave aws/."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NAMED = 60  # variables that are told by name: Lambda takes 4 KB of them, and names may be short


@dataclass(frozen=True)
class Part:
    """A part of the configuration as two versions have it, in words; `same` was decided where the values are."""

    name: str
    before: str
    after: str
    same: bool


@dataclass(frozen=True)
class Variables:
    """Names of variables that one of two environments has alone, or that have other values."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """One setting that differs, as a row of from and to."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """How the configuration of what is to come differs from that of `version`.

    `unread`: what AWS did not tell of one of them, so that nobody knows. `same_hash`: what ConfigSha256 says, which is
    a hint and no more, since AWS does not document what it covers.
    """

    version: str
    differences: tuple[Difference, ...] = ()
    unread: tuple[str, ...] = ()
    same_hash: bool | None = None

    @property
    def known(self) -> bool:
        """Whether all of it could be compared."""
        return not self.unread

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Comparison":
        """Read what `dataclasses.asdict` made of it."""
        rows = tuple(Difference(**row) for row in value["differences"])
        return cls(value["version"], rows, tuple(value["unread"]), value["same_hash"])


def compared(
    version: str, parts: Iterable[Part], variables: Variables, unread: Iterable[str], same_hash: bool | None
) -> Comparison:
    """The differences among the parts, then those of the environment by name."""
    settings = [Difference(part.name, *_told_apart(part)) for part in parts if not part.same]
    return Comparison(version, (*settings, *_of_variables(variables)), tuple(unread), same_hash)


def _told_apart(part: Part) -> tuple[str, str]:
    """Before and after; where both read the same, since what differs is not shown, the second says that it differs."""
    if part.before == part.after:
        return part.before, f"{part.after} (changed in what is not shown)"
    return part.before, part.after


def _of_variables(variables: Variables) -> Iterator[Difference]:
    rows = [
        *(Difference(f"Variable {name}", "not set", "set") for name in variables.added),
        *(Difference(f"Variable {name}", "set", "not set") for name in variables.removed),
        *(Difference(f"Variable {name}", "set", "changed") for name in variables.changed),
    ]
    yield from rows[:NAMED]
    if len(rows) > NAMED:
        yield Difference("Variables", "", f"{len(rows) - NAMED} more differ")
