"""How every status looks: the one table of words, icons and colours."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from functions_app.domain.bases.detection import Tier
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.judgements import Level
from functions_app.domain.changes.patching.patch_lists import Way
from functions_app.domain.images.roles import Role
from functions_app.domain.images.scans import ScanState, Side
from functions_app.domain.images.tag_mutability import Tags
from functions_app.domain.runs import Status, StepStatus
from functions_app.services.inventory.bases.base_list import Standing


class Look(NamedTuple):
    """A status as people see it; `colour` is one of good, warn, bad, info, calm, plain."""

    word: str
    icon: str
    colour: str
    meaning: str = ""


class FunctionState(StrEnum):
    """Lambda's State; "" where the function was not read yet."""

    ACTIVE = "Active"
    PENDING = "Pending"
    INACTIVE = "Inactive"
    FAILED = "Failed"
    DEACTIVATING = "Deactivating"
    DEACTIVATED = "Deactivated"
    NON_INVOCABLE = "ActiveNonInvocable"
    DELETING = "Deleting"
    UNREAD = ""


class ImageStatus(StrEnum):
    """ECR's imageStatus; "" where it told none."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    ACTIVATING = "ACTIVATING"
    UNTOLD = ""


class UpdateStatus(StrEnum):
    """Lambda's LastUpdateStatus."""

    SUCCESSFUL = "Successful"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"


class Severity(StrEnum):
    """ECR's severities of findings, the worst first."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFORMATIONAL = "INFORMATIONAL"
    UNDEFINED = "UNDEFINED"


class CheckOutcome(StrEnum):
    """How the check of an image came out. A rule forbids; advice only minds."""

    RULE_HELD = "rule held"
    RULE_BROKEN = "rule broken"
    RULE_UNCERTAIN = "rule uncertain"
    ADVICE_FOLLOWED = "advice followed"
    ADVICE_IGNORED = "advice ignored"
    ADVICE_UNCERTAIN = "advice uncertain"
    HINT = "hint"


class PlanOutcome(StrEnum):
    """How the check of a plan came out."""

    PASSED = "passed"
    DOUBTFUL = "doubtful"
    FORBIDDEN = "forbidden"


class Change(StrEnum):
    """What became of a part, from one release to another."""

    KEPT = "kept"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class FindingChange(StrEnum):
    """What became of a scan's finding, from one image to another: it is good where one is gone."""

    ADDED = "added"
    REMOVED = "removed"


class EndOfLife(StrEnum):
    """A day from which there are no more patches, seen from today."""

    PAST = "past"
    NEAR = "near"


class Attention(StrEnum):
    """What the overview finds."""

    BROKEN = "broken"
    ENDANGERED = "endangered"
    WAY_BACK_LOST = "way back lost"
    FIRST_VERSION = "first version"
    INACTIVE = "inactive"
    OVERDUE = "overdue"
    ENDED = "ended"
    ENDING = "ending"
    DRIFTED = "drifted"
    UNREAD = "unread"
    UNREACHABLE = "unreachable"
    UNREACHABLE_PART = "unreachable part"
    OUTDATED = "outdated"
    UNKNOWN = "unknown"
    UNRULED = "unruled"
    NOT_READ_YET = "not read yet"


