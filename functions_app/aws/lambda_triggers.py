"""What calls a function, and how much of it may run at once: a few calls, each part of which may be refused by itself.

Event source mappings and policies are asked for by each qualifier, since AWS tells those of exactly that one [i]; URLs
and the destinations of asynchronous calls come for all qualifiers in one list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from functions_app.aws import lambdas, quota
from functions_app.aws.members import Entry, listed, named, number, part, text
from functions_app.aws.session import Target, client
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.fleet.triggers import Part, Provisioned, Trigger, Triggers, permitted
from functions_app.domain.redaction import redact
from functions_app.domain.text import counted, storable

POLICIES = "lambda-get-policy"
QUALIFIERS = 20  # aliases that are asked for: two calls each, of a quota that all calls share


def calls(aliases: int) -> dict[str, int]:
    """How many calls a reading takes of each quota, where every list is one page."""
    qualifiers = 1 + min(aliases, QUALIFIERS)
    return {lambdas.CONTROL: qualifiers + 3, POLICIES: qualifiers, "lambda-get-function": 1}


def read(target: Target, name: str, aliases: Sequence[str]) -> Triggers:
    """All of it; what fails is a problem of its part. Raises DrydockError where GetFunction does."""
    reserved = part(lambdas.function_answer(target, name), "Concurrency")
    qualifiers = ("", *aliases[:QUALIFIERS])
    problems: dict[str, Problem] = {}
    found: list[Trigger] = []
    readings: dict[Part, Callable[[], list[Trigger]]] = {
        Part.MAPPINGS: lambda: [each for of in qualifiers for each in _mappings(target, name, of)],
        Part.URLS: lambda: list(_urls(target, name)),
        Part.PERMISSIONS: lambda: [each for of in qualifiers for each in _permissions(target, name, of)],
        Part.ASYNCHRONOUS: lambda: list(_asynchronous(target, name)),
    }
    for what, reading in readings.items():
        try:
            found += reading()
        except DrydockError as error:
            problems[what.value] = error.problem
    provisioned: tuple[Provisioned, ...] = ()
    try:
        provisioned = tuple(_provisioned(target, name))
    except DrydockError as error:
        problems[Part.CONCURRENCY.value] = error.problem
    limit = number(reserved, "ReservedConcurrentExecutions") if "ReservedConcurrentExecutions" in reserved else None
    return Triggers(tuple(found), provisioned, limit, problems, max(0, len(aliases) - QUALIFIERS))


def _qualifier(entry: Entry) -> str:
    """Of the ARN that an entry is about, "" for none."""
    return ":".join(text(entry, "FunctionArn", 400).split(":")[7:])


def _mappings(target: Target, name: str, qualifier: str) -> Iterator[Trigger]:
    asked = f"{name}:{qualifier}" if qualifier else name
    for page in lambdas.pages(target, lambda api, more: api.list_event_source_mappings(FunctionName=asked, **more)):
        for entry in named(lambda of: listed(of, "EventSourceMappings"), page, f"ListEventSourceMappings of {name}"):
            servers = part(entry, "SelfManagedEventSource", "Endpoints").get("KAFKA_BOOTSTRAP_SERVERS") or ()
            source = text(entry, "EventSourceArn") or ", ".join(str(each) for each in servers) or "not told"
            details = [text(entry, "State", 60), f"batches of {number(entry, 'BatchSize')}"]
            yield _trigger(Part.MAPPINGS, _qualifier(entry), source, ", ".join(each for each in details if each))


def _urls(target: Target, name: str) -> Iterator[Trigger]:
    for page in lambdas.pages(target, lambda api, more: api.list_function_url_configs(FunctionName=name, **more)):
        for entry in named(lambda of: listed(of, "FunctionUrlConfigs"), page, f"ListFunctionUrlConfigs of {name}"):
            who = {"NONE": "anybody may call it", "AWS_IAM": "callers are judged by IAM"}
            told = text(entry, "AuthType", 60)
            yield _trigger(Part.URLS, _qualifier(entry), text(entry, "FunctionUrl"), who.get(told, told))


def _permissions(target: Target, name: str, qualifier: str) -> tuple[Trigger, ...]:
    more: dict[str, Any] = {"Qualifier": qualifier} if qualifier else {}
    try:
        answer = quota.read(target, POLICIES, lambda: client(target, "lambda").get_policy(FunctionName=name, **more))
    except DrydockError as error:
        if error.problem.code is Code.NOT_FOUND:  # nobody is permitted anything
            return ()
        raise
    try:
        return permitted(text(answer, "Policy"), qualifier)
    except ValueError as error:
        raise DrydockError(Code.FAILED, f"The resource policy of {name} is no JSON that can be read.") from error


def _asynchronous(target: Target, name: str) -> Iterator[Trigger]:
    whole = "FunctionEventInvokeConfigs"
    for page in lambdas.pages(
        target, lambda api, more: api.list_function_event_invoke_configs(FunctionName=name, **more)
    ):
        for entry in named(lambda of: listed(of, whole), page, f"ListFunctionEventInvokeConfigs of {name}"):
            ends = part(entry, "DestinationConfig")
            to = [
                f"{when} to {destination}"
                for when, member in (("success", "OnSuccess"), ("failure", "OnFailure"))
                if (destination := text(part(ends, member), "Destination"))
            ]
            retries = number(entry, "MaximumRetryAttempts", 2)
            again = counted(retries, "retry", "retries")
            yield _trigger(Part.ASYNCHRONOUS, _qualifier(entry), "; ".join(to) or "no destination", again)


def _provisioned(target: Target, name: str) -> Iterator[Provisioned]:
    whole = "ProvisionedConcurrencyConfigs"
    for page in lambdas.pages(
        target, lambda api, more: api.list_provisioned_concurrency_configs(FunctionName=name, **more)
    ):
        for entry in named(lambda of: listed(of, whole), page, f"ListProvisionedConcurrencyConfigs of {name}"):
            wanted = number(entry, "RequestedProvisionedConcurrentExecutions")
            yield Provisioned(storable(_qualifier(entry), 130), wanted, text(entry, "Status", 60))


def _trigger(what: Part, qualifier: str, source: str, detail: str) -> Trigger:
    return Trigger(what, storable(qualifier, 130), storable(redact(source), 300), storable(redact(detail), 300))
