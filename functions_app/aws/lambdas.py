"""Lambda: image functions with their versions and aliases, the changes Drydock makes to them, and invocations.

Every function takes the target first, keeps AWS's quota and raises DrydockError. Environment values never leave here.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from functions_app.aws import quota
from functions_app.aws.errors import translate
from functions_app.aws.lambda_answers import alias_fact, function_detail, function_fact, version_fact
from functions_app.aws.session import Target, client
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST, AliasFact, FunctionDetail, FunctionFact, VersionFact
from functions_app.domain.text import storable

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import AliasRoutingConfigurationTypeDef, InvocationRequestTypeDef

CONTROL = "lambda-control"
Mode = Literal["sync", "async", "dry_run"]
_INVOCATION_TYPES: Mapping[Mode, Literal["RequestResponse", "Event", "DryRun"]] = {
    "sync": "RequestResponse",
    "async": "Event",
    "dry_run": "DryRun",
}
ANSWER_MARGIN = 15.0  # seconds beyond the function's timeout: a cold start's image fetch and the way back


@dataclass(frozen=True)
class FunctionPage:
    """One page of the listing: functions (their $LATEST), and published versions with the function's name."""

    functions: tuple[FunctionFact, ...]
    versions: tuple[tuple[str, VersionFact], ...]


@dataclass(frozen=True)
class InvokeAnswer:
    """What Invoke answered: HTTP status, payload, "Handled"/"Unhandled"/"", the last 4 KB of log (sync only)."""

    status: int
    payload: bytes
    function_error: str
    log_tail: str
    executed_version: str
    request_id: str


def functions(target: Target) -> Iterator[FunctionPage]:
    """All image functions with all their versions, page by page: one call per 50 versions."""
    marker = ""
    while True:
        more: dict[str, Any] = {"Marker": marker} if marker else {}
        page = quota.read(
            target,
            CONTROL,
            lambda more=more: client(target, "lambda").list_functions(FunctionVersion="ALL", MaxItems=50, **more),  # type: ignore[misc]
        )
        images = [entry for entry in page["Functions"] if entry.get("PackageType") == "Image"]
        yield FunctionPage(
            tuple(function_fact(entry) for entry in images if entry["Version"] == LATEST),
            tuple((entry["FunctionName"], version_fact(entry)) for entry in images if entry["Version"] != LATEST),
        )
        marker = page.get("NextMarker", "")
        if not marker:
            return


def get_function(target: Target, name: str, qualifier: str = "") -> FunctionDetail:
    """The function (or one version or alias of it) with its image URI, states and tags."""
    more: dict[str, Any] = {"Qualifier": qualifier} if qualifier else {}
    answer = quota.read(
        target, "lambda-get-function", lambda: client(target, "lambda").get_function(FunctionName=name, **more)
    )
    code = answer.get("Code", {})
    return function_detail(
        answer["Configuration"], code.get("ImageUri", ""), code.get("ResolvedImageUri", ""), answer.get("Tags", {})
    )


def versions(target: Target, name: str) -> tuple[VersionFact, ...]:
    """All versions of one function, $LATEST first."""
    found: list[VersionFact] = []
    marker: dict[str, Any] = {}
    while True:
        page = quota.read(
            target,
            CONTROL,
            lambda marker=marker: client(target, "lambda").list_versions_by_function(  # type: ignore[misc]
                FunctionName=name, MaxItems=50, **marker
            ),
        )
        found += [version_fact(entry) for entry in page["Versions"]]
        if not page.get("NextMarker"):
            return tuple(found)
        marker = {"Marker": page["NextMarker"]}


def aliases(target: Target, name: str) -> tuple[AliasFact, ...]:
    """All aliases of one function."""
    found: list[AliasFact] = []
    marker: dict[str, Any] = {}
    while True:
        page = quota.read(
            target,
            CONTROL,
            lambda marker=marker: client(target, "lambda").list_aliases(FunctionName=name, **marker),  # type: ignore[misc]
        )
        found += [alias_fact(entry) for entry in page["Aliases"]]
        if not page.get("NextMarker"):
            return tuple(found)
        marker = {"Marker": page["NextMarker"]}


def get_alias(target: Target, name: str, alias: str) -> AliasFact | None:
    """One alias, or None where there is none of that name."""
    try:
        return alias_fact(
            quota.read(target, CONTROL, lambda: client(target, "lambda").get_alias(FunctionName=name, Name=alias))
        )
    except DrydockError as error:
        if error.problem.code is Code.NOT_FOUND:
            return None
        raise


