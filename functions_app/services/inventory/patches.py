"""What the pages of patches show beside the plan: how far the reading of files is that a verdict waits for."""

from collections.abc import Collection
from dataclasses import dataclass

from functions_app.domain.errors import Problem
from functions_app.domain.runs import ACTIVE, Kind
from functions_app.models import Run


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
