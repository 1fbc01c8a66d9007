"""Scans within a sync: what the listing tells, which findings are read, and what is kept when they can't be."""

from datetime import timedelta
from typing import Any

import pytest

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.scans import KEPT, ScanState, state
from functions_app.models import Account, Image, ImageScan, Scope
from functions_app.services.images import scans
from tests.fixtures import ClientFactory, Push, Sandbox
from tests.sandbox.fixtures import small_image
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Between, error
from tests.services.sync.sync_stage import Counted, Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)

FINDINGS: list[dict[str, Any]] = [
    {"name": "CVE-2026-0002", "severity": "LOW", "attributes": [{"key": "package_name", "value": "openssl"}]},
    {"name": "CVE-2026-0001", "severity": "CRITICAL", "uri": "https://example.org/CVE-2026-0001"},
]


def set_findings(aws: Sandbox, account: Account, image: str = "1", repository: str = "app", **more: Any) -> None:
    """What ECR says of an image's scan."""
    place = {"account": account.account_id, "region": "eu-west-1", "repository": repository, "image": image}
    aws.admin("POST", "findings", {"findings": FINDINGS, **place, **more})


def scan_of(digest: str) -> ImageScan:
    """What Drydock keeps of it."""
    return ImageScan.objects.get(image__digest=digest)


