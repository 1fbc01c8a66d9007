"""ECR: repository policies decide who may pull."""

import json
from base64 import b64decode
from itertools import count
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sandbox.ecr import backend, ecr_service
from tests.fixtures import ClientFactory, Push, Sandbox, login, push_image, registry_client
from tests.sandbox.fixtures import small_image

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
OTHER = "222222222222"


def statement(effect: str, principal: object, actions: object = PULL, **more: Any) -> dict[str, Any]:
    return {"Sid": effect, "Effect": effect, "Principal": principal, "Action": actions, **more}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ROOT = {"AWS": f"arn:aws:iam::{OTHER}:root"}
LAMBDA = {"Service": "lambda.amazonaws.com"}


def test_a_policy_is_kept_as_it_was_set(client: ClientFactory) -> None:
    registry, text = client("ecr"), document(statement("Allow", ROOT))
    registry.create_repository(repositoryName="team/app")
    registry.set_repository_policy(repositoryName="team/app", policyText=text)
    assert registry.get_repository_policy(repositoryName="team/app")["policyText"] == text


def test_without_a_policy_there_is_none_to_get(client: ClientFactory) -> None:
    registry = client("ecr")
    registry.create_repository(repositoryName="team/app")
    with pytest.raises(registry.exceptions.RepositoryPolicyNotFoundException):
        registry.get_repository_policy(repositoryName="team/app")


