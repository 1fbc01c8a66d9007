"""Image scans: their state and their findings are whatever tests and the demo set for an image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox import clock
from sandbox.core import account_events
from sandbox.store.content_store import STORE

Finding = Mapping[str, Any]
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Scan:
    """A scan: findings as DescribeImageScanFindings gives them, in a status of ECR's ScanStatus."""

    completed_at: datetime
    findings: tuple[Finding, ...]
    requested_at: datetime | None = None
    status: str = "COMPLETE"
    description: str = ""
    enhanced: bool = False

    @property
    def has_findings(self) -> bool:
        """Whether ECR shows findings: of a scan that is done, or of one that goes on for ever (enhanced: ACTIVE)."""
        return self.status in ("COMPLETE", "ACTIVE")

    def state(self) -> dict[str, str]:
        """imageScanStatus."""
        description = self.description or (SCAN_DONE if self.status == "COMPLETE" else "")
        return {"status": self.status, **({"description": description} if description else {})}

    @property
    def severities(self) -> dict[str, int]:
        """Findings counted by severity."""
        return dict(Counter(str(finding["severity"]) for finding in self.findings))

    def summary(self) -> dict[str, Any]:
        """imageScanFindingsSummary of DescribeImages."""
        return {
            "imageScanCompletedAt": self.completed_at,
            "vulnerabilitySourceUpdatedAt": self.completed_at,
            "findingSeverityCounts": self.severities,
        }


SCAN_DONE = "The scan was completed successfully."
STATUSES = (
    "IN_PROGRESS",
    "COMPLETE",
    "FAILED",
    "UNSUPPORTED_IMAGE",
    "ACTIVE",
    "PENDING",
    "SCAN_ELIGIBILITY_EXPIRED",
    "FINDINGS_UNAVAILABLE",
    "LIMIT_EXCEEDED",
)
_SCANS: dict[Key, Scan] = {}
_FINDINGS: dict[Key, tuple[Finding, ...]] = {}


def set_findings(
    namespace: str,
    repository: str,
    digest: str,
    findings: Sequence[Finding],
    *,
    status: str = "COMPLETE",
    description: str = "",
    enhanced: bool = False,
) -> None:
    """Set what scans of an image find, each {name, severity, ...}, and the state of its last scan.

    Enhanced findings are Inspector's, as enhancedFindings has them. Raises ValueError for an unknown status.
    """
    if status not in STATUSES:
        raise ValueError(f"no scan status {status!r}; there are: {', '.join(STATUSES)}")
    key = (namespace, repository, digest)
    _FINDINGS[key] = tuple({"severity": "UNDEFINED", **finding} for finding in findings)
    _SCANS[key] = Scan(clock.now(), _FINDINGS[key], None, status, description, enhanced)


def forget(namespace: str, repository: str, digest: str) -> None:
    """Make an image one that was never scanned."""
    _SCANS.pop((namespace, repository, digest), None)
    _FINDINGS.pop((namespace, repository, digest), None)


def scan(namespace: str, repository: str, digest: str, *, requested: bool = False) -> Scan:
    """Scan an image at once and emit "ECR Image Scan"."""
    key, now = (namespace, repository, digest), clock.now()
    _SCANS[key] = done = Scan(now, _FINDINGS.get(key, ()), now if requested else None)
    account, region = namespace.split("/")
    detail = {
        "scan-status": "COMPLETE",
        "repository-name": repository,
        "image-digest": digest,
        "image-tags": STORE.contents(namespace, repository).tags_of(digest),
        "finding-severity-counts": done.severities,
    }
    account_events.emit(account, region, "aws.ecr", "ECR Image Scan", detail)
    return done


def latest(namespace: str, repository: str, digest: str) -> Scan | None:
    """The last scan of an image, or None."""
    return _SCANS.get((namespace, repository, digest))
