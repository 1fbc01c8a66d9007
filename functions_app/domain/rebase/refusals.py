"""Why an image can't be rebased, and what would help: a refusal is an answer, not an error."""

from dataclasses import dataclass
from enum import StrEnum

from functions_app.domain.errors import Code, DrydockError


class Reason(StrEnum):
    """What stands against it; the codes are kept with plans and told to machines."""

    INDEX = "index"
    NOT_AN_IMAGE = "not-an-image"
    PLATFORM = "platform"
    SQUASHED = "squashed"
    OTHER_BASE = "other-base"
    SAME_BASE = "same-base"
    FOREIGN_LAYER = "foreign-layer"
    UNKNOWN_LAYER = "unknown-layer"
    OWNER = "owner"


HELP = {
    Reason.INDEX: "Choose the image for the function's architecture out of the index, by its digest.",
    Reason.NOT_AN_IMAGE: "Choose the image itself: a chart, a signature or an attestation has no base.",
    Reason.PLATFORM: "Choose the release of the base for the platform of the image.",
    Reason.SQUASHED: "Build it anew on the new release; without --squash the next patch needs no build.",
    Reason.OTHER_BASE: "Build it anew, FROM the new release.",
    Reason.SAME_BASE: "Nothing is to be done.",
    Reason.FOREIGN_LAYER: "Build it anew, so that every layer of it is in a registry.",
    Reason.UNKNOWN_LAYER: "Build it anew, with layers that are plain tars or compressed by gzip or zstd.",
    Reason.OWNER: "Ask the owner for a new build, or to take the label away.",
}


@dataclass(frozen=True)
class Refusal:
    """Why not: a sentence with what was found, and by its reason what would help."""

    reason: Reason
    text: str

    @property
    def next_step(self) -> str:
        """What would help."""
        return HELP[self.reason]

    def error(self) -> DrydockError:
        """The same for those who can't go on."""
        return DrydockError(Code.PREFLIGHT, self.text, next_step=self.next_step)
