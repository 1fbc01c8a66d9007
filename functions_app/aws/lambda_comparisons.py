"""How the configuration of two versions differs, compared where the values of variables are: names alone go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions_app.aws import lambdas
from functions_app.aws.lambda_answers import read_function
from functions_app.aws.members import Entry, named, number, part, text, texts
from functions_app.aws.session import Target
from functions_app.domain.changes.configurations import Comparison, Part, Variables, compared
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import FunctionDetail
from functions_app.domain.redaction import redact
from functions_app.domain.text import storable

SHOWN = 300  # characters of a setting
NOT_SET = "not set"


@dataclass(frozen=True)
class VersionsRead:
    """Versions by their qualifiers, those that exist, and how each differs from the one asked for first."""

    details: Mapping[str, FunctionDetail]
    comparisons: Mapping[str, Comparison]


def read(target: Target, name: str, goal: str, others: Sequence[str]) -> VersionsRead:
    """GetFunction for each qualifier, "" for an unqualified call; `goal` is compared with each of the others.

    Raises NOT_FOUND where there is no such function; a version that was deleted is left out.
    """
    answers: dict[str, Any] = {}
    for qualifier in dict.fromkeys((goal, *others)):
        try:
            answers[qualifier] = lambdas.function_answer(target, name, qualifier)
        except DrydockError as error:
            if error.problem.code is not Code.NOT_FOUND or not qualifier:
                raise
    comparisons = {
        other: compare(other, part(answers[other], "Configuration"), part(answers[goal], "Configuration"))
        for other in others
        if other in answers and goal in answers
    }
    return VersionsRead(
        {key: named(read_function, answer, f"GetFunction of {name}") for key, answer in answers.items()}, comparisons
    )


def compare(version: str, before: Entry, after: Entry) -> Comparison:
    """How `after` differs from `before`, which is the version of this number."""
    hashes = text(before, "ConfigSha256"), text(after, "ConfigSha256")
    return compared(
        version,
        _parts(before, after),
        _variables(before, after),
        dict.fromkeys((*_unread(before), *_unread(after))),
        hashes[0] == hashes[1] if all(hashes) else None,
    )


def _parts(before: Entry, after: Entry) -> Iterator[Part]:
    for name, value in PARTS.items():
        if name in IMAGE_PARTS and (_image_error(before) or _image_error(after)):
            continue
        one, other = value(before), value(after)
        yield Part(name, _shown(one), _shown(other), one == other)
    for member in sorted({*before, *after} - COMPARED - NOT_CONFIGURATION):  # what AWS has added since
        unknown = _json(before.get(member)), _json(after.get(member))
        yield Part(member, _shown(unknown[0]), _shown(unknown[1]), unknown[0] == unknown[1])


def _variables(before: Entry, after: Entry) -> Variables:
    if _environment_error(before) or _environment_error(after):
        return Variables()
    one, other = _environment(before), _environment(after)
    return Variables(
        added=_names(set(other) - set(one)),
        removed=_names(set(one) - set(other)),
        changed=_names(name for name in set(one) & set(other) if one[name] != other[name]),
    )


def _environment(entry: Entry) -> Mapping[str, str]:
    return part(entry, "Environment", "Variables")


def _names(found: Any) -> tuple[str, ...]:
    return tuple(sorted(storable(name, 200) for name in found))


def _unread(entry: Entry) -> Iterator[str]:
    for what, error in (("environment", _environment_error(entry)), ("image settings", _image_error(entry))):
        if error:
            why = storable(redact(f"{text(error, 'ErrorCode')}: {text(error, 'Message')}"), SHOWN)
            yield f"AWS could not tell the {what} of {entry.get('Version', 'a version')} ({why})."


def _environment_error(entry: Entry) -> Entry:
    return part(entry, "Environment", "Error")


def _image_error(entry: Entry) -> Entry:
    return part(entry, "ImageConfigResponse", "Error")


def _shown(value: str) -> str:
    return storable(redact(value), SHOWN) or NOT_SET


def _json(value: Any) -> str:
    return "" if value in (None, {}, [], "") else json.dumps(value, sort_keys=True, default=str)


def _unit(member: str, unit: str, default: int) -> Callable[[Entry], str]:
    return lambda entry: f"{number(entry, member, default):,} {unit}"


def _plain(*path: str, default: str = "") -> Callable[[Entry], str]:
    def value(entry: Entry) -> str:
        found = part(entry, *path[:-1]).get(path[-1])
        return (found if isinstance(found, str) else _json(found)) or default

    return value


def _image(member: str) -> Callable[[Entry], str]:
    return _plain("ImageConfigResponse", "ImageConfig", member, default="the image's own")


def _vpc(entry: Entry) -> str:
    vpc = part(entry, "VpcConfig")
    parts = [*sorted(texts(vpc, "SubnetIds")), *sorted(texts(vpc, "SecurityGroupIds"))]
    return ", ".join([*parts, *(["IPv6"] if vpc.get("Ipv6AllowedForDualStack") else [])]) if parts else "none"


def _log_levels(entry: Entry) -> str:
    logging = part(entry, "LoggingConfig")
    levels = text(logging, "ApplicationLogLevel"), text(logging, "SystemLogLevel")
    return ", ".join(f"{who} {level}" for who, level in zip(("application", "system"), levels, strict=True) if level)


PARTS: Mapping[str, Callable[[Entry], str]] = {
    "Memory": _unit("MemorySize", "MB", 128),
    "Timeout": _unit("Timeout", "s", 3),
    "/tmp": lambda entry: f"{number(part(entry, 'EphemeralStorage'), 'Size', 512):,} MB",  # noqa: S108 - Lambda's
    "Role": _plain("Role"),
    "EntryPoint": _image("EntryPoint"),
    "Command": _image("Command"),
    "WorkingDirectory": _image("WorkingDirectory"),
    "Architecture": lambda entry: ", ".join(texts(entry, "Architectures") or ("x86_64",)),
    "VPC": _vpc,
    "Dead-letter queue": _plain("DeadLetterConfig", "TargetArn", default="none"),
    "Tracing": _plain("TracingConfig", "Mode", default="PassThrough"),
    "Log group": lambda entry: (
        text(part(entry, "LoggingConfig"), "LogGroup") or f"/aws/lambda/{text(entry, 'FunctionName')}"
    ),
    "Log format": _plain("LoggingConfig", "LogFormat", default="Text"),
    "Log levels": _log_levels,
    "KMS key": _plain("KMSKeyArn", default="AWS's own"),
    "File systems": _plain("FileSystemConfigs", default="none"),
    "Capacity provider": _plain("CapacityProviderConfig", default="none"),
    "Durable execution": _plain("DurableConfig", default="off"),
    "Tenant isolation": _plain("TenancyConfig", "TenantIsolationMode", default="off"),
    "Accelerator": _plain("AcceleratorConfig", default="none"),
}
IMAGE_PARTS = frozenset({"EntryPoint", "Command", "WorkingDirectory"})
COMPARED = frozenset(
    {
        *("MemorySize", "Timeout", "EphemeralStorage", "Role", "ImageConfigResponse", "Architectures", "VpcConfig"),
        *("DeadLetterConfig", "TracingConfig", "LoggingConfig", "KMSKeyArn", "FileSystemConfigs", "Environment"),
        *("CapacityProviderConfig", "DurableConfig", "TenancyConfig", "AcceleratorConfig"),
    }
)
NOT_CONFIGURATION = frozenset(
    {
        *("FunctionName", "FunctionArn", "Version", "Description", "MasterArn", "RevisionId", "LastModified"),
        *("CodeSize", "CodeSha256", "ConfigSha256", "PackageType", "SigningProfileVersionArn", "SigningJobArn"),
        *("State", "StateReason", "StateReasonCode"),
        *("LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"),
        # Of functions packaged as zip alone.
        *("Runtime", "Handler", "Layers", "SnapStart", "RuntimeVersionConfig"),
    }
)
