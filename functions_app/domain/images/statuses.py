"""ECR's imageStatus: whether an image that ECR lists can be pulled. An open enum: an unknown word is not trusted.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive-image.html: an archived image is listed and can't be
pulled, by Lambda neither; restoring it takes a while (ACTIVATING).
"""

from collections.abc import Mapping
from dataclasses import dataclass

ACTIVE, ARCHIVED, ACTIVATING = "ACTIVE", "ARCHIVED", "ACTIVATING"
RESTORE = "Restore it in ECR first (Restore in the console, or UpdateImageStorageClass to STANDARD)."


@dataclass(frozen=True)
class ImageStatus:
    """What a status means; `pullable` None: nobody here knows. `state` completes "its image ..."."""

    pullable: bool | None
    state: str
    next_step: str = ""


KNOWN: Mapping[str, ImageStatus] = {
    ACTIVE: ImageStatus(True, "is in ECR"),
    ARCHIVED: ImageStatus(False, "is archived in ECR: it can't be pulled until it is restored", RESTORE),
    ACTIVATING: ImageStatus(
        False,
        "is being restored from ECR's archive: it can't be pulled yet",
        "Wait until ECR has restored it, then sync.",
    ),
    "": ImageStatus(None, "has no status that ECR told"),
}
NOT_PULLABLE = tuple(word for word, status in KNOWN.items() if status.pullable is False)


def read_status(word: str) -> ImageStatus:
    """What ECR's word means; one that nobody knows is named and not trusted."""
    return KNOWN.get(word) or ImageStatus(
        None, f"has the status {word}, which Drydock does not know", "Look at the image in ECR's console."
    )
