"""ECR's scans of images: the summaries that a listing carries, and the findings of one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from functions_app.aws import quota
from functions_app.aws.members import number, part, structures, text, time_of
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
    summary, kept, enhanced = read_page(page)
    for _ in range(PAGES - 1):
        if not (token := page.get("nextToken")):
            break
        page = _page(target, repository, digest, token)
        _, more, inspected = read_page(page)
        kept, enhanced = worst_first([*kept, *more])[:KEPT], enhanced or inspected
    return ScanFact(summary, enhanced, tuple(worst_first(kept)[:KEPT]))


def read_page(page: Mapping[str, Any]) -> tuple[ScanSummary, list[Finding], bool]:
    """A page of DescribeImageScanFindings: the scan, its findings, and whether they are Inspector's."""
    found = part(page, "imageScanFindings")
    plain, enhanced = structures(found, "findings"), structures(found, "enhancedFindings")
    findings = [*(read_finding(each) for each in plain), *(read_enhanced(each) for each in enhanced)]
    return _summary(part(page, "imageScanStatus"), found), findings, bool(enhanced)


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
    counts, completed_at = part(found, "findingSeverityCounts"), time_of(found, "imageScanCompletedAt")
    # A summary without a status is of a scan that was completed, if it says when: else nobody knows how it stands.
    return ScanSummary(
        status=text(status, "status", 40) or ("COMPLETE" if completed_at else "not told"),
        description=text(status, "description"),
        completed_at=completed_at,
        severities={storable(str(name), 40): number(counts, name) for name in counts if number(counts, name)},
    )
