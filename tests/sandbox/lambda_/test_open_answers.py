"""What only some functions have, versions with names, and errors inside answers that are otherwise whole."""

from typing import Any

import pytest

from tests.fixtures import Sandbox
from tests.sandbox.functions import REGION, Functions

PROVIDER = "arn:aws:lambda:eu-west-1:111111111111:capacity-provider:large"
MANAGED: dict[str, Any] = {
    "CapacityProviderConfig": {
        "LambdaManagedInstancesCapacityProviderConfig": {
            "CapacityProviderArn": PROVIDER,
            "PerExecutionEnvironmentMaxConcurrency": 16,
            "ExecutionEnvironmentMemoryGiBPerVCpu": 4.0,
        }
    }
}
OTHERS: dict[str, Any] = {
    "DurableConfig": {"RetentionPeriodInDays": 14, "ExecutionTimeout": 86_400},
    "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"},
    "AcceleratorConfig": {"AcceleratorMemorySize": 24},
}
DENIED = {"ErrorCode": "AccessDeniedException", "Message": "Lambda was unable to decrypt it: KMS access was denied."}


def deploy_managed(functions: Functions, **settings: Any) -> None:
    functions.push()
    functions.create(**MANAGED, **settings)


def set_errors(sandbox: Sandbox, functions: Functions, **errors: dict[str, str]) -> None:
    where = {"account": functions.account, "region": REGION, "name": "app"}
    sandbox.admin("POST", "function-errors", where | {"errors": errors})


def test_what_only_some_functions_have_is_told_by_all_calls(functions: Functions) -> None:
    functions.deploy(**OTHERS)
    (listed,) = functions.api.list_functions()["Functions"]
    for told in (functions.read(), listed):
        assert {name: told[name] for name in OTHERS} == OTHERS


def test_functions_that_have_none_of_it_tell_nothing_of_it(functions: Functions) -> None:
    functions.deploy()
    assert not functions.read().keys() & {*OTHERS, *MANAGED}


def test_managed_instances_have_larger_limits(functions: Functions) -> None:
    deploy_managed(functions, Timeout=5_400, MemorySize=32_768, EphemeralStorage={"Size": 32_768})
    assert functions.read()["Timeout"] == 5_400
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException):
        functions.create("other", Timeout=5_400)


def test_latest_of_managed_instances_takes_no_calls(functions: Functions) -> None:
    deploy_managed(functions)
    assert functions.read()["State"] in ("Pending", "ActiveNonInvocable")
    with pytest.raises(functions.api.exceptions.ResourceConflictException):
        functions.invoke(Qualifier="$LATEST")


def test_unqualified_calls_of_managed_instances_reach_what_is_published_last(functions: Functions, clock: Any) -> None:
    with clock(create=0, update=0):
        deploy_managed(functions)
        made = functions.api.publish_version(FunctionName="app", PublishTo="LATEST_PUBLISHED")
    assert made["Version"] == "$LATEST.PUBLISHED"
    assert made["FunctionArn"].endswith(":function:app:$LATEST.PUBLISHED")
    answer = functions.invoke(event=3)
    assert (answer.payload, answer.version) == (3, "$LATEST.PUBLISHED")
    functions.publish()
    for listed in (
        functions.api.list_versions_by_function(FunctionName="app")["Versions"],
        functions.api.list_functions(FunctionVersion="ALL")["Functions"],
    ):
        assert [version["Version"] for version in listed] == ["$LATEST", "$LATEST.PUBLISHED", "1"]


def test_other_functions_publish_numbers_alone(functions: Functions) -> None:
    functions.deploy()
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="PublishTo"):
        functions.api.publish_version(FunctionName="app", PublishTo="LATEST_PUBLISHED")


def test_an_error_takes_the_place_of_what_lambda_cant_tell(functions: Functions, sandbox: Sandbox) -> None:
    functions.deploy(Environment={"Variables": {"TOKEN": "secret"}}, Tags={"owner": "payments"})
    functions.publish()
    parts = ("Environment", "ImageConfigResponse", "Code", "TagsError")
    set_errors(sandbox, functions, **dict.fromkeys(parts, DENIED))
    told = functions.api.get_function(FunctionName="app")
    assert (told["TagsError"], "Tags" in told, told["Code"]) == (DENIED, False, {"Error": DENIED})
    for entry in [told["Configuration"], *functions.api.list_functions(FunctionVersion="ALL")["Functions"]]:
        assert entry["Environment"] == {"Error": DENIED}
        assert entry["ImageConfigResponse"] == {"Error": DENIED}
    set_errors(sandbox, functions)
    told = functions.api.get_function(FunctionName="app")
    assert (told["Tags"], told["Code"]["RepositoryType"]) == ({"owner": "payments"}, "ECR")
    assert told["Configuration"]["Environment"] == {"Variables": {"TOKEN": "secret"}}
