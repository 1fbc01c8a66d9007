"""Lambda in the sandbox: the door. The operations are in functions, versions, aliases, concurrency and invoke.

How a fleet is seeded in-process, without waits and without HTTP:

    function = Function(account, region, name, latest=Version(LATEST, code, settings), tags={...})
    number = space(account, region).next_number(name)
    function.versions[number] = Version(number, code, settings, modified=timestamp(moment), condition=...)
    function.aliases["live"] = Alias("live", number, weights={"4": 0.1})
    space(account, region).add(function)

with Code(image_uri, repository_uri, digest) and Settings(role, ...) of sandbox.lambda_.model. A Version is Active and
its last update Successful unless `condition` and `update` say otherwise.
"""

from __future__ import annotations

import json
from typing import Any

from werkzeug.wrappers import Request

from sandbox.core import admin, dispatch
from sandbox.lambda_ import aliases as aliases  # imported for the operations that it registers
from sandbox.lambda_ import concurrency as concurrency
from sandbox.lambda_ import durable_executions as durable_executions
from sandbox.lambda_ import functions as functions
from sandbox.lambda_ import invoke as invoke
from sandbox.lambda_ import response_stream as response_stream
from sandbox.lambda_ import triggers as triggers
from sandbox.lambda_ import versions as versions
from sandbox.lambda_.model import IN_ANSWER, IN_CONFIGURATION, LATEST, Condition
from sandbox.lambda_.rest_service import LAMBDA
from sandbox.lambda_.spaces import space
from sandbox.logs import cloudwatch_logs, live_tail, metrics_api


def install() -> None:
    """Answer Lambda, CloudWatch Logs and CloudWatch here, and what tests set of functions."""
    dispatch.route("lambda", LAMBDA)
    cloudwatch_logs.install()
    metrics_api.install()
    admin.add("GET", "live-tails", live_tail.SESSIONS.endpoint)
    admin.add("POST", "function-state", _set_state_over_http)
    admin.add("POST", "function-errors", _set_errors)
    admin.add("POST", "durable-executions", durable_executions.add_executions)


def set_state(
    account: str,
    region: str,
    name: str,
    *,
    version: str = LATEST,
    state: Condition | None = None,
    last_update: Condition | None = None,
) -> None:
    """Put a version into a state, as Condition("Inactive", "Idle", "…"). Raises KeyError when it is not there.

    Nothing else changes: a state that moves on by itself gives no new revision, so that no listing shows it.
    """
    function = space(account, region).functions[name]
    with function.lock:
        found = function.latest if version == LATEST else function.versions[version]
        found.pending_until = found.updating_until = 0.0
        found.condition = state or found.condition
        found.update = last_update or found.update


def _set_state_over_http(request: Request) -> object:
    """Body: account, region, name; version, state, reason_code, reason, last_update (a list of the same three)."""
    body: dict[str, Any] = json.loads(request.get_data())
    state = Condition(body["state"], body.get("reason_code", ""), body.get("reason", "")) if "state" in body else None
    last_update = Condition(*body["last_update"]) if "last_update" in body else None
    set_state(
        body["account"],
        body["region"],
        body["name"],
        version=body.get("version", LATEST),
        state=state,
        last_update=last_update,
    )
    return {}


def _set_errors(request: Request) -> object:
    """Body: account, region, name, errors: by part {"ErrorCode", "Message"}, which then takes that part's place in what
    Lambda tells of the function. {} ends them. Raises ValueError for a part that can't have one.
    """
    body: dict[str, Any] = json.loads(request.get_data())
    if unknown := set(body["errors"]) - {*IN_CONFIGURATION, *IN_ANSWER}:
        raise ValueError(f"no part of an answer with an error of its own: {', '.join(sorted(unknown))}")
    function = space(body["account"], body["region"]).functions[body["name"]]
    with function.lock:
        function.errors = {part: dict(error) for part, error in body["errors"].items()}
    return function.errors
