"""Giving $LATEST the configuration of a version, and telling whether it has it, field by field.

Values are read, compared and sent here, in memory: what goes on are names of settings, yes and no. Variables never do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functions_app.aws import lambdas, quota
from functions_app.aws.lambda_answers import changed, read_function, version_fact
from functions_app.aws.lambda_comparisons import NOT_CONFIGURATION, compare
from functions_app.aws.members import Entry, OddAnswer, named, part, text
from functions_app.aws.session import Target, client
from functions_app.domain.changes.patching.latest_kept import Seen, Settable
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST, FunctionDetail

MANAGED = "CapacityProviderConfig"


def settable(target: Target, name: str, versions: Sequence[str]) -> Settable:
    """Whether $LATEST could be given the configuration of the first of these versions, and be given back its own."""
    latest, *live = (_configuration(target, name, version) for version in ("", *versions))
    first, both = live[0], (latest, live[0])
    comparisons = [compare(versions[0], first, other) for other in (latest, *live[1:])]
    roles = {text(entry, "Role", 700) for entry in both}
    return Settable(
        unread=tuple(dict.fromkeys(why for one in comparisons for why in one.unread)),
        fixed=tuple(_fixed(*both)),
        unlike=tuple(
            version
            for version, entry in zip(versions[1:], live[1:], strict=True)
            if _changes(first, entry) or _fixed(first, entry)
        ),
        roles=tuple(sorted(roles)) if len(roles) > 1 else (),
        managed=any(entry.get(MANAGED) or entry.get("Version") == PUBLISHED_LATEST for entry in (latest, *live)),
    )


def look(target: Target, name: str, kept: str, live: str) -> tuple[FunctionDetail, Seen]:
    """$LATEST, and which of two versions' configurations it has.

    Raises FAILED where AWS does not tell all of one: what is not known is not taken for equal.
    """
    answer = lambdas.function_answer(target, name)
    latest, detail = part(answer, "Configuration"), named(read_function, answer, f"GetFunction of {name}")
    like_kept, like_live = (_same(name, latest, _configuration(target, name, version)) for version in (kept, live))
    return detail, Seen(detail.fact.latest.digest, like_kept, like_live)


def same(target: Target, name: str, one: str, other: str) -> bool:
    """Whether two versions are configured alike. Raises FAILED where AWS does not tell."""
    return _same(name, _configuration(target, name, one), _configuration(target, name, other))


def configure(target: Target, name: str, like: str, revision_id: str) -> None:
    """Give $LATEST the configuration of a version: only what differs is sent, what is to be empty too.

    CHANGED where the revision is not the current one, BUSY while an update is in progress.
    """
    latest, wanted = (_configuration(target, name, version) for version in ("", like))
    _update(target, name, _changes(latest, wanted), revision_id)


def rehearse(target: Target, name: str, unlike: str, revision_id: str) -> None:
    """Set what $LATEST has otherwise than a version to what it has: whoever may and can do that can give it back.

    It changes nothing but the revision. Raises what giving it back would: that Drydock may not pass the role to Lambda,
    that a subnet was deleted.
    """
    latest, other = (_configuration(target, name, version) for version in ("", unlike))
    _update(target, name, _changes(other, latest), revision_id)


def _update(target: Target, name: str, request: dict[str, Any], revision_id: str) -> None:
    answer = quota.change(
        target,
        lambdas.CONTROL,
        lambda: client(target, "lambda", attempts=1).update_function_configuration(
            FunctionName=name, RevisionId=revision_id, **request
        ),
    )
    changed(version_fact, answer, f"UpdateFunctionConfiguration of {name}")


def _configuration(target: Target, name: str, version: str) -> Entry:
    return part(lambdas.function_answer(target, name, "" if version == LATEST else version), "Configuration")


def _same(name: str, one: Entry, other: Entry) -> bool:
    if unread := compare("", one, other).unread:
        raise DrydockError(
            Code.FAILED,
            f"Whether $LATEST of {name} is what it was can't be told. {unread[0]}",
            next_step="Remove the cause; $LATEST is to be looked at in Lambda.",
        )
    return not _changes(one, other) and not _fixed(one, other)


def _changes(before: Entry, after: Entry) -> dict[str, Any]:
    """The members of UpdateFunctionConfiguration that make the one configuration the other. Raises OddAnswer."""
    return {
        name: value(after) for name, value in SETTABLE.items() if _unordered(value(before)) != _unordered(value(after))
    }


def _unordered(value: Any) -> Any:
    """Subnets and security groups are sets, which AWS tells in any order; all other lists have one that counts."""
    if isinstance(value, dict) and "SubnetIds" in value:
        return {key: sorted(of) if isinstance(of, list) else of for key, of in value.items()}
    return value


def _fixed(one: Entry, other: Entry) -> list[str]:
    """Members that differ and that no run sets: what can't be set back, and what AWS has added since."""
    names = sorted({*one, *other} - ANSWERED - NOT_CONFIGURATION)
    return [name for name in names if (one.get(name) or None) != (other.get(name) or None)]


