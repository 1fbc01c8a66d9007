"""What ECR tells EventBridge: images pushed, replicated, deleted, scanned. Whoever sends it, it is not trusted.

Source: Amazon ECR user guide, "Amazon ECR events and EventBridge". Events are best effort, may come twice and late.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from functions_app.domain import limits
from functions_app.domain.ecr_hosts import plain_host
from functions_app.domain.json_fields import malformed, read_object, read_text
from functions_app.domain.refs import is_digest, is_repository, is_tag

_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}")
ACTION, REPLICATION, SCAN = "ECR Image Action", "ECR Replication Action", "ECR Image Scan"


class Happened(StrEnum):
    """What an event tells of an image."""

    PUSHED = "pushed"  # or replicated here, which announces a company's base in its other regions
    DELETED = "deleted"
    SCANNED = "scanned"
    NOTHING = "nothing"  # it failed, or is no event of an image


@dataclass(frozen=True)
class EcrEvent:
    """One event. Tag and digest are empty where it names none, or a scan's several tags."""

    happened: Happened
    account_id: str
    region: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def host(self) -> str:
        """The registry's host name."""
        return plain_host(self.account_id, self.region)

    @property
    def name(self) -> str:
        """HOST/REPOSITORY, with the tag if there is one."""
        return f"{self.host}/{self.repository}" + (f":{self.tag}" if self.tag else "")


def read_event(data: bytes) -> Mapping[str, Any]:
    """The JSON object in a request's or a message's body, taken out of SNS's envelope where it came that way.

    Raises INVALID, also where it is too large.
    """
    if len(data) > limits.EVENT:
        raise malformed("event", f"it has more than {limits.EVENT:,} bytes")
    document = read_object(data, "event")
    if document.get("Type") == "Notification" and "source" not in document:
        return read_object(read_text(document.get("Message")).encode("utf-8", "replace"), "event")
    return document


def parse_event(event: Mapping[str, Any]) -> EcrEvent | None:
    """Read an event; None for one that is not about an image in ECR. Raises INVALID for one that only looks so."""
    kind = read_text(event.get("detail-type"))
    if event.get("source") != "aws.ecr" or kind not in {ACTION, REPLICATION, SCAN}:
        if not read_text(event.get("source")) or not kind:
            raise malformed("event", "it has no source or no detail-type: is it sent by EventBridge, untransformed?")
        return None
    detail = event.get("detail")
    if not isinstance(detail, dict):
        raise malformed("event", "it has no detail")
    return EcrEvent(
        _happened(kind, detail),
        account_id=_checked("account", event.get("account"), _ACCOUNT.fullmatch),
        region=_checked("region", event.get("region"), _REGION.fullmatch),
        repository=_checked("repository-name", detail.get("repository-name"), is_repository),
        tag=_optional("image-tag", detail.get("image-tag"), is_tag),
        digest=_optional("image-digest", detail.get("image-digest"), is_digest),
    )


def _happened(kind: str, detail: Mapping[str, Any]) -> Happened:
    if kind == SCAN:
        return Happened.SCANNED
    action, result = read_text(detail.get("action-type")), read_text(detail.get("result"))
    if result != "SUCCESS":
        return Happened.NOTHING
    known = {"PUSH": Happened.PUSHED, "REPLICATE": Happened.PUSHED, "DELETE": Happened.DELETED}
    return known.get(action, Happened.NOTHING)


def _checked(name: str, value: Any, check: Callable[[str], object]) -> str:
    if not isinstance(value, str) or not check(value):
        told = repr(value[:80]) if isinstance(value, str) else f"no text ({type(value).__name__})"
        raise malformed("event", f"its {name} is {told}")
    return value


def _optional(name: str, value: Any, check: Callable[[str], object]) -> str:
    return "" if value in (None, "") else _checked(name, value, check)