# By class first: members of two enums with the same value are equal, whatever they mean.
LOOKS: Mapping[type[StrEnum], Mapping[str, Look]] = {
    Freshness: {
        Freshness.CURRENT: Look("Current", "circle-check", "good"),
        Freshness.STALE: Look("Stale", "clock-exclamation", "warn"),
        Freshness.END_OF_LIFE: Look("End of life", "calendar-off", "bad"),
        Freshness.UNKNOWN: Look("Unknown", "help-circle", "calm"),
    },
    Standing: {
        Standing.CURRENT: Look("Current", "circle-check", "good"),
        Standing.STALE: Look("Stale", "clock-exclamation", "warn"),
        Standing.OVERDUE: Look("Overdue", "alert-triangle", "bad"),
        Standing.END_OF_LIFE: Look("End of life", "calendar-off", "bad"),
        Standing.UNKNOWN: Look("Unknown", "help-circle", "calm"),
    },
    EndOfLife: {
        EndOfLife.PAST: Look("Past", "calendar-off", "bad"),
        EndOfLife.NEAR: Look("Near", "clock-exclamation", "warn"),
    },
    Tier: {
        Tier.EXACT: Look("Exact", "circle-check", "good", "its layers are, whole and in order, those of the release"),
        Tier.ANNOTATION: Look("By annotation", "tag", "info", "the image says so, and nothing speaks against it"),
        Tier.PARTIAL: Look("In part", "stack-2", "info", "some of its layers are those of one stream alone"),
        Tier.HEURISTIC: Look("By its settings", "adjustments", "calm", "only its settings look like a Lambda base"),
        Tier.UNKNOWN: Look("Unknown", "help-circle", "calm", "nothing leads to a base"),
    },
    FunctionState: {
        FunctionState.ACTIVE: Look("Active", "circle-check", "plain"),
        FunctionState.PENDING: Look("Pending", "hourglass", "info"),
        FunctionState.INACTIVE: Look("Inactive", "zzz", "warn"),
        FunctionState.FAILED: Look("Failed", "circle-x", "bad"),
        FunctionState.DEACTIVATING: Look("Deactivating", "player-pause", "warn"),
        FunctionState.DEACTIVATED: Look("Deactivated", "player-pause", "bad"),
        FunctionState.NON_INVOCABLE: Look("Takes no calls", "ban", "warn"),
        FunctionState.DELETING: Look("Deleting", "circle-x", "bad"),
        FunctionState.UNREAD: Look("Not read yet", "circle-dashed", "calm"),
    },
    ImageStatus: {
        ImageStatus.ACTIVE: Look("In ECR", "circle-check", "plain"),
        ImageStatus.ARCHIVED: Look("Archived", "archive", "bad"),
        ImageStatus.ACTIVATING: Look("Being restored", "hourglass", "warn"),
        ImageStatus.UNTOLD: Look("Status not told", "help-circle", "calm"),
    },
    Role: {
        Role.IMAGE: Look("Image", "box", "plain"),
        Role.INDEX: Look(
            "Index", "layers-subtract", "calm", "Several images under one digest: Lambda does not take it"
        ),
        Role.PART: Look("Part of an index", "layers-subtract", "calm", "One of the images of an index"),
        Role.ATTESTATION: Look("Attestation", "paperclip", "calm", "Says how an image was built; it is none itself"),
        Role.SIGNATURE: Look("Signature", "paperclip", "calm", "Signs an image; it is none itself"),
        Role.SBOM: Look("SBOM", "paperclip", "calm", "Lists what is in an image; it is none itself"),
        Role.CHART: Look("Helm chart", "paperclip", "calm", "No image"),
        Role.REPORT: Look("Report", "paperclip", "calm", "A scanner's report on an image; it is none itself"),
        Role.REFERRERS: Look("Referrers", "paperclip", "calm", "Lists the artifacts that are about an image"),
        Role.ARTIFACT: Look("Artifact", "paperclip", "calm", "Something else than an image, kept in the registry"),
    },
    Tags: {
        Tags.MOVE: Look("Can move", "lock-open", "plain"),
        Tags.FIXED: Look("Immutable", "lock", "plain"),
        Tags.MOSTLY_MOVE: Look("Can mostly move", "lock-open", "plain"),
        Tags.MOSTLY_FIXED: Look("Mostly immutable", "lock-exclamation", "plain"),
        Tags.NOT_KNOWN: Look("Not known", "help-circle", "calm"),
    },
    UpdateStatus: {
        UpdateStatus.SUCCESSFUL: Look("Updated", "circle-check", "plain"),
        UpdateStatus.IN_PROGRESS: Look("Updating", "hourglass", "info"),
        UpdateStatus.FAILED: Look("Update failed", "circle-x", "bad"),
    },
    Status: {
        Status.QUEUED: Look("Queued", "hourglass", "calm"),
        Status.RUNNING: Look("Running", "progress", "info"),
        Status.WAITING: Look("Waiting", "clock", "info"),
        Status.PAUSED: Look("Paused", "player-pause", "warn"),
        Status.UNDOING: Look("Undoing", "arrow-back-up", "warn"),
        Status.SUCCEEDED: Look("Succeeded", "circle-check", "good"),
        Status.FAILED: Look("Failed", "circle-x", "bad"),
        Status.CANCELLED: Look("Cancelled", "ban", "calm"),
    },
    StepStatus: {
        StepStatus.PENDING: Look("Not started", "circle-dashed", "calm"),
        StepStatus.RUNNING: Look("Running", "progress", "info"),
        StepStatus.WAITING: Look("Waiting", "clock", "info"),
        StepStatus.DONE: Look("Done", "circle-check", "good"),
        StepStatus.SKIPPED: Look("Skipped", "point", "calm"),
        StepStatus.FAILED: Look("Failed", "circle-x", "bad"),
        StepStatus.UNDONE: Look("Undone", "arrow-back-up", "warn"),
    },
    ScanState: {
        ScanState.NOT_ASKED: Look("Scan not asked for yet", "circle-dashed", "calm"),
        ScanState.NOT_SCANNED: Look("Not scanned", "help-circle", "warn"),
        ScanState.IN_PROGRESS: Look("Being scanned", "progress", "info"),
        ScanState.FAILED: Look("Scan failed", "circle-x", "bad"),
        ScanState.UNSUPPORTED: Look("Can't be scanned", "ban", "calm"),
        ScanState.UNAVAILABLE: Look("Findings not available", "wifi-off", "calm"),
        ScanState.EXPIRED: Look("Scan expired", "calendar-off", "warn"),
        ScanState.CLEAN: Look("No findings", "shield-check", "good"),
        ScanState.FOUND: Look("Findings", "alert-triangle", "warn"),
        ScanState.OTHER: Look("Scan state unknown", "help-circle", "calm"),
    },
    Severity: {
        Severity.CRITICAL: Look("Critical", "circle-x", "bad"),
        Severity.HIGH: Look("High", "alert-triangle", "bad"),
        Severity.MEDIUM: Look("Medium", "alert-triangle", "warn"),
        Severity.LOW: Look("Low", "info-circle", "calm"),
        Severity.INFORMATIONAL: Look("Informational", "info-circle", "calm"),
        Severity.UNDEFINED: Look("Undefined", "info-circle", "calm"),
    },
    Side: {
        Side.BASE: Look("base", "stack-2", "info"),
        Side.APP: Look("app", "box", "plain"),
        Side.UNKNOWN: Look("not known", "help-circle", "calm"),
    },
    CheckOutcome: {
        CheckOutcome.RULE_HELD: Look("Fine", "circle-check", "good"),
        CheckOutcome.RULE_BROKEN: Look("Broken", "circle-x", "bad"),
        CheckOutcome.RULE_UNCERTAIN: Look("Not certain", "help-circle", "calm"),
        CheckOutcome.ADVICE_FOLLOWED: Look("Fine", "circle-check", "good"),
        CheckOutcome.ADVICE_IGNORED: Look("Could be better", "alert-triangle", "warn"),
        CheckOutcome.ADVICE_UNCERTAIN: Look("Not known", "help-circle", "calm"),
        CheckOutcome.HINT: Look("To know", "info-circle", "calm"),
    },
    Level: {
        Level.DANGER: Look("Danger", "alert-circle", "bad"),
        Level.MIND: Look("Mind", "alert-triangle", "warn"),
        Level.FINE: Look("Fine", "circle-check", "good"),
    },
    PlanOutcome: {
        PlanOutcome.PASSED: Look("Passed", "circle-check", "good"),
        PlanOutcome.DOUBTFUL: Look("Mind", "alert-triangle", "warn"),
        PlanOutcome.FORBIDDEN: Look("Forbids it", "circle-x", "bad"),
    },
    Change: {
        Change.KEPT: Look("Kept", "circle", "calm"),
        Change.ADDED: Look("Added", "plus", "good"),
        Change.REMOVED: Look("Removed", "x", "bad"),
        Change.CHANGED: Look("Changed", "pencil", "warn"),
    },
    FindingChange: {
        FindingChange.ADDED: Look("Added", "plus", "bad"),
        FindingChange.REMOVED: Look("Removed", "circle-check", "good"),
    },
    Way: {
        Way.REBASE: Look(
            "Rebase", "refresh", "good", "The base layers are proven: they can be swapped, the own layers stay."
        ),
        Way.REBUILD: Look("Rebuild", "code", "warn", "The base is not proven layer by layer: build the image anew."),
        Way.GOLDEN: Look(
            "Golden image first", "stack-back", "warn", "A golden image stands between: that one goes first."
        ),
        Way.NONE: Look("Not possible", "ban", "bad", "The stream has no current release for this platform."),
    },
    Attention: {
        Attention.BROKEN: Look("Broken", "circle-x", "bad"),
        Attention.ENDANGERED: Look("Endangered", "photo-off", "bad"),
        Attention.WAY_BACK_LOST: Look("No rollback target", "arrow-back-up", "warn"),
        Attention.FIRST_VERSION: Look("No rollback target", "arrow-back-up", "calm"),
        Attention.INACTIVE: Look("Inactive", "zzz", "warn"),
        Attention.OVERDUE: Look("Overdue", "clock-exclamation", "bad"),
        Attention.ENDED: Look("Past its end of life", "calendar-off", "bad"),
        Attention.ENDING: Look("Near its end of life", "calendar-off", "warn"),
        Attention.DRIFTED: Look("Drifted", "unlink", "warn"),
        Attention.UNREAD: Look("Partly read", "help-circle", "warn"),
        Attention.UNREACHABLE: Look("Not readable", "wifi-off", "bad"),
        Attention.UNREACHABLE_PART: Look("Not readable", "wifi-off", "warn"),
        Attention.OUTDATED: Look("Out of date", "clock", "warn"),
        Attention.UNKNOWN: Look("Unknown", "help-circle", "calm"),
        Attention.UNRULED: Look("No policy", "clock-exclamation", "warn"),
        Attention.NOT_READ_YET: Look("Not read yet", "circle-dashed", "calm"),
    },
}


def look(kind: type[StrEnum], value: str) -> Look:
    """How this value of an enum looks. AWS's enums are open: what nobody knows is shown by its own word, and calm."""
    return LOOKS[kind].get(value) or Look(value or "Unknown", "circle-dot", "calm")