def test_a_deny_binds_the_repositorys_own_account(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    registry = client("ecr")
    registry.set_repository_policy(repositoryName="team/app", policyText=document(statement("Deny", "*")))
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy") as refused:
        registry.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_deny_binds_pulls_through_v2(client: ClientFactory, push: Push, sandbox: Sandbox) -> None:
    push("team/app", small_image(), ["v1"])
    registry = client("ecr")
    registry.set_repository_policy(repositoryName="team/app", policyText=document(statement("Deny", "*")))
    answer = httpx.get(f"{sandbox.url}/v2/team/app/manifests/v1", auth=login(registry))
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "DENIED"


PUSH = ["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart"]
PUSH += ["ecr:CompleteLayerUpload", "ecr:PutImage"]


@pytest.mark.parametrize(
    "action", ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"]
)
def test_a_deny_binds_pushes_through_v2(client: ClientFactory, push: Push, action: str) -> None:
    push("team/app", small_image("one"), ["v1"])
    client("ecr").set_repository_policy(repositoryName="team/app", policyText=document(statement("Deny", "*", action)))
    with pytest.raises(httpx.HTTPStatusError) as refused:
        push("team/app", small_image("two"), ["v2"])
    assert refused.value.response.status_code == 403
    assert f"perform: {action} " in refused.value.response.json()["errors"][0]["message"]


def test_another_account_pushes_where_the_policy_lets_it(
    client: ClientFactory, push: Push, sandbox: Sandbox, account: str
) -> None:
    push("team/app", small_image("one"), ["v1"])
    token = client("ecr", account=OTHER).get_authorization_token(registryIds=[account])["authorizationData"][0]
    user, _, password = b64decode(token["authorizationToken"]).decode().partition(":")
    image = small_image("theirs")
    with registry_client(sandbox.url, (user, password)) as registry:
        with pytest.raises(httpx.HTTPStatusError, match="403"):
            push_image(registry, "team/app", image, ["v2"])
        policy = document(statement("Allow", ROOT, PUSH))
        client("ecr").set_repository_policy(repositoryName="team/app", policyText=policy)
        push_image(registry, "team/app", image, ["v2"])
    (found,) = client("ecr").describe_images(repositoryName="team/app", imageIds=[{"imageTag": "v2"}])["imageDetails"]
    assert found["imageDigest"] == image.digest


def test_a_policy_that_locks_out_can_be_deleted(client: ClientFactory) -> None:
    registry = client("ecr")
    registry.create_repository(repositoryName="team/app")
    registry.set_repository_policy(repositoryName="team/app", policyText=document(statement("Deny", "*", "ecr:*")))
    registry.delete_repository_policy(repositoryName="team/app")
    assert registry.describe_images(repositoryName="team/app")["imageDetails"] == []


def test_another_account_may_read_only_what_is_granted(client: ClientFactory, push: Push, account: str) -> None:
    push("team/app", small_image(), ["v1"])
    stranger = client("ecr", account=OTHER)
    asked = {"registryId": account, "repositoryName": "team/app", "imageIds": [{"imageTag": "v1"}]}
    with pytest.raises(ClientError, match="no resource-based policy allows"):
        stranger.batch_get_image(**asked)
    client("ecr").set_repository_policy(repositoryName="team/app", policyText=document(statement("Allow", ROOT)))
    assert len(stranger.batch_get_image(**asked)["images"]) == 1
    with pytest.raises(ClientError, match="ecr:DescribeImages"):
        stranger.describe_images(registryId=account, repositoryName="team/app")


_ACCOUNTS = count(400_000_000_000)


@pytest.fixture
def repository() -> str:
    """The account of a repository team/app in this process, without a policy."""
    ecr_service.install()
    owner = str(next(_ACCOUNTS))
    backend.create_repository(owner, "eu-west-1", "team/app")
    return owner


def allowed(owner: str, caller: str, *statements: dict[str, Any]) -> bool:
    found = backend.find_repository(owner, "eu-west-1", "team/app")
    assert found is not None
    found.policy = document(*statements) if statements else None
    return backend.pull_allowed(owner, "eu-west-1", "team/app", caller)


def test_lambda_may_pull_in_the_own_account_without_a_policy(repository: str) -> None:
    assert allowed(repository, repository)


def test_lambda_may_not_pull_in_the_own_account_when_it_is_denied(repository: str) -> None:
    assert not allowed(repository, repository, statement("Deny", LAMBDA))


def test_lambda_of_another_account_needs_grants_for_account_and_service(repository: str) -> None:
    assert not allowed(repository, OTHER)
    assert not allowed(repository, OTHER, statement("Allow", ROOT))
    assert not allowed(repository, OTHER, statement("Allow", LAMBDA))
    assert allowed(repository, OTHER, statement("Allow", ROOT), statement("Allow", LAMBDA))


def test_a_grant_to_lambda_can_be_bound_to_an_accounts_functions(repository: str) -> None:
    def grant(owner: str) -> dict[str, Any]:
        source = f"arn:aws:lambda:eu-west-1:{owner}:function:*"
        return statement("Allow", LAMBDA, Condition={"StringLike": {"aws:sourceARN": source}})

    assert allowed(repository, OTHER, statement("Allow", ROOT), grant(OTHER))
    assert not allowed(repository, OTHER, statement("Allow", ROOT), grant("333333333333"))


def test_everybody_but_those_named_is_denied_the_service_too(repository: str) -> None:
    def deny_but(principal: object) -> dict[str, Any]:
        return {"Effect": "Deny", "NotPrincipal": principal, "Action": "ecr:*"}

    own = {"AWS": f"arn:aws:iam::{repository}:root"}
    assert not allowed(repository, repository, deny_but(own))
    assert not allowed(repository, repository, deny_but(LAMBDA))
    assert allowed(repository, repository, deny_but({**own, **LAMBDA}))


@pytest.mark.parametrize(
    ("more", "denied"),
    [
        ({"NotResource": "arn:aws:ecr:*:*:repository/team/app"}, False),
        ({"Resource": "arn:aws:ecr:*:*:repository/team/app"}, True),
        ({"Resource": "arn:aws:ecr:*:*:repository/other"}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, False),
        ({"Condition": {"Null": {"aws:SourceArn": "false"}}}, True),
        ({"Condition": {"StringNotEqualsIfExists": {"aws:SourceAccount": "333333333333"}}}, True),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, True),
        ({"Condition": {"ForAnyValue:StringLike": {"aws:SourceArn": "*"}}}, True),
    ],
)
def test_what_a_deny_is_bound_to_counts_and_what_is_not_understood_denies(
    repository: str, more: dict[str, Any], denied: bool
) -> None:
    assert allowed(repository, repository, statement("Deny", "*", "ecr:*", **more)) is not denied


def test_a_condition_that_is_not_understood_grants_nothing(repository: str) -> None:
    org = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}
    assert not allowed(repository, OTHER, statement("Allow", "*", **org))


def test_an_accounts_root_is_known_in_every_partition(repository: str) -> None:
    root = {"AWS": f"arn:aws-us-gov:iam::{OTHER}:root"}
    assert allowed(repository, OTHER, statement("Allow", root), statement("Allow", LAMBDA))


def test_half_of_the_pull_actions_is_not_enough(repository: str) -> None:
    half = "ecr:BatchGetImage"
    assert not allowed(repository, OTHER, statement("Allow", ROOT, half), statement("Allow", LAMBDA, half))


def test_nothing_may_be_pulled_from_a_repository_that_is_missing(repository: str) -> None:
    assert not backend.pull_allowed(repository, "eu-west-1", "team/nothing", repository)
