"""Managed signing: an image of a repository that a rule names is signed after it was pushed, and no other."""

from typing import Any

import pytest

from tests.fixtures import ClientFactory, Push
from tests.sandbox.fixtures import small_image

PROFILE = "arn:aws:signer:eu-west-1:111111111111:/signing-profiles/{}"


def sign(ecr: Any, repositories: str, profile: str = "release") -> None:
    filters = [{"filter": repositories, "filterType": "WILDCARD_MATCH"}]
    rule = {"signingProfileArn": PROFILE.format(profile), "repositoryFilters": filters}
    ecr.put_signing_configuration(signingConfiguration={"rules": [rule]})


def statuses(ecr: Any, digest: str) -> list[str]:
    answer = ecr.describe_image_signing_status(repositoryName="team/app", imageId={"imageDigest": digest})
    return [each["status"] for each in answer["signingStatuses"]]


def test_without_a_rule_an_image_has_no_status(client: ClientFactory, push: Push) -> None:
    digest = push("team/app", small_image(), ["v1"])
    assert statuses(client("ecr"), digest) == []


def test_an_image_that_a_rule_names_is_signed_after_a_while(client: ClientFactory, push: Push) -> None:
    ecr = client("ecr")
    sign(ecr, "team/*")
    digest = push("team/app", small_image(), ["v1"])
    assert [statuses(ecr, digest) for _ in range(3)] == [["IN_PROGRESS"], ["COMPLETE"], ["COMPLETE"]]


def test_one_that_was_there_before_or_is_elsewhere_is_not(client: ClientFactory, push: Push) -> None:
    ecr = client("ecr")
    before = push("team/app", small_image(), ["v1"])
    sign(ecr, "other/*")
    assert statuses(ecr, before) == []
    sign(ecr, "team/*")
    assert statuses(ecr, before) == []


def test_a_revoked_profile_signs_nothing_and_says_why(client: ClientFactory, push: Push) -> None:
    ecr = client("ecr")
    sign(ecr, "*", "revoked")
    digest = push("team/app", small_image(), ["v1"])
    assert [statuses(ecr, digest) for _ in range(2)] == [["IN_PROGRESS"], ["FAILED"]]
    answer = ecr.describe_image_signing_status(repositoryName="team/app", imageId={"imageDigest": digest})
    assert "not active" in answer["signingStatuses"][0]["failureReason"]


def test_an_image_that_is_not_there_has_none(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    ecr = client("ecr")
    with pytest.raises(ecr.exceptions.ImageNotFoundException):
        statuses(ecr, f"sha256:{'0' * 64}")
