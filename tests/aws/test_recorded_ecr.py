"""ECR's, CloudWatch Logs' and STS's answers with every member missing, null, empty, and of every word."""

import base64
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from functions_app.aws import ecr, lifecycle, logs, session
from functions_app.aws.ecr_scans import read_page
from functions_app.aws.members import OddAnswer, listed, whole
from functions_app.domain.fleet.lifecycle_policies import Action
from functions_app.domain.images.scans import NOT_SCANNED, ScanState, state
from functions_app.domain.images.statuses import read_status
from tests.aws.recorded import INVENTED, answer, oddities, structure

DIGEST = f"sha256:{'a' * 64}"
REPOSITORY = structure("ecr", "Repository", repositoryName="app", repositoryUri="host/app", repositoryArn="arn")
IMAGE = structure("ecr", "ImageDetail", imageDigest=DIGEST, imageStatus="ACTIVE")
TOKEN = base64.b64encode(b"AWS:secret").decode()
LOGIN = {"authorizationData": [structure("ecr", "AuthorizationData", authorizationToken=TOKEN)]}
READERS: list[tuple[str, str, dict[str, Any], Callable[[dict[str, Any]], object]]] = [
    ("ecr", "DescribeRepositories", {"repositories": [REPOSITORY]}, lambda page: _repositories(page)),
    ("ecr", "DescribeImages", {"imageDetails": [IMAGE]}, ecr.image_facts),
    ("ecr", "GetAuthorizationToken", LOGIN, ecr.read_login),
    ("ecr", "GetLifecyclePolicyPreview", answer("ecr", "GetLifecyclePolicyPreview"), lifecycle.expiring),
    ("ecr", "DescribeImageScanFindings", answer("ecr", "DescribeImageScanFindings"), read_page),
    ("logs", "FilterLogEvents", answer("logs", "FilterLogEvents"), lambda page: list(logs.read_events(page))),
    ("sts", "GetCallerIdentity", answer("sts", "GetCallerIdentity", Account="111111111111"), session.read_caller),
    ("sts", "AssumeRole", answer("sts", "AssumeRole"), session.read_credentials),
]


def _repositories(page: dict[str, Any]) -> object:
    return whole(ecr.repository_fact, listed(page, "repositories"))


@pytest.mark.parametrize(
    ("service", "operation", "document", "read"), READERS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_odd_member_is_more_than_an_answer_that_is_told(
    service: str, operation: str, document: dict[str, Any], read: Callable[[dict[str, Any]], object]
) -> None:
    assert read(document)
    tried = 0
    for odd in oddities(service, operation, document):
        tried += 1
        with suppress(OddAnswer):
            read(odd.answer)
    assert tried > 5


def test_one_odd_repository_costs_itself_alone() -> None:
    other = REPOSITORY | {"repositoryName": "other"}
    for odd in oddities("ecr", "DescribeRepositories", {"repositories": [REPOSITORY, other]}):
        if odd.path[:2] != ("repositories", 0):
            continue
        facts, strange = whole(ecr.repository_fact, listed(odd.answer, "repositories"))
        assert "other" in [fact.name for fact in facts], odd
        assert len(facts) + len(strange) == 2, odd


def test_an_answer_without_its_list_is_not_an_empty_one() -> None:
    for read in (_repositories, ecr.image_facts, ecr.read_login, lifecycle.expiring):
        with pytest.raises(OddAnswer):
            read({})


def test_no_odd_status_makes_an_image_one_that_can_be_pulled() -> None:
    for odd in oddities("ecr", "DescribeImages", {"imageDetails": [IMAGE]}):
        if odd.path[-1] != "imageStatus":
            continue
        (fact,) = ecr.image_facts(odd.answer)
        pullable = read_status(fact.status).pullable
        assert pullable is not True or fact.status in ("ACTIVE", ""), odd
    assert read_status(INVENTED).pullable is None


@pytest.mark.parametrize(
    ("told", "action"),
    [
        ({"type": "EXPIRE"}, Action.DELETE),
        ({"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}, Action.ARCHIVE),
        ({"type": "TRANSITION", "targetStorageClass": INVENTED}, Action.UNKNOWN),
        ({"type": INVENTED}, Action.UNKNOWN),
        ({}, Action.UNKNOWN),
    ],
)
def test_an_action_of_a_lifecycle_rule_that_nobody_knows_is_neither_deletion_nor_archive(
    told: dict[str, str], action: Action
) -> None:
    (found,) = lifecycle.expiring({"previewResults": [{"imageDigest": DIGEST, "action": told}]})
    assert found.action is action
    assert found.told == (" ".join(told.values()) if action is Action.UNKNOWN else "")


def test_no_odd_status_of_a_scan_is_one_without_findings() -> None:
    document = answer("ecr", "DescribeImageScanFindings", findingSeverityCounts={}, findings=[], enhancedFindings=[])
    states = {}
    for odd in oddities("ecr", "DescribeImageScanFindings", document | {"imageScanStatus": {"status": "COMPLETE"}}):
        if odd.path[:1] == ("imageScanStatus",):
            summary = read_page(odd.answer)[0]
            states[summary.status] = state(summary.status, summary.severities)
    clean = {status for status, state in states.items() if state is ScanState.CLEAN}
    assert clean <= {"COMPLETE", "ACTIVE"}
    assert NOT_SCANNED not in clean
