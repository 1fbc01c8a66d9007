"""What pages show of patches beside the plan: how far the reading is that a verdict waits for, and the last patch."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from functions_app.domain.errors import Problem
from functions_app.domain.runs import ACTIVE, Kind
from functions_app.models import Run
from functions_app.services.changes.patching import undo


@dataclass(frozen=True)
class Reading:
    """A run that reads layers for a patch: how far it is, and why it failed if it did."""

    run_id: int
    image_id: int
    active: bool
    done: int
    total: int | None
    problem: Problem | None


def reading_of(image_ids: Collection[int]) -> Reading | None:
    """The newest run that reads the files of one of these images and its bases. One query."""
    runs = Run.objects.filter(kind=Kind.READ_FILES, plan__image__in=list(image_ids), plan__has_key="releases")
    run = runs.order_by("-pk").first() if image_ids else None
    if run is None:
        return None
    problem = Problem.from_json(run.problem) if run.problem else None
    active = run.status in ACTIVE
    return Reading(run.pk, run.plan["image"], active, run.progress_done, run.progress_total, problem)


@dataclass(frozen=True)
class LastPatch:
    """The last patch of a function that stands: when, onto which release, and why it can't be undone ("": it can)."""

    run_id: int
    onto: str
    at: datetime | None
    refused: str


def last_patch(function_id: int) -> LastPatch | None:
    """What no undo has taken back yet. One query, and two more where there is one."""
    run = undo.last_patch(function_id)
    if run is None:
        return None
    base = run.plan["base"]
    return LastPatch(run.pk, f"onto {base['stream']} {base['to_label']}", run.ended_at, undo.why_not(run))
