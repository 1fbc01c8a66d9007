"""Durable functions, tenant isolation, file systems, and AWS's hash of a configuration."""

from typing import Any

import pytest

from tests.fixtures import Sandbox
from tests.sandbox.functions import REGION, Functions

DURABLE: dict[str, Any] = {"DurableConfig": {"ExecutionTimeout": 3600, "RetentionPeriodInDays": 7}}
ISOLATED: dict[str, Any] = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}


def listed(functions: Functions, **asked: Any) -> list[dict[str, Any]]:
    """All executions, page by page."""
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = functions.api.list_durable_executions_by_function(FunctionName="app", **asked, **more)
        found += page["DurableExecutions"]
        if "NextMarker" not in page:
            return found
        more = {"Marker": page["NextMarker"]}


def test_executions_stay_on_the_version_they_began_on_and_are_listed_by_it(
    functions: Functions, sandbox: Sandbox, account: str
) -> None:
    functions.deploy(**DURABLE)
    functions.publish()
    functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    where = {"account": account, "region": REGION, "name": "app", "version": "1"}
    sandbox.admin("POST", "durable-executions", {**where, "count": 3})
    sandbox.admin("POST", "durable-executions", {**where, "count": 1, "status": "SUCCEEDED"})
    assert len(listed(functions, Qualifier="live")) == 4
    running = listed(functions, Qualifier="1", Statuses=["RUNNING"], MaxItems=2)
    assert len(running) == 3
    assert running[0]["FunctionArn"].endswith(":function:app:1")
    assert functions.next_version() == "2"
    functions.api.update_alias(FunctionName="app", Name="live", FunctionVersion="2")
    assert listed(functions, Qualifier="live") == []
    assert len(listed(functions, Qualifier="1")) == 4


def test_a_tenant_isolated_function_is_called_with_a_tenant_alone(functions: Functions) -> None:
    functions.deploy(**ISOLATED)
    refused = functions.api.exceptions.InvalidParameterValueException
    with pytest.raises(refused, match="is enabled with tenancy configuration"):
        functions.invoke()
    assert functions.invoke(event={"a": 1}, TenantId="shop-1").payload == {"a": 1}


def test_any_other_function_takes_no_tenant(functions: Functions) -> None:
    functions.deploy()
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="is not enabled with tenancy"):
        functions.invoke(TenantId="shop-1")


def test_the_hash_of_a_configuration_tells_two_apart_and_versions_keep_theirs(functions: Functions) -> None:
    functions.deploy(MemorySize=256)
    functions.publish()
    before = functions.read(qualifier="1")["ConfigSha256"]
    assert functions.read()["ConfigSha256"] == before
    functions.configure(MemorySize=512)
    assert functions.read()["ConfigSha256"] != before
    assert functions.read(qualifier="1")["ConfigSha256"] == before


def test_file_systems_are_told_as_they_were_given(functions: Functions) -> None:
    given = [{"Arn": "arn:aws:elasticfilesystem:eu-west-1:1:access-point/fsap-1", "LocalMountPath": "/mnt/data"}]
    functions.deploy(FileSystemConfigs=given, VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})
    assert functions.read()["FileSystemConfigs"] == given
