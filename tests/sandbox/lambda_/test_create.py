"""CreateFunction: what Lambda accepts, what it resolves, and the wait until a function is Active."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.images.making import make_index
from tests.sandbox.functions import REGION, Functions, python_image


def test_a_new_function_is_pending_and_then_active(functions: Functions) -> None:
    functions.push()
    created = functions.create()
    assert (created["State"], created["StateReasonCode"]) == ("Pending", "Creating")
    assert functions.settled()["State"] == "Active"


def test_boto3s_own_waiter_sees_it_become_active(functions: Functions) -> None:
    functions.push()
    functions.create()
    functions.api.get_waiter("function_active_v2").wait(FunctionName="app", WaiterConfig={"Delay": 1})
    assert functions.read()["State"] == "Active"


def test_an_update_of_a_pending_function_is_refused(functions: Functions, slow_clock: None) -> None:
    functions.push()
    functions.create()
    with pytest.raises(functions.api.exceptions.ResourceConflictException, match="state: Pending"):
        functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri())


def test_code_sha256_is_the_digests_hex_and_code_size_is_0(functions: Functions) -> None:
    digest = functions.deploy()
    configuration = functions.read()
    assert f"sha256:{configuration['CodeSha256']}" == digest
    assert configuration["CodeSize"] == 0


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_the_resolved_image_uri_is_the_repository_at_the_digest(functions: Functions, by: str) -> None:
    digest = functions.push(reference="team/nested/app:1")
    given = "team/nested/app:1" if by == "tag" else f"team/nested/app@{digest}"
    functions.create("nested", reference=given)
    code = functions.api.get_function(FunctionName="nested")["Code"]
    assert code == {
        "RepositoryType": "ECR",
        "ImageUri": functions.uri(given),
        "ResolvedImageUri": functions.uri(f"team/nested/app@{digest}"),
    }


def test_the_configuration_holds_what_was_given(functions: Functions) -> None:
    functions.deploy(
        Description="Greets",
        Timeout=12,
        MemorySize=512,
        Environment={"Variables": {"STAGE": "test"}},
        EphemeralStorage={"Size": 1024},
        ImageConfig={"Command": ["app.handler"]},
        LoggingConfig={"LogGroup": "/own/group"},
        Tags={"team": "orders"},
    )
    answer = functions.api.get_function(FunctionName="app")
    configuration = answer["Configuration"]
    assert answer["Tags"] == {"team": "orders"}
    assert configuration["FunctionArn"] == f"arn:aws:lambda:{REGION}:{functions.account}:function:app"
    assert (configuration["Description"], configuration["Timeout"], configuration["MemorySize"]) == ("Greets", 12, 512)
    assert configuration["Environment"] == {"Variables": {"STAGE": "test"}}
    assert configuration["EphemeralStorage"] == {"Size": 1024}
    assert configuration["ImageConfigResponse"] == {"ImageConfig": {"Command": ["app.handler"]}}
    assert configuration["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/own/group"}
    assert (configuration["PackageType"], configuration["Architectures"]) == ("Image", ["x86_64"])
    assert configuration["Version"] == "$LATEST"


def test_the_log_group_is_named_after_the_function_by_default(functions: Functions) -> None:
    functions.deploy()
    assert functions.read()["LoggingConfig"]["LogGroup"] == "/aws/lambda/app"


@pytest.mark.parametrize("reference", ["app:missing", "missing:1", f"app@sha256:{'0' * 64}"])
def test_an_image_that_is_not_there_is_refused(functions: Functions, reference: str) -> None:
    functions.push()
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="does not exist"):
        functions.create(reference=reference)


def test_an_index_is_refused(functions: Functions, push: Callable[..., str]) -> None:
    push("app", make_index([python_image(), python_image(architecture="arm64")]), ["both"])
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="media type"):
        functions.create(reference="app:both")


def test_an_image_for_another_architecture_is_refused(functions: Functions) -> None:
    functions.push(python_image(architecture="arm64"))
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="architecture"):
        functions.create()
    assert functions.create(Architectures=["arm64"])["Architectures"] == ["arm64"]


def test_an_image_of_another_region_is_refused(functions: Functions) -> None:
    uri = functions.uri(region="us-east-1")
    functions.push(region="us-east-1")
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="region"):
        functions.create(Code={"ImageUri": uri})


def test_a_name_that_is_taken_is_refused(functions: Functions) -> None:
    functions.deploy()
    with pytest.raises(functions.api.exceptions.ResourceConflictException, match="already exist"):
        functions.create()


def test_another_accounts_image_needs_its_repositorys_permission(
    functions: Functions, client: Callable[..., Any], account: str
) -> None:
    owner = str(int(account) - 200_000_000_000)
    functions.push(account=owner)
    code = {"ImageUri": functions.uri(account=owner)}
    with pytest.raises(ClientError, match="Check the ECR permissions") as refused:
        functions.create(Code=code)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    client("ecr", account=owner).set_repository_policy(repositoryName="app", policyText=pull_policy(account))
    assert functions.create(Code=code)["State"] == "Pending"


def pull_policy(account: str) -> str:
    """A repository policy that lets Lambda in an account pull."""
    actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    principals = [{"AWS": f"arn:aws:iam::{account}:root"}, {"Service": "lambda.amazonaws.com"}]
    statements = [{"Effect": "Allow", "Principal": principal, "Action": actions} for principal in principals]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def test_regions_and_accounts_do_not_see_each_others_functions(
    functions: Functions, client: Callable[..., Any], account: str
) -> None:
    functions.deploy()
    elsewhere = client("lambda", region="us-east-1")
    somebody = client("lambda", account=str(int(account) - 200_000_000_000))
    assert elsewhere.list_functions()["Functions"] == []
    assert somebody.list_functions()["Functions"] == []
    with pytest.raises(elsewhere.exceptions.ResourceNotFoundException, match="Function not found: arn:aws:lambda"):
        elsewhere.get_function(FunctionName="app")


@pytest.mark.parametrize(
    "spelling", ["app", "{account}:function:app", "arn:aws:lambda:{region}:{account}:function:app"]
)
def test_a_function_is_found_by_name_and_by_arn(functions: Functions, spelling: str) -> None:
    functions.deploy()
    name = spelling.format(account=functions.account, region=REGION)
    assert functions.read(name)["FunctionName"] == "app"


def test_a_grant_to_one_function_is_none_to_another(
    functions: Functions, client: Callable[..., Any], account: str
) -> None:
    owner = str(int(account) - 200_000_000_000)
    functions.push(account=owner)
    actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    source = {"ArnEquals": {"aws:SourceArn": f"arn:aws:lambda:{REGION}:{account}:function:known"}}
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": account}, "Action": actions},
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": actions, "Condition": source},
    ]
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    client("ecr", account=owner).set_repository_policy(repositoryName="app", policyText=text)
    code = {"ImageUri": functions.uri(account=owner)}
    with pytest.raises(ClientError, match="Check the ECR permissions"):
        functions.create("other", Code=code)
    assert functions.create("known", Code=code)["State"] == "Pending"
