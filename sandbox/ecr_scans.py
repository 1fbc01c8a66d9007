"""Basic image scans: their findings are whatever tests and the demo set for an image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox import events
from sandbox.store import STORE

Finding = Mapping[str, Any]
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Scan:
    """A finished scan: findings as DescribeImageScanFindings gives them."""

    completed_at: datetime
    findings: tuple[Finding, ...]
    requested_at: datetime | None = None

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


_SCANS: dict[Key, Scan] = {}
_FINDINGS: dict[Key, tuple[Finding, ...]] = {}


def set_findings(namespace: str, repository: str, digest: str, findings: Sequence[Finding]) -> None:
    """Set what scans of an image find, each {name, severity, ...}; the image counts as scanned from now on."""
    key = (namespace, repository, digest)
    _FINDINGS[key] = tuple({"severity": "UNDEFINED", **finding} for finding in findings)
    _SCANS[key] = Scan(datetime.now(UTC), _FINDINGS[key])


def scan(namespace: str, repository: str, digest: str, *, requested: bool = False) -> Scan:
    """Scan an image at once and emit "ECR Image Scan"."""
    key, now = (namespace, repository, digest), datetime.now(UTC)
    _SCANS[key] = done = Scan(now, _FINDINGS.get(key, ()), now if requested else None)
    account, region = namespace.split("/")
    detail = {
        "scan-status": "COMPLETE",
        "repository-name": repository,
        "image-digest": digest,
        "image-tags": STORE.contents(namespace, repository).tags_of(digest),
        "finding-severity-counts": done.severities,
    }
    events.emit(account, region, "aws.ecr", "ECR Image Scan", detail)
    return done


def latest(namespace: str, repository: str, digest: str) -> Scan | None:
    """The last scan of an image, or None."""
    return _SCANS.get((namespace, repository, digest))
