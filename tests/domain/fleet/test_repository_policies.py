"""What a repository policy lets Lambda do: a table of policies and verdicts; what can't be decided is None."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.fleet.repository_policies import allows_pull
from functions_app.domain.text import storable

ARN = "arn:aws:lambda:eu-west-1:222222222222:function:orders"
OWN, OTHER = "222222222222", "111111111111"
REPOSITORY = f"arn:aws:ecr:eu-west-1:{OTHER}:repository/team/app"
ROLE = f"arn:aws:iam::{OWN}:role/drydock"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
ROOT: dict[str, Any] = {"AWS": f"arn:aws:iam::{OWN}:root"}
SERVICE: dict[str, Any] = {"Service": "lambda.amazonaws.com"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(principal: Any, action: Any = PULL, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


def deny(**more: Any) -> dict[str, Any]:
    return {"Sid": "closed", "Effect": "Deny", "Principal": "*", "Action": "ecr:*", **more}


def deny_but(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Sid": "closed", "Effect": "Deny", "NotPrincipal": principal, "Action": "ecr:*", **more}


def verdict(*statements: dict[str, Any], owner: str = OTHER, caller: str = "") -> bool | None:
    return allows_pull(
        policy(*statements), function_arn=ARN, owner_account=owner, repository_arn=REPOSITORY, caller=caller
    )[0]


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


# Of another account: the statements, and whether Lambda may pull.
ACROSS = [
    ("nothing", [], False),
    ("the account alone", [allow(ROOT)], False),
    ("the service alone", [allow(SERVICE)], False),
    ("both", [allow(ROOT), allow(SERVICE)], True),
    ("both in one statement", [allow({**ROOT, **SERVICE})], True),
    ("the account by its number", [allow({"AWS": [OWN]}), allow(SERVICE)], True),
    ("another account", [allow({"AWS": f"arn:aws:iam::{OTHER}:root"}), allow(SERVICE)], False),
    ("everybody", [allow("*")], True),
    ("everybody, as AWS principals", [allow({"AWS": "*"})], True),
    ("the account in another partition", [allow({"AWS": f"arn:aws-us-gov:iam::{OWN}:root"}), allow(SERVICE)], False),
    ("somebody of the account", [allow({"AWS": f"arn:aws:iam::{OWN}:role/ci"}), allow(SERVICE)], None),
    ("a session of the account", [allow({"AWS": f"arn:aws:sts::{OWN}:assumed-role/ci/x"}), allow(SERVICE)], None),
    ("somebody by an id", [allow({"AWS": "AROAEXAMPLEEXAMPLE"}), allow(SERVICE)], None),
    ("another service", [allow(ROOT), allow({"Service": "ecs.amazonaws.com"})], False),
    ("half of the actions", [allow(ROOT), allow(SERVICE, "ecr:BatchGetImage")], False),
    ("the halves in two statements", [allow(ROOT), allow(SERVICE, PULL[0]), allow(SERVICE, PULL[1])], True),
    ("actions by a pattern", [allow({**ROOT, **SERVICE}, ["ECR:batchget*", "ecr:GetDownloadUrlForLaye?"])], True),
    ("all but pushes", [{"Effect": "Allow", "Principal": {**ROOT, **SERVICE}, "NotAction": "ecr:Put*"}], True),
    ("all but pulls", [{"Effect": "Allow", "Principal": {**ROOT, **SERVICE}, "NotAction": PULL}], False),
    ("for this repository", [allow({**ROOT, **SERVICE}, Resource=REPOSITORY)], True),
    ("for another repository", [allow({**ROOT, **SERVICE}, Resource=REPOSITORY + "-2")], False),
    ("for all but this", [allow({**ROOT, **SERVICE}, NotResource="arn:aws:ecr:*:*:repository/team/*")], False),
    ("this function", [allow(ROOT), allow(SERVICE, **when("StringLike", "aws:sourceARN", ARN))], True),
    ("all functions", [allow(ROOT), allow(SERVICE, **when("ArnLike", "aws:SourceArn", ARN[:-6] + "*"))], True),
    ("another function", [allow(ROOT), allow(SERVICE, **when("StringLike", "aws:sourceARN", ARN + "-2"))], False),
    ("not this function", [allow(ROOT), allow(SERVICE, **when("ArnNotEquals", "aws:SourceArn", ARN))], False),
    ("functions of the account", [allow(ROOT), allow(SERVICE, **when("StringEquals", "aws:SourceAccount", OWN))], True),
    ("functions of another", [allow(ROOT), allow(SERVICE, **when("StringEquals", "aws:SourceAccount", OTHER))], False),
    ("the organisation", [allow("*", **when("StringEquals", "aws:PrincipalOrgID", "o-1")), allow(SERVICE)], None),
    ("an organisation of sources", [allow(ROOT), allow(SERVICE, **when("StringEquals", "aws:SourceOrgID", "o"))], None),
    ("an operator nobody knows", [allow(ROOT), allow(SERVICE, **when("StringSounds", "aws:SourceArn", ARN))], None),
    ("a set of values", [allow(ROOT), allow(SERVICE, **when("ForAnyValue:StringLike", "aws:SourceArn", ARN))], None),
    ("a variable", [allow(ROOT), allow(SERVICE, **when("StringLike", "aws:SourceArn", "arn:${x}"))], None),
    ("a source if any", [allow(ROOT, **when("StringEqualsIfExists", "aws:SourceAccount", OWN)), allow(SERVICE)], None),
    ("services alone", [allow(ROOT), allow("*", **when("Bool", "aws:PrincipalIsAWSService", "true"))], True),
    ("no services", [allow("*", **when("Bool", "aws:PrincipalIsAWSService", "false"))], False),
    ("a certain grant beside a doubtful one", [allow(ROOT), allow(SERVICE), allow("*", **when("X", "y", "z"))], True),
    ("both, and a deny", [allow(ROOT), allow(SERVICE), deny()], False),
    ("both, and a deny of pushes", [allow(ROOT), allow(SERVICE), deny(Action="ecr:PutImage")], True),
    ("a statement without anybody", [{"Effect": "Allow", "Action": PULL}, allow(SERVICE)], None),
]  # fmt: skip
# Of its own account, where only a Deny forbids.
WITHIN = [
    ("nothing", [], True),
    ("a grant to somebody else", [allow({"AWS": OTHER})], True),
    ("a deny", [deny()], False),
    ("a deny of half", [deny(Action=PULL[0])], False),
    ("a deny of pushes", [deny(Action="ecr:PutImage")], True),
    ("a deny of all but pushes", [{"Effect": "Deny", "Principal": "*", "NotAction": "ecr:PutImage"}], False),
    ("a deny of all but pulls", [{"Effect": "Deny", "Principal": "*", "NotAction": PULL}], True),
    ("a deny of all but two", [{"Effect": "Deny", "Principal": "*", "NotAction": PULL[0]}], False),
    ("a deny for the service", [deny(Principal=SERVICE)], False),
    ("a deny for the account", [deny(Principal=ROOT)], False),
    ("a deny for another account", [deny(Principal={"AWS": OTHER})], True),
    ("a deny for somebody of the account", [deny(Principal={"AWS": f"arn:aws:iam::{OWN}:user/eve"})], None),
    ("a deny for all but a role", [deny_but({"AWS": f"arn:aws:iam::{OWN}:role/ci"})], False),
    ("a deny for all but the service", [deny_but(SERVICE)], False),
    ("a deny for all but account and service", [deny_but({**ROOT, **SERVICE})], None),
    ("a deny for all but everybody", [deny_but("*")], None),
    ("a deny of plain http", [deny(**when("Bool", "aws:SecureTransport", "false"))], True),
    ("a deny outside a network", [deny(**when("StringNotEquals", "aws:SourceVpce", "vpce-1"))], None),
    ("a deny of other accounts", [deny(**when("StringNotEquals", "aws:PrincipalAccount", OWN))], False),
    ("a deny without source", [deny(**when("Null", "aws:SourceArn", "true"))], None),
    ("a deny for another repository", [deny(Resource="arn:aws:ecr:*:*:repository/other")], True),
    ("a deny for all other repositories", [deny(NotResource=REPOSITORY)], True),
    ("a deny with odd conditions", [deny(Condition=["x"])], None),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "ok"), [row[1:] for row in ACROSS], ids=[row[0] for row in ACROSS])
def test_across_accounts_the_account_and_the_service_need_a_grant(statements: list[Any], ok: bool | None) -> None:
    assert verdict(*statements) is ok


@pytest.mark.parametrize(("statements", "ok"), [row[1:] for row in WITHIN], ids=[row[0] for row in WITHIN])
def test_within_an_account_only_a_deny_forbids(statements: list[Any], ok: bool | None) -> None:
    assert verdict(*statements, owner=OWN) is ok


@pytest.mark.parametrize(
    ("principal", "ok"), [(ROLE, True), (f"arn:aws:iam::{OWN}:role/ci", False), (ROOT["AWS"], True)]
)
def test_the_role_that_deploys_is_granted_by_name_or_with_its_account(principal: str, ok: bool) -> None:
    assert verdict(allow({"AWS": principal}), allow(SERVICE), caller=ROLE) is ok


def test_an_exception_for_the_role_that_deploys_is_one() -> None:
    assert verdict(deny_but({"AWS": [ROLE, ROOT["AWS"]], **SERVICE}), owner=OWN, caller=ROLE) is True


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-eusc", "aws-iso"])
def test_the_account_is_known_in_every_partition(partition: str) -> None:
    text = policy(allow({"AWS": f"arn:{partition}:iam::{OWN}:root", **SERVICE}))
    arn = ARN.replace("arn:aws:", f"arn:{partition}:")
    assert allows_pull(text, function_arn=arn, owner_account=OTHER)[0] is True


def test_without_the_repositorys_arn_a_resource_is_undecided() -> None:
    text = policy(allow({**ROOT, **SERVICE}, Resource=REPOSITORY))
    assert allows_pull(text, function_arn=ARN, owner_account=OTHER)[0] is None
    text = policy(allow({**ROOT, **SERVICE}, Resource="*"))
    assert allows_pull(text, function_arn=ARN, owner_account=OTHER)[0] is True


def test_an_explicit_deny_is_named() -> None:
    assert "'closed'" in allows_pull(policy(deny()), function_arn=ARN, owner_account=OWN)[1]


def test_what_is_missing_is_named_with_who_lacks_it() -> None:
    _, text = allows_pull(policy(allow(ROOT), allow(SERVICE, PULL[0])), function_arn=ARN, owner_account=OTHER)
    assert "does not allow lambda.amazonaws.com ecr:GetDownloadUrlForLayer. Across accounts" in text
    _, text = allows_pull(policy(allow(SERVICE)), function_arn=ARN, owner_account=OTHER)
    assert f"account {OWN} ecr:BatchGetImage and ecr:GetDownloadUrlForLayer" in text


def test_what_is_undecided_names_the_statement_it_depends_on() -> None:
    doubtful = allow(SERVICE, Sid="org", **when("StringEquals", "aws:SourceOrgID", "o-1"))
    _, text = allows_pull(policy(allow(ROOT), doubtful), function_arn=ARN, owner_account=OTHER)
    assert "'org'" in text
    assert "Lambda will decide" in text


@pytest.mark.parametrize("text", ["no json", "[]", "{}", "[" * 100_000])
def test_what_cannot_be_read_is_left_to_lambda(text: str) -> None:
    assert allows_pull(text, function_arn=ARN, owner_account=OWN)[0] is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["*", "ecr:*", ARN, OWN]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = ["Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition", "Sid"]


@given(st.lists(st.dictionaries(st.sampled_from(PARTS), JSON | st.sampled_from(["Allow", "Deny"])), max_size=3))
def test_no_policy_however_odd_is_too_much(statements: list[dict[str, Any]]) -> None:
    text = json.dumps({"Statement": statements})
    ok, reason = allows_pull(text, function_arn=ARN, owner_account=OTHER)
    assert ok in (True, False, None)
    assert reason


@pytest.mark.parametrize("odd", [5, True, None, {"AWS": 5}, {"Service": {"a": "b"}}, [[]]])
@pytest.mark.parametrize("element", ["Principal", "Action", "Effect", "Condition"])
@pytest.mark.parametrize("owner", [OWN, OTHER])
def test_an_element_of_a_form_that_aws_does_not_know_gets_an_answer_all_the_same(
    element: str, odd: Any, owner: str
) -> None:
    for statement in (deny(**{element: odd}), allow("*", **{element: odd})):
        ok, why = allows_pull(policy(statement), function_arn=ARN, owner_account=owner)
        assert ok in (True, False, None)
        assert why


def test_a_policy_that_is_nested_without_end_is_left_to_lambda() -> None:
    assert allows_pull("[" * 100_000, function_arn=ARN, owner_account=OWN)[0] is None


def test_a_reason_names_the_first_statements_alone_and_each_by_a_name_that_can_be_shown() -> None:
    text = policy(*(deny(Sid=f"{number}\u202e" + "x" * 5000) for number in range(50)))
    reason = allows_pull(text, function_arn=ARN, owner_account=OWN)[1]
    assert reason == storable(reason)
    assert len(reason) < 1000
    assert reason.endswith("and 46 more).")
