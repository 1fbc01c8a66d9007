"""Lambda's answers, read into facts. Values of the environment end here: names alone go on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from functions_app.domain.fleet.functions import AliasFact, FunctionDetail, FunctionFact, VersionFact
from functions_app.domain.text import storable, storable_value


def version_fact(entry: Mapping[str, Any]) -> VersionFact:
    """A version, of any call that tells of one."""
    sha = entry.get("CodeSha256", "")
    return VersionFact(
        number=entry["Version"],
        digest=f"sha256:{sha}" if sha else "",
        last_modified=datetime.fromisoformat(entry["LastModified"]),
        revision_id=entry.get("RevisionId", ""),
        description=storable(entry.get("Description", "")),
    )


def function_fact(entry: Mapping[str, Any]) -> FunctionFact:
    """A function as its $LATEST is configured; of its environment the names alone."""
    image = (entry.get("ImageConfigResponse") or {}).get("ImageConfig") or {}
    name = entry["FunctionName"]
    return FunctionFact(
        name=name,
        arn=_unqualified(entry["FunctionArn"]),
        latest=version_fact(entry),
        architecture=(entry.get("Architectures") or ["x86_64"])[0],
        memory_mb=entry.get("MemorySize", 128),
        timeout_s=entry.get("Timeout", 3),
        ephemeral_mb=(entry.get("EphemeralStorage") or {}).get("Size", 512),
        role_arn=entry.get("Role", ""),
        log_group=(entry.get("LoggingConfig") or {}).get("LogGroup", "") or f"/aws/lambda/{name}",
        description=storable(entry.get("Description", "")),
        env_keys=tuple(sorted((entry.get("Environment") or {}).get("Variables") or ())),
        entrypoint=tuple(map(storable, image.get("EntryPoint") or ())),
        command=tuple(map(storable, image.get("Command") or ())),
        working_directory=storable(image.get("WorkingDirectory") or ""),
    )


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])


def function_detail(
    entry: Mapping[str, Any], image_uri: str, resolved_uri: str, tags: Mapping[str, str]
) -> FunctionDetail:
    """A function with what only some calls tell; those give the URIs and tags beside it."""
    logging = entry.get("LoggingConfig") or {}
    return FunctionDetail(
        fact=function_fact(entry),
        image_uri=image_uri,
        resolved_uri=resolved_uri,
        state=entry.get("State", ""),
        state_reason=storable(entry.get("StateReason", "")),
        state_reason_code=entry.get("StateReasonCode", ""),
        last_update_status=entry.get("LastUpdateStatus", ""),
        last_update_reason=storable(entry.get("LastUpdateStatusReason", "")),
        last_update_reason_code=entry.get("LastUpdateStatusReasonCode", ""),
        tags=storable_value(tags),
        log_framed=(logging.get("LogFormat"), logging.get("SystemLogLevel")) != ("JSON", "WARN"),
    )


def alias_fact(entry: Mapping[str, Any]) -> AliasFact:
    """An alias with its second version, if its traffic is split."""
    weights = (entry.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    second, weight = next(iter(weights.items()), ("", 0.0))
    return AliasFact(
        name=entry["Name"],
        version=entry["FunctionVersion"],
        revision_id=entry.get("RevisionId", ""),
        second_version=second,
        second_weight=float(weight),
        description=storable(entry.get("Description", "")),
    )
