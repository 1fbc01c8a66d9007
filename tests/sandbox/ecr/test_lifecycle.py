"""ECR: lifecycle policies and what their preview says."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sandbox.ecr.lifecycle import Candidate, expiring
from sandbox.images.making import make_index
from tests.fixtures import ClientFactory, Push
from tests.sandbox.fixtures import CREATED, small_image


def rule(priority: int, status: str, kind: str, number: int, **selection: Any) -> dict[str, Any]:
    unit = {"countUnit": "days"} if kind.startswith("since") else {}
    selection = {"tagStatus": status, "countType": kind, "countNumber": number, **unit, **selection}
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


def archiving(priority: int, status: str, kind: str, number: int, **selection: Any) -> dict[str, Any]:
    action = {"type": "transition", "targetStorageClass": "archive"}
    return {**rule(priority, status, kind, number, **selection), "action": action}


ARCHIVE = {"storageClass": "archive"}


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


def test_in_a_pattern_only_the_star_is_special() -> None:
    text = policy(rule(1, "tagged", "sinceImagePushed", 1, tagPatternList=["v1.?[0-9]*"]))
    assert expired(text, images(("v1.?[0-9]-rc",), ("v1.25",))) == {"0": 1}


def test_a_prefix_is_no_pattern() -> None:
    text = policy(rule(1, "tagged", "sinceImagePushed", 1, tagPrefixList=["v*"]))
    assert expired(text, images(("v1",))) == {}


def test_rules_apply_by_priority_whatever_their_order() -> None:
    old = rule(1, "tagged", "sinceImagePushed", 8, tagPrefixList=["dev"])
    text = policy(rule(5, "any", "imageCountMoreThan", 1), old)
    assert expired(text, images(("dev-1",), ("v1",), ("v2",), ("dev-2",))) == {"0": 1, "1": 5, "2": 5}


def test_a_count_includes_the_images_that_a_higher_rule_expires() -> None:
    old = rule(1, "tagged", "sinceImagePushed", 9, tagPrefixList=["dev"])
    text = policy(old, rule(2, "any", "imageCountMoreThan", 2))
    assert expired(text, images(("v1",), ("dev-1",), ("v2",), ("v3",)), day=11) == {"0": 2, "1": 1}


def test_an_age_in_days_is_passed_only_after_them() -> None:
    text = policy(rule(1, "untagged", "sinceImagePushed", 10))
    assert expired(text, images((), ("v1",), ()), day=10) == {}
    assert expired(text, images((), ("v1",), ()), day=11) == {"0": 1}


def test_an_age_since_the_last_pull_counts_from_the_push_where_there_was_none() -> None:
    text = policy(archiving(1, "any", "sinceImagePulled", 5))
    old, pulled = images((), ())
    pulled = replace(pulled, pulled_at=CREATED + timedelta(days=7))
    assert expired(text, [old, pulled]) == {"0": 1}


def test_what_is_archived_is_selected_by_rules_for_the_archive_alone() -> None:
    text = policy(rule(1, "untagged", "sinceImagePushed", 1), rule(2, "any", "sinceImageTransitioned", 90, **ARCHIVE))
    young, old, active = images((), (), ())
    young = replace(young, archived_at=CREATED + timedelta(days=50))
    old = replace(old, archived_at=CREATED + timedelta(days=1))
    assert expired(text, [young, old, active], day=100) == {"1": 2, "2": 1}


def test_a_preview_tells_what_is_archived_and_what_is_deleted(client: ClientFactory, push: Push) -> None:
    loose = push("team/app", small_image("loose"))
    old = push("team/app", small_image("old"), ["v1"])
    push("team/app", small_image("new"), ["v2"])
    ecr = client("ecr")
    rules = [
        archiving(1, "tagged", "imageCountMoreThan", 1, tagPrefixList=["v"]),
        rule(2, "untagged", "imageCountMoreThan", 1),
    ]
    push("team/app", small_image("looser"))
    ecr.put_lifecycle_policy(repositoryName="team/app", lifecyclePolicyText=policy(*rules))
    ecr.start_lifecycle_policy_preview(repositoryName="team/app")
    preview = ecr.get_lifecycle_policy_preview(repositoryName="team/app")
    found = {each["imageDigest"]: (each["action"], each["storageClass"]) for each in preview["previewResults"]}
    assert found == {
        old: ({"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}, "STANDARD"),
        loose: ({"type": "EXPIRE"}, "STANDARD"),
    }
    assert preview["summary"] == {
        "expiringImageTotalCount": 1,
        "transitioningImageTotalCounts": [{"targetStorageClass": "ARCHIVE", "imageTotalCount": 1}],
    }


def test_images_of_an_index_do_not_expire_before_it(client: ClientFactory, push: Push) -> None:
    child = small_image("child")
    push("team/app", make_index([child]), ["v1"])
    loose = push("team/app", small_image("loose"))
    push("team/app", small_image("newest"))
    ecr = client("ecr")
    ecr.start_lifecycle_policy_preview(repositoryName="team/app", lifecyclePolicyText=UNTAGGED)
    preview = ecr.get_lifecycle_policy_preview(repositoryName="team/app")
    assert [result["imageDigest"] for result in preview["previewResults"]] == [loose]


def test_the_preview_comes_in_pages_and_by_tag_status(client: ClientFactory, push: Push) -> None:
    for number in range(5):
        push("team/app", small_image(str(number)), ["latest"] if number % 2 else [f"v{number}"])
    ecr = client("ecr")
    text = policy(rule(7, "any", "imageCountMoreThan", 1))
    ecr.start_lifecycle_policy_preview(repositoryName="team/app", lifecyclePolicyText=text)
    first = ecr.get_lifecycle_policy_preview(repositoryName="team/app", maxResults=3)
    rest = ecr.get_lifecycle_policy_preview(repositoryName="team/app", maxResults=3, nextToken=first["nextToken"])
    assert [len(first["previewResults"]), len(rest["previewResults"])] == [3, 1]
    assert "nextToken" not in rest
    assert {page["summary"]["expiringImageTotalCount"] for page in (first, rest)} == {4}
    assert {result["appliedRulePriority"] for result in first["previewResults"]} == {7}
    tagged = ecr.get_lifecycle_policy_preview(repositoryName="team/app", filter={"tagStatus": "TAGGED"})
    assert sorted(result["imageTags"][0] for result in tagged["previewResults"]) == ["latest", "v0", "v2"]


PATTERN, PREFIX = {"tagPatternList": ["v*"]}, {"tagPrefixList": ["v"]}


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("{", "Could not map policyString into LifecyclePolicy"),
        ('{"rule": []}', 'object has missing required properties \\(\\["rules"\\]\\)'),
        (policy(), "1 to 50 rules"),
        (policy({"rulePriority": 1, "action": {"type": "expire"}}), 'missing required properties \\(\\["selection"'),
        (policy({"rulePriority": 1, "action": {"type": "expire"}, "selection": None}), "instance type \\(null\\)"),
        (policy(rule(1, "untagged", "imageCountMoreThan", 0)), "lower than the required minimum"),
        (policy(rule(0, "untagged", "imageCountMoreThan", 1)), "lower than the required minimum"),
        (policy(rule(1, "untagged", "sinceImageBuilt", 1)), "matched 0 out of 2"),
        (policy(rule(1, "untagged", "imageCountMoreThan", 1, countUnit="days")), "matched 0 out of 2"),
        (policy(rule(1, "tagged", "imageCountMoreThan", 1)), "either a tagPatternList or a tagPrefixList"),
        (policy(rule(1, "tagged", "imageCountMoreThan", 1, **PATTERN, **PREFIX)), "either a tagPatternList or"),
        (policy(rule(1, "untagged", "imageCountMoreThan", 1, **PREFIX)), "only be used when tagStatus is tagged"),
        (policy(rule(1, "tagged", "imageCountMoreThan", 1, tagPatternList=["*a*b*c*d*"])), "more than 4 wildcards"),
        (policy(rule(1, "any", "sinceImageTransitioned", 90)), "storageClass archive goes with"),
        (policy(rule(1, "any", "sinceImagePushed", 90, **ARCHIVE)), "storageClass archive goes with"),
        (policy(rule(1, "any", "sinceImageTransitioned", 30, **ARCHIVE)), "at least 90 days"),
        (policy(archiving(1, "any", "sinceImageTransitioned", 90, **ARCHIVE)), "in the archive can't be moved there"),
        (policy({**archiving(1, "any", "sinceImagePulled", 9), "action": {"type": "transition"}}), "needs target"),
        (
            policy(rule(1, "any", "imageCountMoreThan", 1), rule(1, "untagged", "imageCountMoreThan", 1)),
            "rulePriority must be unique",
        ),
        (
            policy(rule(1, "any", "imageCountMoreThan", 1), rule(2, "untagged", "imageCountMoreThan", 1)),
            "any must have the highest rulePriority",
        ),
    ],
)
def test_put_lifecycle_policy_says_what_is_wrong(client: ClientFactory, text: str, failure: str) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="team/app")
    prefix = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation"
    with pytest.raises(ecr.exceptions.InvalidParameterException, match=f"{prefix} failure: .*{failure}"):
        ecr.put_lifecycle_policy(repositoryName="team/app", lifecyclePolicyText=text.ljust(100))
