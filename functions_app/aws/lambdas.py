"""Lambda: image functions with their versions and aliases, the changes Drydock makes to them, and invocations.

Every function takes the target first, keeps AWS's quota and raises DrydockError. Environment values never leave here.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from functions_app.aws import quota
from functions_app.aws.errors import translate
from functions_app.aws.lambda_answers import (
    FunctionPage,
    VersionList,
    alias_fact,
    alias_page,
    changed,
    function_detail,
    function_page,
    read_function,
    version_fact,
    version_page,
)
from functions_app.aws.members import Entry, named, next_page, text
from functions_app.aws.session import Target, client
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import AliasFact, FunctionDetail, OddEntry, VersionFact

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import (
        AliasRoutingConfigurationTypeDef,
        GetFunctionResponseTypeDef,
        InvocationRequestTypeDef,
    )

CONTROL = "lambda-control"
Mode = Literal["sync", "async", "dry_run"]
_INVOCATION_TYPES: Mapping[Mode, Literal["RequestResponse", "Event", "DryRun"]] = {
    "sync": "RequestResponse",
    "async": "Event",
    "dry_run": "DryRun",
}
ANSWER_MARGIN = 15.0  # seconds beyond the function's timeout: a cold start's image fetch and the way back


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
    for page in pages(target, lambda api, more: api.list_functions(FunctionVersion="ALL", MaxItems=50, **more)):
        yield named(function_page, page, "ListFunctions")


def get_function(target: Target, name: str, qualifier: str = "") -> FunctionDetail:
    """The function (or one version or alias of it) with its image URI, states and tags."""
    return named(read_function, function_answer(target, name, qualifier), f"GetFunction of {name}")


def function_answer(target: Target, name: str, qualifier: str = "") -> GetFunctionResponseTypeDef:
    """GetFunction as AWS answers it, with the values of variables: for this room alone."""
    more: dict[str, Any] = {"Qualifier": qualifier} if qualifier else {}
    return quota.read(
        target, "lambda-get-function", lambda: client(target, "lambda").get_function(FunctionName=name, **more)
    )


def versions(target: Target, name: str) -> VersionList:
    """All versions of one function, $LATEST first."""
    found: list[VersionFact] = []
    odd: list[OddEntry] = []
    for page in pages(target, lambda api, more: api.list_versions_by_function(FunctionName=name, MaxItems=50, **more)):
        part = named(version_page, page, f"ListVersionsByFunction of {name}")
        found += part.facts
        odd += part.odd
    return VersionList(tuple(found), tuple(odd))


def aliases(target: Target, name: str) -> tuple[AliasFact, ...]:
    """All aliases of one function."""
    found = pages(target, lambda api, more: api.list_aliases(FunctionName=name, **more))
    return tuple(fact for page in found for fact in named(alias_page, page, f"ListAliases of {name}"))


def pages(target: Target, call: Callable[[LambdaClient, dict[str, Any]], Mapping[str, Any]]) -> Iterator[Entry]:
    """The pages of a listing: one call of CONTROL each."""
    marker = ""
    while True:
        more = {"Marker": marker} if marker else {}
        page = quota.read(target, CONTROL, lambda more=more: call(client(target, "lambda"), more))  # type: ignore[misc]
        yield page
        marker = next_page(page, "NextMarker", marker)
        if not marker:
            return


def get_alias(target: Target, name: str, alias: str) -> AliasFact | None:
    """One alias, or None where there is none of that name."""
    try:
        answer = quota.read(target, CONTROL, lambda: client(target, "lambda").get_alias(FunctionName=name, Name=alias))
        return named(alias_fact, answer, f"GetAlias of {name}:{alias}")
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
    return text(answer, "Status", 60) or "not told", text(answer, "StatusReason")


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
    return changed(lambda entry: function_detail(entry, image_uri, "", {}), answer, f"UpdateFunctionCode of {name}")


def publish_version(
    target: Target, name: str, digest: str, revision_id: str, description: str | None = ""
) -> VersionFact:
    """Publish $LATEST as a version, only if it still runs `digest` ("sha256:...") at that revision.

    Gives the version there already is where nothing changed since it was published. None: it keeps the description
    that $LATEST has.
    """
    more: dict[str, Any] = {} if description is None else {"Description": description}
    answer = quota.change(
        target,
        CONTROL,
        lambda: client(target, "lambda", attempts=1).publish_version(
            FunctionName=name,
            CodeSha256=digest.removeprefix("sha256:"),
            RevisionId=revision_id,
            **more,
        ),
    )
    return changed(version_fact, answer, f"PublishVersion of {name}")


def create_alias(target: Target, name: str, alias: str, version: str) -> AliasFact:
    """Make an alias on one version."""
    answer = quota.change(
        target,
        CONTROL,
        lambda: client(target, "lambda", attempts=1).create_alias(
            FunctionName=name, Name=alias, FunctionVersion=version
        ),
    )
    return changed(alias_fact, answer, f"CreateAlias of {name}:{alias}")


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
    return changed(alias_fact, answer, f"UpdateAlias of {name}:{alias}")


def delete_alias(target: Target, name: str, alias: str) -> None:
    """Remove an alias; one that is not there is fine (used to undo a deploy that made it)."""
    quota.change(
        target, CONTROL, lambda: client(target, "lambda", attempts=1).delete_alias(FunctionName=name, Name=alias)
    )


def invoke(
    target: Target, name: str, qualifier: str, payload: bytes, mode: Mode, timeout_s: float, tenant: str = ""
) -> InvokeAnswer:
    """Invoke once; never repeated, since an invocation is not idempotent. `timeout_s` is the function's own timeout.

    A tenant-isolated function takes calls for a `tenant` alone.

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
    if tenant:
        request["TenantId"] = tenant
    if mode == "sync":
        request["LogType"] = "Tail"
    with translate(change=mode != "dry_run"):
        answer = client(target, "lambda", read_timeout=patience, attempts=1).invoke(**request)
        body = answer["Payload"].read()
    return InvokeAnswer(
        status=answer["StatusCode"],
        payload=body,
        function_error=text(answer, "FunctionError", 60),
        log_tail=base64.b64decode(answer.get("LogResult") or "").decode(errors="replace"),
        executed_version=text(answer, "ExecutedVersion", 60),
        request_id=answer["ResponseMetadata"].get("RequestId", ""),
    )


def _routing(second_version: str, second_weight: float) -> AliasRoutingConfigurationTypeDef:
    return {"AdditionalVersionWeights": {second_version: second_weight} if second_version else {}}
