"""A golden image goes onto the current release of its own base before what stands on it follows. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions_app.domain.changes.base_changes import counted
from functions_app.domain.changes.patching.base_moves import BaseMove, RebasePlan
from functions_app.domain.tokens import Beside

DEEPEST = 4  # golden images upon each other: more than anybody builds, and an end to streams that stand on each other


@dataclass(frozen=True, kw_only=True)
class GoldenPatch(RebasePlan):
    """A golden image's current release, and what becomes of it on the current release of its own base.

    `moving` (HOST/NAME:TAG) stays where its owner has put it. `there`: the result had been pushed before this was
    planned.
    """

    name: str
    stream_id: int
    release_id: int
    label: str
    moving: str
    there: bool

    @property
    def beside(self) -> Beside:
        """It as what a patch changes beside its function: the stream's newest release is another one for all."""
        return Beside(self.account, "", f"the golden image {self.name}")

    @property
    def step(self) -> str:
        """What is done about it, in one line."""
        where = self.repository.partition("/")[2]
        onto = f"{self.base.stream} {self.base.to_label}"
        if self.there:
            return (
                f"Rebase golden image {self.name} {self.label} onto {onto}: repository {where} has that as {self.tag} "
                "already, so that nothing is pushed."
            )
        return (
            f"Rebase golden image {self.name} {self.label} in repository {where}: put the "
            f"{counted(self.kept_layers, 'layer')} of its own upon the {counted(self.base_layers, 'layer')} of {onto}, "
            f"push that as {self.tag} with a statement beside it, and take it for the newest release of {self.name}."
        )

    @property
    def told(self) -> str:
        """What was done about it, once it was: where it is now."""
        how = "was there already" if self.there else "was pushed"
        where = f"repository {self.repository.partition('/')[2]}, by the tag {self.tag}"
        return f"Golden image {self.name} on {self.base.stream} {self.base.to_label} {how}: {where}."

    def carrying(self, move: BaseMove) -> BaseMove:
        """Where a base moves that goes to this golden image's release: to what becomes of it."""
        return replace(
            move,
            to_label=self.tag,
            to_reference=self.image_uri,
            to_name=f"{self.repository}:{self.tag}",
            index_digest="",
            released=self.base.released,  # as new as what it stands on, whoever pushes it when
            releases=move.releases + 1,
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "GoldenPatch":
        """Read what `as_json` wrote."""
        return cls(**{**value, **cls.parts(value)})


def stays(golden: Sequence[GoldenPatch]) -> str:
    """What an undo leaves of the golden images of a plan; '' where it has none."""
    if not golden:
        return ""
    names = " and ".join(dict.fromkeys(one.name for one in golden))
    return f"The new image of {names} stays in its repository: no tag of its owner's points to it, and it does no harm."


def pending(move: BaseMove) -> BaseMove:
    """A move to a golden image's release that is to be patched itself, while nobody knows yet what comes of it."""
    return replace(move, to_label=f"{move.to_label}, patched")
