"""ECR's scans of images: the summaries that a listing carries, and the findings of one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from functions_app.aws import quota
from functions_app.aws.session import Target, client
from functions_app.domain.errors import DrydockError
from functions_app.domain.images.scan_answers import read_enhanced, read_finding
from functions_app.domain.images.scans import KEPT, NOT_SCANNED, Finding, worst_first
from functions_app.domain.text import storable

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import DescribeImageScanFindingsResponseTypeDef

FAMILY = "ecr-scan-findings"
PAGE = 1000
PAGES = 20  # an image with more findings than that is told apart no further
MISSING = "ScanNotFoundException"


@dataclass(frozen=True)
class ScanSummary:
    """The state of an image's scan, and its findings counted by severity."""

    status: str
    description: str
    completed_at: datetime | None
    severities: Mapping[str, int]


@dataclass(frozen=True)
class ScanFact:
    """A scan with its findings: the worst first, at most KEPT. `enhanced`: they are Inspector's."""

    summary: ScanSummary
    enhanced: bool
    findings: tuple[Finding, ...]


def listed_scan(image: Mapping[str, Any]) -> ScanSummary | None:
    """The scan in an entry of DescribeImages; None where the entry names none.

    None does not mean "not scanned": ECR's present basic scanning tells its results in DescribeImageScanFindings alone
    (ECR API reference, DescribeImages).
    """
    if not image.get("imageScanStatus") and not image.get("imageScanFindingsSummary"):
        return None
    return _summary(image.get("imageScanStatus") or {}, image.get("imageScanFindingsSummary") or {})


def findings(target: Target, repository: str, digest: str) -> ScanFact:
    """The last scan of an image: a call per 1,000 findings, at most 20. NOT_SCANNED where there was none.

    Raises DrydockError: NOT_FOUND where the image is gone, DENIED.
    """
    try:
        page = _page(target, repository, digest, "")
    except DrydockError as error:
        if error.problem.aws_code != MISSING:
            raise
        return ScanFact(ScanSummary(NOT_SCANNED, "", None, {}), enhanced=False, findings=())
    summary = _summary(page.get("imageScanStatus") or {}, page.get("imageScanFindings") or {})
    kept, enhanced = _read(page)
    for _ in range(PAGES - 1):
        if not (token := page.get("nextToken")):
            break
        page = _page(target, repository, digest, token)
        more, inspected = _read(page)
        kept, enhanced = worst_first([*kept, *more])[:KEPT], enhanced or inspected
    return ScanFact(summary, enhanced, tuple(worst_first(kept)[:KEPT]))


def _read(page: Mapping[str, Any]) -> tuple[list[Finding], bool]:
    """The findings of a page, and whether they are Inspector's."""
    found = page.get("imageScanFindings") or {}
    enhanced = [read_enhanced(each) for each in found.get("enhancedFindings") or ()]
    return [*(read_finding(each) for each in found.get("findings") or ()), *enhanced], bool(enhanced)


def _page(target: Target, repository: str, digest: str, token: str) -> DescribeImageScanFindingsResponseTypeDef:
    more: dict[str, Any] = {"nextToken": token} if token else {}
    return quota.read(
        target,
        FAMILY,
        lambda: client(target, "ecr").describe_image_scan_findings(
            repositoryName=repository, imageId={"imageDigest": digest}, maxResults=PAGE, **more
        ),
    )


def _summary(status: Mapping[str, Any], found: Mapping[str, Any]) -> ScanSummary:
    counts = found.get("findingSeverityCounts") or {}
    # A summary without a status is of a scan that was completed.
    return ScanSummary(
        status=storable(str(status.get("status") or "COMPLETE"), 40),
        description=storable(str(status.get("description") or "")),
        completed_at=found.get("imageScanCompletedAt"),
        severities={storable(str(name), 40): int(count) for name, count in counts.items() if count},
    )
