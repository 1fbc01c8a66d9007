"""Concurrency: reserved per function, provisioned per version or alias, and the account's limits.

moto knows no provisioned concurrency and no account settings; AWS allocates for some time, and counts both.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sandbox.clock import CLOCK
from sandbox.core.protocol import Call, Reply, ServiceError
from sandbox.lambda_.image_rules import invalid
from sandbox.lambda_.model import LATEST, Function, Provisioned
from sandbox.lambda_.rest_service import LAMBDA, find_function, find_target, listing, page
from sandbox.lambda_.spaces import space

ACCOUNT_LIMIT = 1000
UNRESERVED_LEAST = 100


def _reserved(call: Call, *, without: Function | None = None) -> int:
    functions = list(space(call.account, call.region).functions.values())
    return sum(function.reserved or 0 for function in functions if function is not without)


@LAMBDA.operation("PutFunctionConcurrency")
def put_function_concurrency(call: Call) -> Mapping[str, Any]:
    """Reserve concurrency; 0 stops the function."""
    function = find_function(call)
    wanted = int(call["ReservedConcurrentExecutions"])
    if ACCOUNT_LIMIT - _reserved(call, without=function) - wanted < UNRESERVED_LEAST:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{UNRESERVED_LEAST}]."
        )
    function.reserved = wanted
    return {"ReservedConcurrentExecutions": wanted}


@LAMBDA.operation("GetFunctionConcurrency")
def get_function_concurrency(call: Call) -> Mapping[str, Any]:
    """The reserved concurrency; an empty answer where none is set."""
    reserved = find_function(call).reserved
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


@LAMBDA.operation("DeleteFunctionConcurrency")
def delete_function_concurrency(call: Call) -> None:
    """Take the reservation away."""
    find_function(call).reserved = None


@LAMBDA.operation("GetAccountSettings")
def get_account_settings(call: Call) -> Mapping[str, Any]:
    """Limits and use in this region."""
    return {
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": ACCOUNT_LIMIT,
            "UnreservedConcurrentExecutions": ACCOUNT_LIMIT - _reserved(call),
        },
        # Images are kept in ECR: they take none of Lambda's code storage.
        "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": len(space(call.account, call.region).functions)},
    }


@LAMBDA.operation("PutProvisionedConcurrencyConfig")
def put_provisioned_concurrency_config(call: Call) -> Reply | Mapping[str, Any]:
    """Ask for provisioned concurrency: IN_PROGRESS, then READY after CLOCK.provisioned."""
    function, qualifier = _qualified(call)
    wanted = int(call["ProvisionedConcurrentExecutions"])
    if wanted < 1:
        raise invalid("ProvisionedConcurrentExecutions must be at least 1.")
    if function.reserved is not None and wanted > function.reserved:
        raise invalid(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
        )
    unreserved = ACCOUNT_LIMIT - _reserved(call) - UNRESERVED_LEAST
    if function.reserved is None and wanted > unreserved:
        raise invalid(
            "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
            f"[{unreserved}]."
        )
    provisioned = Provisioned(wanted, time.monotonic() + CLOCK.provisioned)
    with function.lock:
        function.provisioned[qualifier] = provisioned
    return _document(provisioned)


@LAMBDA.operation("GetProvisionedConcurrencyConfig")
def get_provisioned_concurrency_config(call: Call) -> Mapping[str, Any]:
    """The provisioned concurrency of an alias or version."""
    function, qualifier = _qualified(call)
    provisioned = function.provisioned.get(qualifier)
    if provisioned is None:
        raise ServiceError(
            "ProvisionedConcurrencyConfigNotFoundException",
            404,
            "No Provisioned Concurrency Config found for this function",
        )
    return _document(provisioned)


@LAMBDA.operation("ListProvisionedConcurrencyConfigs")
def list_provisioned_concurrency_configs(call: Call) -> Mapping[str, Any]:
    """All provisioned concurrency of a function; at most 50 a page."""
    function = find_function(call)
    configs, marker = page(call, sorted(function.provisioned.items()), lambda entry: entry[0])
    documents = [{"FunctionArn": f"{function.arn}:{name}", **_document(config)} for name, config in configs]
    return listing("ProvisionedConcurrencyConfigs", documents, marker)


@LAMBDA.operation("DeleteProvisionedConcurrencyConfig")
def delete_provisioned_concurrency_config(call: Call) -> None:
    """Give provisioned concurrency back."""
    function, qualifier = _qualified(call)
    with function.lock:
        function.provisioned.pop(qualifier, None)


def _qualified(call: Call) -> tuple[Function, str]:
    target = find_target(call)
    if target.qualifier in (None, LATEST):
        raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    assert target.qualifier is not None
    return target.function, target.qualifier


def _document(provisioned: Provisioned) -> dict[str, Any]:
    allocated = provisioned.requested if provisioned.is_ready else 0
    return {
        "RequestedProvisionedConcurrentExecutions": provisioned.requested,
        "AvailableProvisionedConcurrentExecutions": allocated,
        "AllocatedProvisionedConcurrentExecutions": allocated,
        "Status": "READY" if provisioned.is_ready else "IN_PROGRESS",
        "LastModified": provisioned.modified,
    }
