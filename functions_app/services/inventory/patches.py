"""What pages show of patches beside the plan: how far the reading is, the last patch, what scans found in the bases."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from functions_app.domain.changes.patching.base_moves import BaseMove
from functions_app.domain.changes.patching.undos import undo_refused
from functions_app.domain.errors import Problem
from functions_app.domain.images.scans import ScanState, SeverityChange, severity_changes, state
from functions_app.domain.runs import ACTIVE, Kind
from functions_app.models import BaseUse, Function, ImageScan, Run
from functions_app.services.changes.patching import undo

NAMED = 20  # functions beside one on the same golden image


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
    """What no undo has taken back yet. One query, and three more where there is one."""
    run = undo.last_patch(function_id)
    if run is None:
        return None
    base = run.plan["base"]
    return LastPatch(run.pk, f"onto {base['stream']} {base['to_label']}", run.ended_at, undo_refused(undo.why_not(run)))


@dataclass(frozen=True)
class BaseFindings:
    """The findings of two releases of a base; None where ECR has not scanned it: a public base is in nobody's ECR."""

    before: dict[str, int] | None
    after: dict[str, int] | None

    @property
    def both(self) -> bool:
        """Whether they can be compared."""
        return self.before is not None and self.after is not None

    @property
    def rows(self) -> tuple[SeverityChange, ...]:
        """The severities that either has, the worst first."""
        return severity_changes(self.before or {}, self.after or {})


def base_findings(base: BaseMove) -> BaseFindings:
    """What scans brought of the two releases, wherever they lie in ECR. One query."""
    digests = [reference.partition("@")[2] for reference in (base.from_reference, base.to_reference)]
    rows = ImageScan.objects.filter(image__digest__in=digests, image__gone_at=None).order_by("read_at")
    found: dict[str, dict[str, int]] = {
        digest: severities
        for digest, status, severities in rows.values_list("image__digest", "status", "severities")
        if state(status, severities) in (ScanState.CLEAN, ScanState.FOUND)
    }
    return BaseFindings(*(found.get(digest) for digest in digests))


@dataclass(frozen=True)
class Standing:
    """The other functions that run something on a golden image: how many, and the first by name."""

    stream_id: int
    total: int
    first: tuple[Function, ...]

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.total - len(self.first)


def standing_on(stream_id: int, platform: str, besides: int) -> Standing:
    """What is live on a golden image for this platform beside one function. Two queries."""
    uses = BaseUse.objects.filter(stream=stream_id, release__platform=platform).exclude(function=besides)
    others = Function.objects.filter(pk__in=uses.values("function"), gone_at=None).select_related("account")
    first = tuple(others.order_by("name", "account__name", "region", "pk")[:NAMED])
    return Standing(stream_id, others.count() if len(first) == NAMED else len(first), first)