def provisioned_concurrency(target: Target, name: str, qualifier: str) -> tuple[str, str]:
    """How far the provisioned concurrency of an alias is, and why: IN_PROGRESS, READY, FAILED; '' where it has none."""
    try:
        answer = quota.read(
            target,
            CONTROL,
            lambda: client(target, "lambda").get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier),
        )
    except DrydockError as error:
        if error.problem.code is Code.NOT_FOUND:
            return "", ""
        raise
    return answer.get("Status", ""), storable(answer.get("StatusReason", ""))


def update_code(target: Target, name: str, image_uri: str, revision_id: str) -> FunctionDetail:
    """Let $LATEST run another image. CHANGED where the revision is not the current one, BUSY while one is in progress.

    The detail has no tags and no resolved URI: UpdateFunctionCode does not tell them.
    """
    answer = quota.change(
        target,
        CONTROL,
        lambda: client(target, "lambda", attempts=1).update_function_code(
            FunctionName=name, ImageUri=image_uri, RevisionId=revision_id
        ),
    )
    return function_detail(answer, image_uri, "", {})


def publish_version(target: Target, name: str, digest: str, revision_id: str, description: str = "") -> VersionFact:
    """Publish $LATEST as a version, only if it still runs `digest` ("sha256:...") at that revision.

    Gives the version there already is where nothing changed since it was published.
    """
    answer = quota.change(
        target,
        CONTROL,
        lambda: client(target, "lambda", attempts=1).publish_version(
            FunctionName=name,
            CodeSha256=digest.removeprefix("sha256:"),
            RevisionId=revision_id,
            Description=description,
        ),
    )
    return version_fact(answer)


def create_alias(target: Target, name: str, alias: str, version: str) -> AliasFact:
    """Make an alias on one version."""
    answer = quota.change(
        target,
        CONTROL,
        lambda: client(target, "lambda", attempts=1).create_alias(
            FunctionName=name, Name=alias, FunctionVersion=version
        ),
    )
    return alias_fact(answer)


def update_alias(
    target: Target,
    name: str,
    alias: str,
    version: str,
    second_version: str,
    second_weight: float,
    revision_id: str,
) -> AliasFact:
    """Point an alias; the routing is always sent, empty where there is no second version (aws-facts.md)."""
    answer = quota.change(
        target,
        CONTROL,
        lambda: client(target, "lambda", attempts=1).update_alias(
            FunctionName=name,
            Name=alias,
            FunctionVersion=version,
            RoutingConfig=_routing(second_version, second_weight),
            RevisionId=revision_id,
        ),
    )
    return alias_fact(answer)


def delete_alias(target: Target, name: str, alias: str) -> None:
    """Remove an alias; one that is not there is fine (used to undo a deploy that made it)."""
    quota.change(
        target, CONTROL, lambda: client(target, "lambda", attempts=1).delete_alias(FunctionName=name, Name=alias)
    )


def invoke(target: Target, name: str, qualifier: str, payload: bytes, mode: Mode, timeout_s: float) -> InvokeAnswer:
    """Invoke once; never repeated, since an invocation is not idempotent. `timeout_s` is the function's own timeout.

    A failed function is an answer with `function_error`; a failed call raises DrydockError (UNKNOWN_OUTCOME where no
    answer came).
    """
    # Whole minutes, so that few clients are kept.
    patience = 60.0 * math.ceil((timeout_s + ANSWER_MARGIN) / 60)
    request: InvocationRequestTypeDef = {
        "FunctionName": name,
        "InvocationType": _INVOCATION_TYPES[mode],
        "Payload": payload,
    }
    if qualifier:
        request["Qualifier"] = qualifier
    if mode == "sync":
        request["LogType"] = "Tail"
    with translate(change=mode != "dry_run"):
        answer = client(target, "lambda", read_timeout=patience, attempts=1).invoke(**request)
        body = answer["Payload"].read()
    return InvokeAnswer(
        status=answer["StatusCode"],
        payload=body,
        function_error=answer.get("FunctionError", ""),
        log_tail=base64.b64decode(answer.get("LogResult", "")).decode(errors="replace"),
        executed_version=answer.get("ExecutedVersion", ""),
        request_id=answer["ResponseMetadata"].get("RequestId", ""),
    )


def _routing(second_version: str, second_weight: float) -> AliasRoutingConfigurationTypeDef:
    return {"AdditionalVersionWeights": {second_version: second_weight} if second_version else {}}
