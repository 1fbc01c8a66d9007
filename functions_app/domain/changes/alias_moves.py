"""An alias on its way from where it points to where a plan wants it: what the steps of every change need. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.fleet.functions import LATEST, FunctionPlace


@dataclass(frozen=True, kw_only=True)
class AliasMove:
    """An alias of a function that is to run `to_digest`, the image HOST/NAME@DIGEST at `uri`.

    `new_latest`: the change gives $LATEST that image too.
    """

    place: FunctionPlace
    alias: str
    before: AliasState
    to_digest: str
    uri: str
    new_latest: bool = False

    @property
    def was_latest(self) -> bool:
        """Whether the alias pointed to $LATEST, which is another image by now: there is no way back to that."""
        return self.before.version == LATEST and self.new_latest

    def proof(self, goal: AliasState) -> str:
        """The qualifier whose digest shows that the move was made: an alias gives that of its first version."""
        second_is_new = goal.second_version not in ("", *self.before.shares())
        return goal.second_version if second_is_new else self.alias

    def as_json(self) -> dict[str, Any]:
        """Plain values for a plan's body."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "AliasMove":
        """Read what `as_json` wrote."""
        made = {"place": FunctionPlace(**value["place"]), "before": AliasState(**value["before"])}
        return cls(**{**value, **made})


def versions_put(plan: Mapping[str, Any], version: str | None, alias: str) -> frozenset[str]:
    """Where a run may have pointed the alias, by its plan's body and the version it published; "": it was deleted.

    A plan names its one alias, or has all of them under `aliases`; none where the alias is not among them.
    """
    found = {version}
    own = [one for one in (plan, *plan.get("aliases", ())) if one.get("alias") == alias]
    for one in own:
        found |= {one.get("to_version")} | {(one.get(key) or {}).get("version") for key in ("before", "now", "to")}
    return frozenset(put for put in found if put is not None) if own else frozenset()