def _needed(name: str) -> Callable[[Entry], Any]:
    def value(entry: Entry) -> Any:
        if not entry.get(name):
            raise OddAnswer(f"AWS's answer has no {name}.")
        return entry[name]

    return value


def _vpc(entry: Entry) -> dict[str, Any]:
    vpc = part(entry, "VpcConfig")
    return {
        "SubnetIds": list(vpc.get("SubnetIds") or []),
        "SecurityGroupIds": list(vpc.get("SecurityGroupIds") or []),
        "Ipv6AllowedForDualStack": bool(vpc.get("Ipv6AllowedForDualStack")),
    }


def _image(entry: Entry) -> dict[str, Any]:
    """Lambda takes it as a whole: what is left out of it is the image's own again."""
    image = part(entry, "ImageConfigResponse", "ImageConfig")
    return {name: image[name] for name in ("EntryPoint", "Command", "WorkingDirectory") if image.get(name)}


def _logging(entry: Entry) -> dict[str, str]:
    """Levels go with JSON alone: Lambda refuses them otherwise."""
    logging = part(entry, "LoggingConfig")
    found = {
        "LogFormat": logging.get("LogFormat") or "Text",
        "LogGroup": logging.get("LogGroup") or f"/aws/lambda/{entry.get('FunctionName')}",
    }
    levels = ("ApplicationLogLevel", "SystemLogLevel") if found["LogFormat"] == "JSON" else ()
    return found | {name: logging[name] for name in levels if logging.get(name)}


SETTABLE: Mapping[str, Callable[[Entry], Any]] = {
    "Role": _needed("Role"),
    "Timeout": _needed("Timeout"),
    "MemorySize": _needed("MemorySize"),
    "Environment": lambda entry: {"Variables": dict(part(entry, "Environment", "Variables"))},
    "VpcConfig": _vpc,
    "DeadLetterConfig": lambda entry: {"TargetArn": part(entry, "DeadLetterConfig").get("TargetArn") or ""},
    "KMSKeyArn": lambda entry: entry.get("KMSKeyArn") or "",
    "TracingConfig": lambda entry: {"Mode": part(entry, "TracingConfig").get("Mode") or "PassThrough"},
    "FileSystemConfigs": lambda entry: list(entry.get("FileSystemConfigs") or []),
    "ImageConfig": _image,
    "EphemeralStorage": lambda entry: {"Size": part(entry, "EphemeralStorage").get("Size") or 512},
    "LoggingConfig": _logging,
}
"""What UpdateFunctionConfiguration is sent to make a function like an answer; an empty value says so explicitly."""
ANSWERED = {"ImageConfigResponse", *SETTABLE} - {"ImageConfig"}
