"""Reserved and provisioned concurrency, and the account's settings."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.functions import Functions, until


def test_reserved_concurrency_is_put_read_and_deleted(functions: Functions) -> None:
    functions.deploy()
    api = functions.api
    api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=7)
    assert api.get_function_concurrency(FunctionName="app")["ReservedConcurrentExecutions"] == 7
    assert api.get_function(FunctionName="app")["Concurrency"] == {"ReservedConcurrentExecutions": 7}
    api.delete_function_concurrency(FunctionName="app")
    assert "ReservedConcurrentExecutions" not in api.get_function_concurrency(FunctionName="app")


def test_a_reservation_of_0_throttles_every_call(functions: Functions) -> None:
    functions.deploy()
    functions.api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
    with pytest.raises(functions.api.exceptions.TooManyRequestsException) as throttled:
        functions.invoke()
    assert throttled.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert throttled.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_calls_beyond_the_reservation_are_throttled(functions: Functions) -> None:
    functions.deploy(
        "import time\ndef handler(event, context):\n    print('at work')\n    time.sleep(event)\n", Timeout=30
    )
    functions.api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=1)
    functions.invoke(event=3, InvocationType="Event")
    until(lambda: "at work" in functions.lines())
    with pytest.raises(functions.api.exceptions.TooManyRequestsException):
        functions.invoke(event=0)


def test_an_event_waits_for_a_throttled_function(functions: Functions) -> None:
    functions.deploy("def handler(event, context):\n    print('ran at last')\n")
    functions.api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
    assert functions.invoke(InvocationType="Event").status == 202
    functions.api.delete_function_concurrency(FunctionName="app")
    until(lambda: "ran at last" in functions.lines())


def test_account_settings_count_functions_and_reservations(functions: Functions) -> None:
    functions.deploy()
    functions.api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=100)
    settings = functions.api.get_account_settings()
    assert settings["AccountUsage"]["FunctionCount"] == 1
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 900


def test_a_reservation_that_leaves_too_little_is_refused(functions: Functions) -> None:
    functions.deploy()
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="minimum value"):
        functions.api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=901)


def test_provisioned_concurrency_is_in_progress_and_then_ready(functions: Functions) -> None:
    functions.deploy()
    functions.publish()
    api, target = functions.api, {"FunctionName": "app", "Qualifier": "1"}
    put = api.put_provisioned_concurrency_config(**target, ProvisionedConcurrentExecutions=3)
    assert (put["Status"], put["AllocatedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 0)
    until(lambda: api.get_provisioned_concurrency_config(**target)["Status"] == "READY")
    (listed,) = api.list_provisioned_concurrency_configs(FunctionName="app")["ProvisionedConcurrencyConfigs"]
    assert listed["FunctionArn"].endswith(":function:app:1")
    assert listed["AvailableProvisionedConcurrentExecutions"] == 3
    api.delete_provisioned_concurrency_config(**target)
    with pytest.raises(api.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        api.get_provisioned_concurrency_config(**target)


def test_provisioned_concurrency_needs_a_version(functions: Functions) -> None:
    functions.deploy()
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="unpublished"):
        functions.api.put_provisioned_concurrency_config(
            FunctionName="app", Qualifier="$LATEST", ProvisionedConcurrentExecutions=1
        )


def test_an_alias_cannot_move_while_its_concurrency_is_allocated(
    functions: Functions, clock: Callable[..., Any]
) -> None:
    functions.deploy()
    functions.publish()
    functions.next_version()
    api = functions.api
    api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    with clock(provisioned=30):
        api.put_provisioned_concurrency_config(FunctionName="app", Qualifier="live", ProvisionedConcurrentExecutions=1)
        with pytest.raises(ClientError, match="ResourceConflictException"):
            api.update_alias(FunctionName="app", Name="live", FunctionVersion="2")


def test_an_alias_that_moved_is_allocated_anew(functions: Functions, clock: Callable[..., Any]) -> None:
    functions.deploy()
    functions.publish()
    functions.next_version()
    api, target = functions.api, {"FunctionName": "app", "Qualifier": "live"}
    api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    api.put_provisioned_concurrency_config(**target, ProvisionedConcurrentExecutions=2)
    until(lambda: api.get_provisioned_concurrency_config(**target)["Status"] == "READY")
    with clock(provisioned=30):
        api.update_alias(FunctionName="app", Name="live", FunctionVersion="2")
        assert api.get_provisioned_concurrency_config(**target)["Status"] == "IN_PROGRESS"


def test_provisioned_concurrency_stays_within_the_reservation_and_the_account(functions: Functions) -> None:
    functions.deploy()
    functions.publish()
    api, target = functions.api, {"FunctionName": "app", "Qualifier": "1"}
    with pytest.raises(api.exceptions.InvalidParameterValueException, match="unreserved concurrency"):
        api.put_provisioned_concurrency_config(**target, ProvisionedConcurrentExecutions=901)
    api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=5)
    with pytest.raises(api.exceptions.InvalidParameterValueException, match="reservedConcurrentExecution"):
        api.put_provisioned_concurrency_config(**target, ProvisionedConcurrentExecutions=6)


def test_account_settings_tell_lambdas_limits(functions: Functions) -> None:
    settings = functions.api.get_account_settings()
    assert settings["AccountUsage"] == {"TotalCodeSize": 0, "FunctionCount": 0}
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 1000
    assert settings["AccountLimit"]["CodeSizeUnzipped"] == 262_144_000
