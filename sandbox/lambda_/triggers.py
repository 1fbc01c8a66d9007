"""What calls a function: event source mappings, function URLs, permissions, and where asynchronous results go.

Each has a qualifier of its own. Nothing here calls anything: it is kept and told.

Shapes: botocore's model of Lambda. A qualifier is an alias or a version; without one it is $LATEST that is meant.
ListEventSourceMappings by a function tells those of exactly that qualifier [i]; without one, all of the account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.core.protocol import Call
from sandbox.lambda_.image_rules import invalid
from sandbox.lambda_.model import LATEST, Function, new_id, timestamp
from sandbox.lambda_.rest_service import LAMBDA, conflict, find_function, find_target, listing, not_found, page
from sandbox.lambda_.spaces import space

MAPPINGS_PAGE = 100


def _qualified(call: Call) -> tuple[Function, str]:
    """The function and the qualifier ("" for none), which must be there and be no $LATEST. Raises."""
    target = find_target(call)
    if target.qualifier == LATEST:
        raise invalid("We currently do not support adding policies or URLs for $LATEST.")
    return target.function, target.qualifier or ""


def _arn(function: Function, qualifier: str) -> str:
    return f"{function.arn}:{qualifier}" if qualifier else function.arn


@LAMBDA.operation("AddPermission")
def add_permission(call: Call) -> Mapping[str, Any]:
    """Let a service or an account call the function, or one alias or version of it."""
    function, qualifier = _qualified(call)
    statements = function.policies.setdefault(qualifier, [])
    if any(each["Sid"] == call["StatementId"] for each in statements):
        raise conflict(f"The statement id ({call['StatementId']}) provided already exists.")
    principal = str(call["Principal"])
    conditions: dict[str, dict[str, str]] = {}
    if call.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": call["SourceArn"]}
    equals = {
        "AWS:SourceAccount": call.get("SourceAccount"),
        "lambda:FunctionUrlAuthType": call.get("FunctionUrlAuthType"),
    }
    if given := {name: value for name, value in equals.items() if value}:
        conditions["StringEquals"] = given
    statement = {
        "Sid": call["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(principal),
        "Action": call["Action"],
        "Resource": _arn(function, qualifier),
        **({"Condition": conditions} if conditions else {}),
    }
    with function.lock:
        statements.append(statement)
    return {"Statement": json.dumps(statement)}


def _principal(given: str) -> Any:
    if given == "*":
        return "*"
    return {"Service": given} if "." in given else {"AWS": f"arn:aws:iam::{given}:root" if given.isdigit() else given}


@LAMBDA.operation("RemovePermission")
def remove_permission(call: Call) -> None:
    """Take a statement away. Raises ResourceNotFoundException."""
    function, qualifier = _qualified(call)
    before = function.policies.get(qualifier, [])
    after = [each for each in before if each["Sid"] != call["StatementId"]]
    if len(after) == len(before):
        raise not_found(f"Statement {call['StatementId']} is not found in resource policy.")
    function.policies[qualifier] = after


@LAMBDA.operation("GetPolicy")
def get_policy(call: Call) -> Mapping[str, Any]:
    """The resource policy of a function, or of one qualifier. Raises ResourceNotFoundException where there is none."""
    function, qualifier = _qualified(call)
    statements = function.policies.get(qualifier)
    if not statements:
        raise not_found("The resource you requested does not exist.")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return {"Policy": json.dumps(document), "RevisionId": new_id()}


@LAMBDA.operation("CreateFunctionUrlConfig")
def create_function_url_config(call: Call) -> Mapping[str, Any]:
    """Give a function, or an alias of it, an address of its own."""
    function, qualifier = _qualified(call)
    if qualifier.isdecimal():
        raise invalid("Function URLs can be added to $LATEST and to aliases alone.")
    if qualifier in function.urls:
        raise conflict(f"FunctionUrlConfig exists for this Lambda function: {_arn(function, qualifier)}")
    made = {
        "FunctionUrl": f"https://{new_id().replace('-', '')}.lambda-url.{function.region}.on.aws/",
        "FunctionArn": _arn(function, qualifier),
        "AuthType": call["AuthType"],
        "CreationTime": timestamp(),
        "LastModifiedTime": timestamp(),
        "InvokeMode": call.get("InvokeMode") or "BUFFERED",
    }
    with function.lock:
        function.urls[qualifier] = made
    return made


@LAMBDA.operation("ListFunctionUrlConfigs")
def list_function_url_configs(call: Call) -> Mapping[str, Any]:
    """The addresses of a function and of its aliases; at most 50 a page."""
    return _of_qualifiers(call, "FunctionUrlConfigs", find_function(call).urls)


@LAMBDA.operation("PutFunctionEventInvokeConfig")
def put_function_event_invoke_config(call: Call) -> Mapping[str, Any]:
    """Say what becomes of asynchronous calls of a function, or of one qualifier."""
    function, qualifier = _qualified(call)
    given = {
        name: call[name] for name in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds") if call.get(name) is not None
    }
    made = {
        "LastModified": 1_700_000_000.0,
        "FunctionArn": f"{function.arn}:{qualifier or LATEST}",
        **given,
        "DestinationConfig": call.get("DestinationConfig") or {"OnSuccess": {}, "OnFailure": {}},
    }
    with function.lock:
        function.invoke_configs[qualifier] = made
    return made


@LAMBDA.operation("ListFunctionEventInvokeConfigs")
def list_function_event_invoke_configs(call: Call) -> Mapping[str, Any]:
    """What becomes of asynchronous calls, by qualifier; at most 50 a page."""
    return _of_qualifiers(call, "FunctionEventInvokeConfigs", find_function(call).invoke_configs)


def _of_qualifiers(call: Call, name: str, documents: Mapping[str, Any]) -> Mapping[str, Any]:
    found, marker = page(call, sorted(documents.items()), lambda entry: entry[0])
    return listing(name, [document for _, document in found], marker)


@LAMBDA.operation("CreateEventSourceMapping")
def create_event_source_mapping(call: Call) -> Mapping[str, Any]:
    """Have Lambda read a queue or stream for a function, or one qualifier of it."""
    target = find_target(call)
    function = target.function
    made = {
        "UUID": new_id(),
        "EventSourceArn": call["EventSourceArn"],
        "FunctionArn": _arn(function, target.qualifier or ""),
        "BatchSize": call.get("BatchSize") or 10,
        "State": "Enabled" if call.get("Enabled", True) else "Disabled",
        "StateTransitionReason": "USER_INITIATED",
        "LastModified": 1_700_000_000.0,
    }
    with function.lock:
        function.mappings.append(made)
    return made


@LAMBDA.operation("ListEventSourceMappings")
def list_event_source_mappings(call: Call) -> Mapping[str, Any]:
    """What Lambda reads for exactly this function or qualifier, or for all of the account; at most 100 a page."""
    if call.get("FunctionName"):
        target = find_target(call)
        wanted = _arn(target.function, target.qualifier or "")
        found = [each for each in target.function.mappings if each["FunctionArn"] == wanted]
    else:
        found = list(_all_mappings(call))
    if source := call.get("EventSourceArn"):
        found = [each for each in found if each["EventSourceArn"] == source]
    ordered = sorted(found, key=lambda each: str(each["UUID"]))
    shown, marker = page(call, ordered, lambda each: each["UUID"], most=MAPPINGS_PAGE)
    return listing("EventSourceMappings", shown, marker)


def _all_mappings(call: Call) -> Iterator[dict[str, Any]]:
    for function in list(space(call.account, call.region).functions.values()):
        yield from function.mappings
