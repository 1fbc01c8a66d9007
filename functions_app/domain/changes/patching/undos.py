"""Undoing a patch: every alias to the version and weights it had, and $LATEST to the image it had. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from functions_app.domain.changes.alias_moves import AliasMove
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.deployments import short
from functions_app.domain.fleet.functions import FunctionPlace
from functions_app.domain.images.lambda_rules import Check

UNDONE = "It was undone."


def undo_refused(why: str) -> str:
    """Why a patch has no undo, as its page says it; '' where it has one."""
    return why if why in ("", UNDONE) else f"It can't be undone by one click: {why}"


@dataclass(frozen=True)
class Returned:
    """An alias that goes back: where it points `now` and where it pointed, with the image that it is to run again."""

    alias: str
    now: AliasState
    to: AliasState
    to_image: str  # HOST/NAME@DIGEST
    production: bool


@dataclass(frozen=True, kw_only=True)
class UndoPlan:
    """What undoing a patch does. `gives_back`: $LATEST still runs the patched image, and gets back `image_uri`."""

    place: FunctionPlace
    run_id: int
    aliases: tuple[Returned, ...]
    image_uri: str  # what $LATEST is given: HOST/NAME@DIGEST of before
    from_digest: str  # what $LATEST runs
    to_digest: str  # what $LATEST ran before the patch
    function_revision: str
    gives_back: bool
    checks: tuple[Check, ...]
    stays: str = ""  # what is left as it is of what was patched before the function: domain.changes.patching.golden

    @property
    def title(self) -> str:
        """What it does, in one line."""
        which = f":{','.join(one.alias for one in self.aliases)}" if self.aliases else ""
        return f"Undo the patch of {self.place.name}{which}"

    @property
    def confirm(self) -> str:
        """What has to be typed: the names of the aliases that carry production traffic, else ''."""
        return ", ".join(one.alias for one in self.aliases if one.production)

    @property
    def moves(self) -> tuple[AliasMove, ...]:
        """What its steps do with the aliases."""
        return tuple(
            AliasMove(
                place=self.place,
                alias=one.alias,
                before=one.now,
                to_digest=one.to_image.partition("@")[2],
                uri=one.to_image,
            )
            for one in self.aliases
        )

    def steps(self) -> tuple[str, ...]:
        """What will happen, in order."""
        code = (f"Give $LATEST back {short(self.to_digest)}, and wait until Lambda has taken it.",)
        return (
            "Check that nothing was changed since this plan.",
            *(f"Point {one.alias} from {one.now} back to {one.to}." for one in self.aliases),
            *(("Read back and compare the digests.",) if self.aliases else ()),
            *(code if self.gives_back else ()),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values for the plan's body."""
        return {**asdict(self), "title": self.title}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "UndoPlan":
        """Read what `as_json` wrote; other keys are left aside."""
        plain = ("run_id", "image_uri", "from_digest", "to_digest", "function_revision", "gives_back")
        states = ({**one, "now": AliasState(**one["now"]), "to": AliasState(**one["to"])} for one in value["aliases"])
        return cls(
            **{name: value[name] for name in plain},
            place=FunctionPlace(**value["place"]),
            aliases=tuple(Returned(**one) for one in states),
            checks=tuple(Check(**one) for one in value["checks"]),
            stays=value.get("stays", ""),
        )