def test_the_findings_of_an_image_in_use_are_read_the_worst_first(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    digest = functions.deploy()
    set_findings(aws, ours)
    run_once(log)
    scan = scan_of(digest)
    assert (scan.status, scan.severities, scan.due) == ("COMPLETE", {"CRITICAL": 1, "LOW": 1}, False)
    assert [finding["name"] for finding in scan.findings] == ["CVE-2026-0001", "CVE-2026-0002"]
    assert scan.findings[1]["places"][0]["package"] == "openssl"


def test_of_an_image_not_in_use_only_the_counts_of_the_listing_are_kept(
    ours: Account, aws: Sandbox, push: Push, log: Lines
) -> None:
    digest = push("app", small_image(), ["1"])
    set_findings(aws, ours)
    counted = Counted(aws, ours.account_id)
    run_once(log)
    scan = scan_of(digest)
    assert (scan.severities, scan.findings, scan.findings_at, scan.due) == ({"CRITICAL": 1, "LOW": 1}, [], None, True)
    assert "ecr.DescribeImageScanFindings" not in counted.made()


def test_an_image_that_nobody_scanned_is_told_as_that_only_once_ecr_was_asked(
    ours: Account, functions: Functions, push: Push, log: Lines
) -> None:
    used = functions.deploy()
    unused = push("other", small_image(), ["1"])
    run_once(log)
    scan = scan_of(used)
    assert state(scan.status, scan.severities) is ScanState.NOT_SCANNED
    assert not ImageScan.objects.filter(image__digest=unused).exists()


@pytest.mark.parametrize(
    ("status", "findings", "expected"),
    [
        ("COMPLETE", [], ScanState.CLEAN),
        ("ACTIVE", FINDINGS, ScanState.FOUND),
        ("SCAN_ELIGIBILITY_EXPIRED", FINDINGS, ScanState.EXPIRED),
        ("FINDINGS_UNAVAILABLE", [], ScanState.UNAVAILABLE),
        ("UNSUPPORTED_IMAGE", [], ScanState.UNSUPPORTED),
        ("PENDING", [], ScanState.IN_PROGRESS),
        ("FAILED", [], ScanState.FAILED),
    ],
)
def test_each_status_of_ecr_is_kept_as_it_is(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines, status: str, findings: list[Any], expected: ScanState
) -> None:
    digest = functions.deploy()
    set_findings(aws, ours, status=status, findings=findings)
    run_once(log)
    scan = scan_of(digest)
    assert (scan.status, state(scan.status, scan.severities)) == (status, expected)


def test_a_scan_that_did_not_change_is_not_read_again(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    functions.deploy()
    set_findings(aws, ours)
    run_once(log)
    counted = Counted(aws, ours.account_id)
    run_once(log)
    assert "ecr.DescribeImageScanFindings" not in counted.made()


def test_a_newer_scan_is_read_and_replaces_the_older(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    digest = functions.deploy()
    set_findings(aws, ours)
    run_once(log)
    set_findings(aws, ours, findings=[{"name": "CVE-2026-0003", "severity": "HIGH"}])
    run_once(log)
    assert [finding["name"] for finding in scan_of(digest).findings] == ["CVE-2026-0003"]
    set_findings(aws, ours, findings=[])
    run_once(log)
    scan = scan_of(digest)
    assert (scan.severities, scan.findings, scan.due) == ({}, [], False)


def test_a_scan_that_expired_leaves_the_last_findings_as_what_they_are(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    digest = functions.deploy()
    set_findings(aws, ours)
    run_once(log)
    read_at = scan_of(digest).findings_at
    set_findings(aws, ours, status="SCAN_ELIGIBILITY_EXPIRED")
    run_once(log)
    scan = scan_of(digest)
    assert (scan.status, len(scan.findings), scan.findings_at) == ("SCAN_ELIGIBILITY_EXPIRED", 2, read_at)


def test_what_no_listing_tells_is_asked_for_again_after_a_day(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    digest = functions.deploy()
    run_once(log)
    ImageScan.objects.update(read_at=clock.now() - timedelta(days=2))
    counted = Counted(aws, ours.account_id)
    run_once(log)
    assert counted.made()["ecr.DescribeImageScanFindings"] == 1
    assert clock.now() - scan_of(digest).read_at < timedelta(hours=1)


def test_no_more_images_than_the_bound_are_read_in_one_sync_and_the_rest_in_the_next(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "PER_SYNC", 2)
    for name in ("one", "two", "three"):
        functions.deploy(f"# {name}\ndef handler(event, context): ...\n", name)
        set_findings(aws, ours, repository=name)
    run_once(log)
    assert ImageScan.objects.filter(due=False).count() == 2
    run_once(log)
    assert ImageScan.objects.filter(due=False).count() == 3


def test_a_denied_permission_is_told_once_and_fails_no_sync(
    ours: Account, functions: Functions, aws: Sandbox, denied: Any, log: Lines
) -> None:
    for name in ("one", "two"):
        functions.deploy(f"# {name}\ndef handler(event, context): ...\n", name)
    denied(ours.account_id, "ecr:DescribeImageScanFindings")
    result = run_once(log)
    assert result.failed == 0
    assert Scope.objects.get().problem is None
    assert len([line for line in log.lines if "ecr:DescribeImageScanFindings" in line]) == 1
    problems = list(ImageScan.objects.values_list("problem", flat=True))
    assert [problem and problem["code"] for problem in problems] == [Code.DENIED, Code.DENIED]
    aws.admin("DELETE", f"denials?account={ours.account_id}")
    run_once(log)
    assert set(ImageScan.objects.values_list("status", "problem")) == {("NOT_SCANNED", None)}


def test_an_image_whose_scan_cannot_be_read_keeps_the_cause_and_the_others_are_read(
    ours: Account, functions: Functions, between: Between, log: Lines
) -> None:
    digest = functions.deploy()
    between.guards["ecr.DescribeImageScanFindings"] = lambda: error(400, "ValidationException", "not now")
    assert run_once(log).failed == 0
    scan = scan_of(digest)
    assert scan.problem is not None
    assert "not now" in scan.problem["message"]
    del between.guards["ecr.DescribeImageScanFindings"]
    run_once(log)
    assert scan_of(digest).problem is None


def test_fifty_thousand_findings_are_read_within_the_bound(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    digest = functions.deploy()
    many = [{"name": f"CVE-{number}", "severity": "LOW"} for number in range(50_000)]
    set_findings(aws, ours, findings=[*many, {"name": "CVE-X", "severity": "CRITICAL"}])
    counted = Counted(aws, ours.account_id)
    run_once(log)
    scan = scan_of(digest)
    assert (len(scan.findings), scan.severities) == (KEPT, {"LOW": 50_000, "CRITICAL": 1})
    assert counted.made()["ecr.DescribeImageScanFindings"] == 20


def test_findings_of_inspector_name_layers_paths_and_fixes(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    digest = functions.deploy()
    package = {
        "name": "requests", "version": "2.0", "filePath": "var/task/requests/METADATA", "fixedInVersion": "2.32",
        "sourceLayerHash": "sha256:" + "a" * 64,
    }  # fmt: skip
    details = {
        "vulnerabilityId": "CVE-2026-0009",
        "sourceUrl": "javascript:alert(1)",
        "vulnerablePackages": [package],
    }
    finding = {"title": "CVE-2026-0009 - requests", "severity": "HIGH", "packageVulnerabilityDetails": details}
    set_findings(aws, ours, status="ACTIVE", enhanced=True, findings=[finding])
    run_once(log)
    scan = scan_of(digest)
    (kept,) = scan.findings
    assert (scan.enhanced, kept["name"], kept["uri"]) == (True, "CVE-2026-0009", "")
    assert kept["places"] == [
        {"package": "requests", "version": "2.0", "fixed_in": "2.32", "path": "var/task/requests/METADATA",
         "layer": "sha256:" + "a" * 64}
    ]  # fmt: skip


def test_one_image_is_asked_about_at_once(ours: Account, aws: Sandbox, functions: Functions, log: Lines) -> None:
    digest = functions.deploy()
    run_once(log)
    set_findings(aws, ours)
    image = Image.objects.select_related("repository__account").get(digest=digest)
    assert scans.read_one(image) is ScanState.FOUND
    assert len(scan_of(digest).findings) == 2


def test_asking_about_an_image_that_is_gone_says_so(
    ours: Account, functions: Functions, client: ClientFactory, log: Lines
) -> None:
    digest = functions.deploy()
    run_once(log)
    client("ecr").batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": digest}])
    image = Image.objects.select_related("repository__account").get(digest=digest)
    with pytest.raises(DrydockError) as caught:
        scans.read_one(image)
    assert caught.value.problem.code is Code.NOT_FOUND
