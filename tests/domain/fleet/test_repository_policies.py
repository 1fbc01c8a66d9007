"""What a repository policy lets Lambda do."""

import json
from typing import Any

import pytest

from functions_app.domain.fleet.repository_policies import allows_pull

ARN = "arn:aws:lambda:eu-west-1:222222222222:function:orders"
OWN, OTHER = "222222222222", "111111111111"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(principal: Any, action: Any = PULL, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


def deny(**more: Any) -> dict[str, Any]:
    return {"Sid": "closed", "Effect": "Deny", "Principal": "*", "Action": "ecr:*", **more}


def test_in_its_own_account_no_policy_is_needed() -> None:
    assert allows_pull(None, function_arn=ARN, owner_account=OWN)[0] is True


def test_an_explicit_deny_forbids_and_is_named() -> None:
    ok, text = allows_pull(policy(deny()), function_arn=ARN, owner_account=OWN)
    assert ok is False
    assert "'closed'" in text


def test_a_deny_of_pushes_alone_forbids_nothing() -> None:
    assert allows_pull(policy(deny(Action="ecr:PutImage")), function_arn=ARN, owner_account=OWN)[0] is True


def test_a_deny_under_a_condition_is_left_to_lambda() -> None:
    text = policy(deny(Condition={"Bool": {"aws:SecureTransport": "false"}}))
    assert allows_pull(text, function_arn=ARN, owner_account=OWN)[0] is None


def test_another_account_needs_a_grant() -> None:
    ok, text = allows_pull(None, function_arn=ARN, owner_account=OTHER)
    assert ok is False
    assert "ecr:BatchGetImage" in text


@pytest.mark.parametrize(
    "principal", [{"Service": "lambda.amazonaws.com"}, {"AWS": f"arn:aws:iam::{OWN}:root"}, {"AWS": [OWN]}, "*"]
)
def test_a_grant_to_lambda_or_to_the_account_is_enough(principal: Any) -> None:
    assert allows_pull(policy(allow(principal)), function_arn=ARN, owner_account=OTHER)[0] is True


def test_half_a_grant_names_the_missing_half() -> None:
    text = policy(allow({"Service": "lambda.amazonaws.com"}, "ecr:BatchGetImage"))
    ok, reason = allows_pull(text, function_arn=ARN, owner_account=OTHER)
    assert ok is False
    assert "ecr:GetDownloadUrlForLayer" in reason
    assert "ecr:BatchGetImage" not in reason


@pytest.mark.parametrize(("pattern", "ok"), [(f"arn:aws:lambda:*:{OWN}:function:*", True), ("arn:aws:lambda:*", True)])
def test_a_grant_for_the_functions_arn_is_enough(pattern: str, ok: bool) -> None:
    condition = {"StringLike": {"aws:sourceARN": pattern}}
    text = policy(allow({"Service": "lambda.amazonaws.com"}, Condition=condition))
    assert allows_pull(text, function_arn=ARN, owner_account=OTHER)[0] is ok


def test_a_grant_for_other_functions_is_no_promise() -> None:
    condition = {"StringLike": {"aws:sourceARN": f"arn:aws:lambda:*:{OWN}:function:other"}}
    text = policy(allow({"Service": "lambda.amazonaws.com"}, Condition=condition))
    assert allows_pull(text, function_arn=ARN, owner_account=OTHER)[0] is None


@pytest.mark.parametrize("text", ["no json", "[]", "{}"])
def test_what_cannot_be_read_is_left_to_lambda(text: str) -> None:
    assert allows_pull(text, function_arn=ARN, owner_account=OWN)[0] is None
