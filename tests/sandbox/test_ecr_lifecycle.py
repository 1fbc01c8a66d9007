"""ECR: lifecycle policies and what their preview says."""

import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.ecr_lifecycle import Candidate, expiring
from tests.sandbox.conftest import ClientFactory, Push
from tests.sandbox.fixtures import CREATED, small_image


def rule(priority: int, status: str, kind: str, number: int, **selection: Any) -> dict[str, Any]:
    unit = {"countUnit": "days"} if kind == "sinceImagePushed" else {}
    selection = {"tagStatus": status, "countType": kind, "countNumber": number, **unit, **selection}
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


def policy(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": list(rules)})


UNTAGGED = policy(rule(1, "untagged", "imageCountMoreThan", 1))


def test_a_policy_is_kept_as_it_was_put(client: ClientFactory) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="team/app")
    ecr.put_lifecycle_policy(repositoryName="team/app", lifecyclePolicyText=UNTAGGED)
    assert ecr.get_lifecycle_policy(repositoryName="team/app")["lifecyclePolicyText"] == UNTAGGED


def test_a_malformed_policy_is_refused(client: ClientFactory) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="team/app")
    with pytest.raises(ecr.exceptions.InvalidParameterException):
        ecr.put_lifecycle_policy(
            repositoryName="team/app", lifecyclePolicyText=policy(rule(1, "sometimes", "imageCountMoreThan", 1))
        )


def test_the_preview_lists_what_would_expire_and_deletes_nothing(client: ClientFactory, push: Push) -> None:
    digests = [push("team/app", small_image(str(number)), ["latest"]) for number in range(4)]
    ecr = client("ecr")
    ecr.start_lifecycle_policy_preview(repositoryName="team/app", lifecyclePolicyText=UNTAGGED)
    preview = ecr.get_lifecycle_policy_preview(repositoryName="team/app")
    assert preview["status"] == "COMPLETE"
    # Of three untagged images the newest is kept.
    assert {result["imageDigest"] for result in preview["previewResults"]} == set(digests[:2])
    assert {result["appliedRulePriority"] for result in preview["previewResults"]} == {1}
    assert preview["summary"]["expiringImageTotalCount"] == 2
    assert len(ecr.describe_images(repositoryName="team/app")["imageDetails"]) == 4


def test_the_preview_uses_the_repositorys_own_policy_by_default(client: ClientFactory, push: Push) -> None:
    for number in range(3):
        push("team/app", small_image(str(number)), ["latest"])
    ecr = client("ecr")
    ecr.put_lifecycle_policy(repositoryName="team/app", lifecyclePolicyText=UNTAGGED)
    ecr.start_lifecycle_policy_preview(repositoryName="team/app")
    preview = ecr.get_lifecycle_policy_preview(repositoryName="team/app")
    assert preview["summary"]["expiringImageTotalCount"] == 1


def test_a_preview_without_any_policy_is_refused(client: ClientFactory) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="team/app")
    with pytest.raises(ecr.exceptions.LifecyclePolicyNotFoundException):
        ecr.start_lifecycle_policy_preview(repositoryName="team/app")
    with pytest.raises(ecr.exceptions.LifecyclePolicyPreviewNotFoundException):
        ecr.get_lifecycle_policy_preview(repositoryName="team/app")


def images(*tags: tuple[str, ...]) -> list[Candidate]:
    """Images a day apart, oldest first, named by their number."""
    return [Candidate(str(number), each, CREATED + timedelta(days=number)) for number, each in enumerate(tags)]


def expired(text: str, candidates: list[Candidate], day: int = 10) -> dict[str, int]:
    found = expiring(text, candidates, CREATED + timedelta(days=day))
    return {expiry.image.digest: expiry.rule_priority for expiry in found}


def test_age_counts_from_the_push() -> None:
    text = policy(rule(1, "any", "sinceImagePushed", 8))
    assert expired(text, images((), (), (), ())) == {"0": 1, "1": 1}


def test_an_image_that_a_higher_rule_selects_is_safe_from_lower_ones() -> None:
    keep = rule(1, "tagged", "imageCountMoreThan", 5, tagPrefixList=["prod"])
    text = policy(keep, rule(2, "any", "imageCountMoreThan", 1))
    assert expired(text, images(("prod-1",), (), ("prod-2",), ())) == {"1": 2}


def test_several_prefixes_select_images_that_have_them_all() -> None:
    text = policy(rule(1, "tagged", "sinceImagePushed", 1, tagPrefixList=["alpha", "beta"]))
    assert expired(text, images(("alpha-1",), ("alpha-2", "beta-2"))) == {"1": 1}


def test_a_pattern_matches_with_wildcards() -> None:
    text = policy(rule(1, "tagged", "sinceImagePushed", 1, tagPatternList=["*-rc*"]))
    assert expired(text, images(("v1-rc1",), ("v1",))) == {"0": 1}
