"""Executions of durable functions: set by a test or the demo, listed as Lambda lists them; nothing really runs.

An execution stays on the version it began on, whatever an alias does since ("Durable functions", Lambda developer
guide). moto knows none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request

from sandbox import clock
from sandbox.core.protocol import Call
from sandbox.lambda_.model import LATEST, Function, new_id
from sandbox.lambda_.rest_service import LAMBDA, find_target, listing, page
from sandbox.lambda_.spaces import space

MOST = 1_000


@LAMBDA.operation("ListDurableExecutionsByFunction")
def list_durable_executions(call: Call) -> Mapping[str, Any]:
    """The executions of the version that a qualifier leads to, in the statuses asked for, by name."""
    target = find_target(call)
    statuses = call.get("Statuses") or ()
    wanted = {statuses} if isinstance(statuses, str) else set(statuses)
    found = [
        execution
        for execution in sorted(target.function.executions, key=lambda each: str(each["DurableExecutionName"]))
        if execution["Version"] == target.version.number and (not wanted or execution["Status"] in wanted)
    ]
    part, marker = page(call, found, lambda each: each["DurableExecutionName"], most=MOST)
    return listing("DurableExecutions", [_document(target.function, each) for each in part], marker)


def _document(function: Function, execution: Mapping[str, Any]) -> dict[str, Any]:
    arn, name = f"{function.arn}:{execution['Version']}", execution["DurableExecutionName"]
    told = {key: value for key, value in execution.items() if key != "Version"}
    return {**told, "FunctionArn": arn, "DurableExecutionArn": f"{arn}/durable-execution/{name}/{new_id()}"}


def add_executions(request: Request) -> object:
    """Body: account, region, name, count; version ($LATEST), status (RUNNING). ValueError for one not durable."""
    body: dict[str, Any] = json.loads(request.get_data())
    function = space(body["account"], body["region"]).functions[body["name"]]
    number, status = str(body.get("version", LATEST)), str(body.get("status", "RUNNING"))
    version = function.latest if number == LATEST else function.versions[number]
    if "DurableConfig" not in version.settings.extras:
        raise ValueError(f"version {number} of {function.name} is not durable")
    with function.lock:
        function.executions += [
            {
                "DurableExecutionName": f"execution-{len(function.executions) + added:06d}",
                "Version": number,
                "Status": status,
                "StartTimestamp": clock.now().timestamp(),
            }
            for added in range(int(body["count"]))
        ]
    return {"executions": len(function.executions)}
