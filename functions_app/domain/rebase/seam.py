"""Where in an image its base ends and the app begins, in its layers and in its history."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions_app.domain.images.manifests import HistoryEntry, ImageConfig
from functions_app.domain.rebase.refusals import Reason, Refusal


@dataclass(frozen=True)
class Seam:
    """How many of the layers and of the history's entries, from the first, are the base's."""

    layers: int
    history: int


def find_seam(app: ImageConfig, base: ImageConfig) -> Seam | Refusal:
    """The seam of an image on this base; refused where its layers do not begin with all of the base's."""
    count = len(base.diff_ids)
    if app.diff_ids[:count] != base.diff_ids:
        return _not_on(app, base)
    return Seam(count, _history_seam(app, base))


def _not_on(app: ImageConfig, base: ImageConfig) -> Refusal:
    shared = sum(one == other for one, other in zip(app.diff_ids, base.diff_ids, strict=False))
    total, own = len(base.diff_ids), len(app.diff_ids)
    below = _steps(base.history)
    tells_of_base = bool(below) and _steps(app.history)[: len(below)] == below
    if not shared and own < total and (own == 1 or tells_of_base):
        layers = "Its one layer holds" if own == 1 else f"Its {own} layers hold"
        return Refusal(Reason.SQUASHED, f"{layers} base and app together: it was squashed, so no layer can be swapped.")
    return Refusal(
        Reason.OTHER_BASE, f"Its layers do not begin with the {total} of the base it is said to stand on: {shared} fit."
    )


def _history_seam(app: ImageConfig, base: ImageConfig) -> int:
    """Told by what was done and whether it made a layer: builders date and comment a base's entries anew.

    A history that doesn't count up to the layers tells less, but never which layers there are.
    """
    steps, below = _steps(app.history), _steps(base.history)
    layers, beneath = len(app.diff_ids), len(base.diff_ids)
    if below and steps[: len(below)] == below:
        return len(below)
    if _made(steps) == layers:
        at = _after(steps, beneath)
        return at + _common(steps[at:], below[_after(below, beneath) :])
    return _common(steps, below)


def _steps(history: Sequence[HistoryEntry]) -> list[tuple[str, bool]]:
    return [(entry.created_by, entry.empty_layer) for entry in history]


def _made(steps: Sequence[tuple[str, bool]]) -> int:
    return sum(not empty for _, empty in steps)


def _after(steps: Sequence[tuple[str, bool]], layers: int) -> int:
    """The place after the step that made the last of so many layers."""
    made = 0
    for at, (_, empty) in enumerate(steps):
        if made == layers:
            return at
        made += not empty
    return len(steps)


def _common(one: Sequence[tuple[str, bool]], other: Sequence[tuple[str, bool]]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
