"""What CreateFunction and UpdateFunctionConfiguration make of settings: limits, what goes together, how one is cleared.

What is left out stays as it was; an empty value clears. Source: Lambda's API reference, and what Terraform's AWS
provider sends to clear each (internal/service/lambda/function.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.lambda_.image_rules import invalid
from sandbox.lambda_.model import Settings

_RANGES = {"Timeout": (1, 900), "MemorySize": (128, 10_240)}
_MANAGED_RANGES = {"Timeout": (1, 5_400), "MemorySize": (128, 32_768)}
_STORAGE = (512, 10_240)
_ENVIRONMENT_LIMIT = 4096
_EXTRAS = ("CapacityProviderConfig", "DurableConfig", "TenancyConfig", "AcceleratorConfig")
_LEVELS = ("ApplicationLogLevel", "SystemLogLevel")


def changed(settings: Settings, parameters: Mapping[str, Any]) -> Settings:
    """The settings after a create or update call. Raises InvalidParameterValueException by Lambda's limits."""
    extras = {**settings.extras, **{name: parameters[name] for name in _EXTRAS if parameters.get(name) is not None}}
    _check_ranges(parameters, managed="CapacityProviderConfig" in extras)
    given = {name: parameters[name] for name in _FIELDS if parameters.get(name) is not None}
    changes = {_FIELDS[name][0]: _FIELDS[name][1](value) for name, value in given.items()}
    if (parameters.get("SnapStart") or {}).get("ApplyOn", "None") != "None":
        raise invalid("SnapStart is not supported for functions with the package type Image.")
    made = replace(settings, **changes, extras=extras)
    if made.file_systems and not (made.vpc or {}).get("SubnetIds"):
        arn = made.file_systems[0]["Arn"]
        raise invalid(f"Function must be configured to execute in a VPC to reference access point ARN: {arn}.")
    return made


def _check_ranges(parameters: Mapping[str, Any], *, managed: bool) -> None:
    for name, (least, most) in (_MANAGED_RANGES if managed else _RANGES).items():
        value = parameters.get(name)
        if value is not None and not least <= value <= most:
            raise invalid(f"Value '{value}' at '{name}' failed to satisfy constraint: between {least} and {most}.")
    most = 32_768 if managed else _STORAGE[1]
    size = (parameters.get("EphemeralStorage") or {}).get("Size", _STORAGE[0])
    if not _STORAGE[0] <= size <= most:
        raise invalid(f"Value '{size}' at 'EphemeralStorage' must be between 512 and {most}.")


def _same(value: Any) -> Any:
    return value


def _environment(given: Mapping[str, Any]) -> dict[str, str] | None:
    variables: Mapping[str, str] = given.get("Variables", {})
    measured = sum(len(name) + len(value) for name, value in variables.items())
    if measured > _ENVIRONMENT_LIMIT:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {measured} characters"
        )
    return dict(variables) or None


def _vpc(given: Mapping[str, Any]) -> dict[str, Any]:
    """Both lists or none; one that was cleared is told as empty lists ever after."""
    subnets, groups = list(given.get("SubnetIds", [])), list(given.get("SecurityGroupIds", []))
    if bool(subnets) != bool(groups):
        raise invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
    dual = bool(given.get("Ipv6AllowedForDualStack", False))
    where = {"VpcId": "vpc-0sandbox" if subnets else "", "Ipv6AllowedForDualStack": dual}
    return {"SubnetIds": subnets, "SecurityGroupIds": groups, **where}


def _dead_letter(given: Mapping[str, str]) -> dict[str, str] | None:
    return {"TargetArn": given["TargetArn"]} if given.get("TargetArn") else None


def _image_config(given: Mapping[str, Any]) -> dict[str, Any]:
    """As a whole: what it leaves out is the image's own again."""
    return {name: value for name, value in given.items() if value}


def _logging(given: Mapping[str, str]) -> dict[str, str]:
    if given.get("LogFormat", "Text") == "Text" and any(given.get(level) for level in _LEVELS):
        raise invalid("ApplicationLogLevel and SystemLogLevel can be set for the log format JSON alone.")
    return dict(given)


def _file_systems(given: Sequence[Mapping[str, str]]) -> tuple[Mapping[str, str], ...]:
    return tuple(dict(each) for each in given)


_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "Role": ("role", _same),
    "Description": ("description", _same),
    "Timeout": ("timeout", _same),
    "MemorySize": ("memory", _same),
    "VpcConfig": ("vpc", _vpc),
    "DeadLetterConfig": ("dead_letter", _dead_letter),
    "KMSKeyArn": ("kms_key", _same),
    "ImageConfig": ("image_config", _image_config),
    "LoggingConfig": ("logging", _logging),
    "FileSystemConfigs": ("file_systems", _file_systems),
    "Environment": ("environment", _environment),
    "EphemeralStorage": ("storage", lambda given: given["Size"]),
    "TracingConfig": ("tracing", lambda given: given["Mode"]),
}
