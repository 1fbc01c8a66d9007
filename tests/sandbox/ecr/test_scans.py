"""ECR: scans find what tests set for an image."""

from typing import Any
from urllib.error import HTTPError

import pytest

from tests.fixtures import ClientFactory, Push, Sandbox
from tests.sandbox.fixtures import small_image

FINDINGS: list[dict[str, Any]] = [
    {"name": "CVE-2026-0001", "severity": "CRITICAL", "uri": "https://example.org/CVE-2026-0001"},
    {"name": "CVE-2026-0002", "severity": "LOW", "attributes": [{"key": "package_name", "value": "openssl"}]},
    {"name": "CVE-2026-0003", "severity": "LOW"},
]


def set_findings(sandbox: Sandbox, account: str, image: str, **more: Any) -> None:
    body = {"account": account, "region": "eu-west-1", "repository": "team/app", "image": image}
    sandbox.admin("POST", "findings", {**body, "findings": FINDINGS, **more})


def findings(ecr: Any, **more: Any) -> Any:
    return ecr.describe_image_scan_findings(repositoryName="team/app", imageId={"imageTag": "v1"}, **more)


def test_a_scan_finds_nothing_until_findings_are_set(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    ecr = client("ecr")
    started = ecr.start_image_scan(repositoryName="team/app", imageId={"imageTag": "v1"})
    assert started["imageScanStatus"]["status"] == "IN_PROGRESS"
    answer = findings(ecr)
    assert answer["imageScanStatus"]["status"] == "COMPLETE"
    assert answer["imageScanFindings"]["findings"] == []


def test_findings_that_were_set_are_found(client: ClientFactory, push: Push, sandbox: Sandbox, account: str) -> None:
    digest = push("team/app", small_image(), ["v1"])
    set_findings(sandbox, account, digest)
    answer = findings(client("ecr"))["imageScanFindings"]
    assert answer["findingSeverityCounts"] == {"CRITICAL": 1, "LOW": 2}
    assert [finding["name"] for finding in answer["findings"]] == [finding["name"] for finding in FINDINGS]


def test_findings_come_in_pages(client: ClientFactory, push: Push, sandbox: Sandbox, account: str) -> None:
    push("team/app", small_image(), ["v1"])
    set_findings(sandbox, account, "v1")
    ecr = client("ecr")
    first = findings(ecr, maxResults=2)
    second = findings(ecr, maxResults=2, nextToken=first["nextToken"])
    assert len(first["imageScanFindings"]["findings"]) == 2
    assert len(second["imageScanFindings"]["findings"]) == 1


def test_describe_images_summarises_the_scan(client: ClientFactory, push: Push, sandbox: Sandbox, account: str) -> None:
    push("team/app", small_image(), ["v1"])
    set_findings(sandbox, account, "v1")
    (found,) = client("ecr").describe_images(repositoryName="team/app")["imageDetails"]
    assert found["imageScanStatus"]["status"] == "COMPLETE"
    assert found["imageScanFindingsSummary"]["findingSeverityCounts"] == {"CRITICAL": 1, "LOW": 2}


def test_an_image_that_was_not_scanned_has_no_findings(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    ecr = client("ecr")
    with pytest.raises(ecr.exceptions.ScanNotFoundException):
        findings(ecr)


def test_scan_on_push_scans_at_the_push(client: ClientFactory, push: Push, sandbox: Sandbox, account: str) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="team/app", imageScanningConfiguration={"scanOnPush": True})
    push("team/app", small_image(), ["v1"])
    assert findings(ecr)["imageScanStatus"]["status"] == "COMPLETE"
    kinds = [event["detail-type"] for event in sandbox.admin("GET", f"events?account={account}")]
    assert "ECR Image Scan" in kinds


def test_a_second_scan_on_the_same_day_is_refused(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    ecr = client("ecr")
    ecr.start_image_scan(repositoryName="team/app", imageId={"imageTag": "v1"})
    with pytest.raises(ecr.exceptions.LimitExceededException):
        ecr.start_image_scan(repositoryName="team/app", imageId={"imageTag": "v1"})


@pytest.mark.parametrize("status", ["IN_PROGRESS", "PENDING", "SCAN_ELIGIBILITY_EXPIRED", "UNSUPPORTED_IMAGE"])
def test_a_scan_that_is_not_done_has_a_status_and_no_findings(
    client: ClientFactory, push: Push, sandbox: Sandbox, account: str, status: str
) -> None:
    push("team/app", small_image(), ["v1"])
    set_findings(sandbox, account, "v1", status=status, description="as it was set")
    answer = findings(client("ecr"))
    assert answer["imageScanStatus"] == {"status": status, "description": "as it was set"}
    assert "imageScanFindings" not in answer


def test_describe_images_tells_the_status_of_a_scan_that_expired(
    client: ClientFactory, push: Push, sandbox: Sandbox, account: str
) -> None:
    push("team/app", small_image(), ["v1"])
    set_findings(sandbox, account, "v1", status="SCAN_ELIGIBILITY_EXPIRED")
    (found,) = client("ecr").describe_images(repositoryName="team/app")["imageDetails"]
    assert found["imageScanStatus"] == {"status": "SCAN_ELIGIBILITY_EXPIRED"}
    assert "imageScanFindingsSummary" not in found


def test_enhanced_findings_are_inspectors(client: ClientFactory, push: Push, sandbox: Sandbox, account: str) -> None:
    push("team/app", small_image(), ["v1"])
    details = {"vulnerabilityId": "CVE-2026-0001", "vulnerablePackages": [{"name": "openssl", "version": "3.0"}]}
    finding = {"title": "CVE-2026-0001 - openssl", "severity": "HIGH", "packageVulnerabilityDetails": details}
    set_findings(sandbox, account, "v1", status="ACTIVE", enhanced=True, findings=[finding])
    answer = findings(client("ecr"))
    assert answer["imageScanStatus"]["status"] == "ACTIVE"
    assert answer["imageScanFindings"]["findingSeverityCounts"] == {"HIGH": 1}
    assert answer["imageScanFindings"]["enhancedFindings"] == [finding]


def test_a_scan_can_be_taken_back(client: ClientFactory, push: Push, sandbox: Sandbox, account: str) -> None:
    push("team/app", small_image(), ["v1"])
    set_findings(sandbox, account, "v1")
    sandbox.admin("DELETE", f"findings?account={account}&region=eu-west-1&repository=team/app&image=v1")
    ecr = client("ecr")
    with pytest.raises(ecr.exceptions.ScanNotFoundException):
        findings(ecr)


def test_an_unknown_scan_status_is_refused(push: Push, sandbox: Sandbox, account: str) -> None:
    push("team/app", small_image(), ["v1"])
    with pytest.raises(HTTPError, match="400"):
        set_findings(sandbox, account, "v1", status="SOMEHOW")
