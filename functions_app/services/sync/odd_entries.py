"""Entries of a listing that can't be understood: each costs itself alone, keeps what it was known as, and is told."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from functions_app.domain.errors import Code, Problem
from functions_app.domain.fleet.functions import LATEST, OddEntry
from functions_app.domain.fleet.parts import Part
from functions_app.models import Function
from functions_app.services.snapshot.missed_parts import store_missed
from functions_app.services.snapshot.scope_reading import ScopeRead, blame

NEXT_STEP = "What was known before stays. See whether a newer Drydock understands it."


@dataclass
class OddEntries:
    """Those of one listing."""

    entries: list[OddEntry] = field(default_factory=list)

    @property
    def nameless(self) -> bool:
        """Whether one does not even say whose it is: then nothing that is not listed is surely gone."""
        return any(not entry.function for entry in self.entries)

    def keeps(self, function: str, number: str) -> bool:
        """Whether a version that is not among those listed may be there all the same."""
        return any(entry.function == function and entry.version in ("", number) for entry in self.entries)

    def spares(self, function: str) -> bool:
        """Whether a function that is not among those listed may be there all the same."""
        return self.nameless or any(entry.function == function for entry in self.entries)


def store_odd(
    scope: ScopeRead, odd: OddEntries, before: Mapping[str, Function], listed: Collection[str], *, others: int
) -> None:
    """Keep with the functions that are known, and not among those listed, what was odd; tell of all in the log.

    `others`: entries that are no image functions. The region was read where these are all that could be understood.
    """
    unlisted = before.keys() - listed
    kept = {before[entry.function].pk: _problem(entry) for entry in odd.entries if entry.function in unlisted}
    store_missed(Part.SETTINGS, {pk: (scope.now, problem) for pk, problem in kept.items()})
    failures = {_name(entry): (scope.now, _problem(entry)) for entry in odd.entries}
    blame(scope, "settings", failures, answers=len(listed) + others)


def _problem(entry: OddEntry) -> Problem:
    return Problem(Code.FAILED, f"AWS's entry can't be understood: {entry.why}.", next_step=NEXT_STEP)


def _name(entry: OddEntry) -> str:
    name = entry.function or "a function without a name"
    return name if entry.version in ("", LATEST) else f"{name}:{entry.version}"
