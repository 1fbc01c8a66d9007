"""STS and IAM: which roles can be assumed, and what a role's policies forbid."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.fixtures import REGION, ClientFactory, Push, Sandbox, client_config, login
from tests.sandbox.fixtures import small_image

DENY_LIST = {"Statement": [{"Effect": "Deny", "Action": "lambda:ListFunctions", "Resource": "*"}]}
TRUST_ALL = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}


def role_arn(account: str, name: str = "Drydock") -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def register(sandbox: Sandbox, account: str, **role: Any) -> str:
    """Give the account a role and return its ARN."""
    sandbox.admin("POST", "roles", {"account": account, "name": "Drydock", **role})
    return role_arn(account)


def assume(sandbox: Sandbox, arn: str, **more: str) -> Any:
    """A factory of clients with the role's credentials: `assume(...)("ecr")`."""
    keys = sandbox.sts.assume_role(RoleArn=arn, RoleSessionName="someone", **more)["Credentials"]

    def make(service: str, region: str = REGION) -> Any:
        return sandbox.session.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            endpoint_url=sandbox.url,
            config=client_config(),
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    return make


def error(refused: pytest.ExceptionInfo[ClientError]) -> tuple[int, str, str]:
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def not_trusted(arn: str) -> tuple[int, str, str]:
    user = "arn:aws:iam::111111111111:user/sandbox"
    return 403, "AccessDenied", f"User: {user} is not authorized to perform: sts:AssumeRole on resource: {arn}"


def test_any_role_of_an_account_without_roles_can_be_assumed(sandbox: Sandbox, account: str) -> None:
    assert assume(sandbox, role_arn(account, "Whoever"))("sts").get_caller_identity()["Account"] == account


def test_an_unknown_role_of_an_account_with_roles_is_refused(sandbox: Sandbox, account: str) -> None:
    register(sandbox, account)
    with pytest.raises(ClientError) as refused:
        assume(sandbox, role_arn(account, "Nobody"))
    assert error(refused) == not_trusted(role_arn(account, "Nobody"))


def test_a_registered_role_can_be_assumed(sandbox: Sandbox, account: str) -> None:
    identity = assume(sandbox, register(sandbox, account))("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{account}:assumed-role/Drydock/someone"


def test_a_role_made_by_iam_can_be_assumed_and_closes_its_account(
    sandbox: Sandbox, client: ClientFactory, account: str
) -> None:
    iam = client("iam")
    made = iam.create_role(RoleName="Drydock", Path="/ops/", AssumeRolePolicyDocument=json.dumps(TRUST_ALL))
    assert made["Role"]["Arn"] == f"arn:aws:iam::{account}:role/ops/Drydock"
    assert assume(sandbox, made["Role"]["Arn"])("sts").get_caller_identity()["Account"] == account
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole"):
        assume(sandbox, role_arn(account, "Nobody"))


def test_a_role_that_trusts_another_account_is_refused(sandbox: Sandbox, client: ClientFactory, account: str) -> None:
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"}, "Action": "sts:AssumeRole"}
        ]
    }
    client("iam").create_role(RoleName="Drydock", AssumeRolePolicyDocument=json.dumps(trust))
    with pytest.raises(ClientError) as refused:
        assume(sandbox, role_arn(account))
    assert error(refused) == not_trusted(role_arn(account))


def test_a_role_for_a_service_is_not_for_users(sandbox: Sandbox, client: ClientFactory, account: str) -> None:
    service = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    client("iam").create_role(RoleName="Drydock", AssumeRolePolicyDocument=json.dumps({"Statement": [service]}))
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole"):
        assume(sandbox, role_arn(account))


def test_the_external_id_opens_the_role(sandbox: Sandbox, account: str) -> None:
    arn = register(sandbox, account, external_id="drydock-1")
    assert assume(sandbox, arn, ExternalId="drydock-1")("sts").get_caller_identity()["Account"] == account


@pytest.mark.parametrize("given", [{}, {"ExternalId": "drydock-2"}])
def test_a_missing_or_wrong_external_id_is_refused(sandbox: Sandbox, account: str, given: dict[str, str]) -> None:
    arn = register(sandbox, account, external_id="drydock-1")
    with pytest.raises(ClientError) as refused:
        assume(sandbox, arn, **given)
    assert error(refused) == not_trusted(arn)


def test_a_malformed_role_arn_is_a_validation_error(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError) as refused:
        assume(sandbox, "arn-of-nothing-at-all")
    assert error(refused)[:2] == (400, "ValidationError")


def test_a_denied_action_comes_back_with_aws_text(sandbox: Sandbox, account: str) -> None:
    functions = assume(sandbox, register(sandbox, account, policy=DENY_LIST))("lambda")
    with pytest.raises(ClientError) as refused:
        functions.list_functions()
    assert error(refused) == (
        403,
        "AccessDeniedException",
        f"User: arn:aws:sts::{account}:assumed-role/Drydock/someone is not authorized to perform: "
        "lambda:ListFunctions on resource: * with an explicit deny in an identity-based policy",
    )


def test_other_actions_of_a_role_that_only_denies_go_on(sandbox: Sandbox, account: str) -> None:
    role = assume(sandbox, register(sandbox, account, policy=DENY_LIST))
    assert role("lambda").get_account_settings()["AccountLimit"]
    assert role("ecr").describe_repositories()["repositories"] == []


