"""The aliases of a patch: which versions of each make way for the new one, and what becomes of a split. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from functions_app.domain.changes.aliases import AliasState, version_name
from functions_app.domain.images.lambda_rules import Check

NEW = version_name("")  # no version has this name: what is yet to be published


@dataclass(frozen=True)
class Patched:
    """An alias of the plan: where it points, what it ran, and whether it carries production traffic.

    `replaced` are its versions that run the image which is patched; none are named where that is all it runs.
    """

    alias: str
    before: AliasState
    before_digest: str
    production: bool
    replaced: tuple[str, ...] = ()

    def after(self, version: str = NEW) -> AliasState:
        """Where it points once it is patched: the version takes the place, and the share, of those that it replaces."""
        return replacing(self.before, self.replaced or self.before.shares(), version)

    @property
    def goes_to(self) -> str:
        """Where that is, as the rest of "publish a version, then point it to ..."."""
        after = self.after()
        return str(after) if after.second_version else "it"

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Patched":
        """Read what `dataclasses.asdict` made of it."""
        own = {"before": AliasState(**value["before"]), "replaced": tuple(value.get("replaced", ()))}
        return cls(**{**value, **own})


def replacing(before: AliasState, versions: Collection[str], new: str) -> AliasState:
    """An alias with another version in the place of these: what runs beside them keeps its share of the calls."""
    kept = [number for number in before.shares() if number not in versions]
    if not kept:
        return AliasState(new)
    if kept == [before.version]:
        return AliasState(before.version, new, before.second_weight)
    return AliasState(new, before.second_version, before.second_weight)


def split_check(one: Patched) -> Check:
    """What becomes of an alias, and of its split where it has one."""
    if len(one.before.shares()) < 2:
        return Check("Alias", True, f"{one.alias} points to {one.before}.")
    kept = [number for number in one.before.shares() if number not in one.replaced]
    if not kept:
        becomes = "both run the image that is patched, and the new version gets all of its calls"
    else:
        becomes = f"{version_name(kept[0])} keeps its share, and the new version gets the other"
    text = f"{one.alias} is split: {one.before}; {becomes}. If a rollout is shifting its calls, let that end first."
    return Check("Alias", None, text)