def test_what_no_policy_allows_is_refused(sandbox: Sandbox, account: str) -> None:
    allow = {"Statement": {"Effect": "Allow", "Action": ["ecr:Describe*", "ecr:List*"], "Resource": "*"}}
    ecr = assume(sandbox, register(sandbox, account, policy=allow))("ecr")
    assert ecr.describe_repositories()["repositories"] == []
    with pytest.raises(ClientError) as refused:
        ecr.create_repository(repositoryName="team/app")
    assert error(refused) == (
        400,
        "AccessDeniedException",
        f"User: arn:aws:sts::{account}:assumed-role/Drydock/someone is not authorized to perform: "
        f"ecr:CreateRepository on resource: arn:aws:ecr:eu-west-1:{account}:repository/team/app "
        "because no identity-based policy allows the ecr:CreateRepository action",
    )


def test_a_denial_can_be_for_one_resource(sandbox: Sandbox, account: str) -> None:
    resource = "arn:aws:ecr:*:*:repository/secret/*"
    deny = {"Statement": [{"Effect": "Deny", "Action": "ecr:*", "Resource": resource}]}
    ecr = assume(sandbox, register(sandbox, account, policy=deny))("ecr")
    ecr.create_repository(repositoryName="team/app")
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        ecr.create_repository(repositoryName="secret/app")


def test_a_denial_can_be_for_one_region(sandbox: Sandbox, account: str) -> None:
    condition = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
    deny = {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}]}
    role = assume(sandbox, register(sandbox, account, policy=deny))
    assert role("lambda").list_functions()["Functions"] == []
    with pytest.raises(ClientError, match="lambda:ListFunctions"):
        role("lambda", "us-east-1").list_functions()


def test_invoking_is_denied_by_its_iam_name(sandbox: Sandbox, account: str) -> None:
    deny = {"Statement": [{"Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": "*"}]}
    functions = assume(sandbox, register(sandbox, account, policy=deny))("lambda")
    with pytest.raises(ClientError, match=f"lambda:InvokeFunction on resource: arn:.*:{account}:function:orders"):
        functions.invoke(FunctionName="orders")


def test_a_role_is_passed_to_lambda_by_who_may_pass_it(sandbox: Sandbox, account: str) -> None:
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role_arn(account, "app-*")}
    to_lambda = {"Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}}
    updating = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
    policy = {"Statement": [updating, passing | to_lambda]}
    functions = assume(sandbox, register(sandbox, account, policy=policy))("lambda")
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {role_arn(account, 'admin')} because"):
        functions.update_function_configuration(FunctionName="orders", Role=role_arn(account, "admin"))
    for settings in ({"Role": role_arn(account, "app-1")}, {"Timeout": 9}):
        with pytest.raises(functions.exceptions.ResourceNotFoundException):
            functions.update_function_configuration(FunctionName="orders", **settings)


def test_a_denial_holds_at_v2_too(sandbox: Sandbox, account: str, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    deny = {"Statement": [{"Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": "*"}]}
    ecr = assume(sandbox, register(sandbox, account, policy=deny))("ecr")
    answer = httpx.get(f"{sandbox.url}/v2/team/app/manifests/v1", auth=login(ecr))
    assert answer.status_code == 403
    assert "ecr:BatchGetImage" in answer.json()["errors"][0]["message"]
    assert "with an explicit deny in an identity-based policy" in answer.json()["errors"][0]["message"]


def test_policies_of_iam_deny_too(sandbox: Sandbox, client: ClientFactory, account: str) -> None:
    iam = client("iam")
    iam.create_role(RoleName="Drydock", AssumeRolePolicyDocument=json.dumps(TRUST_ALL))
    role = assume(sandbox, role_arn(account))
    assert role("lambda").list_functions()["Functions"] == []
    iam.put_role_policy(
        RoleName="Drydock", PolicyName="no", PolicyDocument=json.dumps({"Version": "2012-10-17", **DENY_LIST})
    )
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        role("lambda").list_functions()


def test_the_callers_identity_cannot_be_denied(sandbox: Sandbox, account: str) -> None:
    deny = {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    role = assume(sandbox, register(sandbox, account, policy=deny))
    assert role("sts").get_caller_identity()["Account"] == account


def test_a_role_may_be_denied_to_assume_another(sandbox: Sandbox, account: str) -> None:
    deny = {"Statement": [{"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}]}
    sts = assume(sandbox, register(sandbox, account, policy=deny))("sts")
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        sts.assume_role(RoleArn=role_arn("999999999999", "Any"), RoleSessionName="next")


def test_roles_taken_away_open_the_account_again(sandbox: Sandbox, account: str) -> None:
    register(sandbox, account)
    assert {"account": account, "name": "Drydock"} in sandbox.admin("GET", "roles")
    sandbox.admin("DELETE", f"roles?account={account}")
    assert assume(sandbox, role_arn(account, "Whoever"))("sts").get_caller_identity()["Account"] == account


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Maybe", "Action": "*"},
        {"Effect": "Deny"},
        {"Effect": "Deny", "Action": "*", "Condition": {"NumericEquals": {"a": 1}}},
    ],
)
def test_a_policy_that_would_be_misread_is_refused(
    sandbox: Sandbox, account: str, statement: dict[str, object]
) -> None:
    with pytest.raises(HTTPError, match="400"):
        register(sandbox, account, policy={"Statement": [statement]})


@pytest.mark.parametrize("days", [-400, 400])
def test_keys_of_a_role_are_good_for_an_hour_of_this_machines_clock_on_whatever_day(
    sandbox: Sandbox, account: str, clock: Callable[..., AbstractContextManager[None]], days: int
) -> None:
    with clock(ahead=days * 86400):
        keys = sandbox.sts.assume_role(RoleArn=role_arn(account), RoleSessionName="someone")["Credentials"]

    assert timedelta(minutes=59) < keys["Expiration"] - datetime.now(UTC) <= timedelta(hours=1)
