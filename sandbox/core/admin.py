"""/_sandbox/*: how tests, the demo and the benchmarks set the sandbox and look behind its curtain."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.wrappers import Request, Response

from sandbox.clock import CLOCK
from sandbox.core import account_events
from sandbox.core.faults import FAULTS
from sandbox.core.limits import CALLS, DENIALS, QUOTAS

Endpoint = Callable[[Request], object]


def answer(request: Request) -> Response:
    """Run the endpoint for a path under /_sandbox/ and answer as JSON; 400 says what was wrong."""
    endpoint = ENDPOINTS.get((request.method, request.path.removeprefix("/_sandbox/").rstrip("/")))
    try:
        if endpoint is None:
            known = ", ".join(sorted(f"{method} /_sandbox/{name}" for method, name in ENDPOINTS))
            raise NotFound(f"no such endpoint; there are: {known}")
        result, status = endpoint(request), 200
    except HTTPException as error:
        result, status = {"error": error.description}, error.code or 500
    except (KeyError, ValueError, TypeError) as error:
        result, status = {"error": f"{type(error).__name__}: {error}"}, 400
    return Response(json.dumps(result), status=status, content_type="application/json")


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that was sent. Raises BadRequest."""
    body = json.loads(request.get_data() or b"{}")
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body


def _clock(request: Request) -> object:
    CLOCK.set(body_of(request))
    return CLOCK.waits()


def _deny(request: Request) -> object:
    body = body_of(request)
    DENIALS.deny(str(body["account"]), body["actions"])
    return DENIALS.listing()


def _allow(request: Request) -> object:
    DENIALS.lift(request.args.get("account") or body_of(request).get("account"))
    return DENIALS.listing()


def _set_quotas(request: Request) -> object:
    QUOTAS.enforce(bool(body_of(request)["enforce"]))
    return _quotas(request)


def _quotas(_request: Request) -> object:
    return {"enforce": QUOTAS.enforced, "throttled": dict(QUOTAS.throttled)}


def _reset_calls(_request: Request) -> object:
    CALLS.reset()
    return {}


def _reset_events(_request: Request) -> object:
    account_events.reset()
    return []


def _set_fault(request: Request) -> object:
    return FAULTS.add(body_of(request))


def _clear_faults(request: Request) -> object:
    FAULTS.clear(request.args.get("match"), request.args.get("account"))
    return FAULTS.listing()


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "ready"): lambda _request: {"ready": True},
    ("GET", "clock"): lambda _request: CLOCK.waits(),
    ("POST", "clock"): _clock,
    ("GET", "calls"): lambda request: CALLS.counts(request.args.get("account")),
    ("DELETE", "calls"): _reset_calls,
    ("GET", "denials"): lambda _request: DENIALS.listing(),
    ("POST", "denials"): _deny,
    ("DELETE", "denials"): _allow,
    ("GET", "quotas"): _quotas,
    ("POST", "quotas"): _set_quotas,
    ("GET", "faults"): lambda _request: FAULTS.listing(),
    ("POST", "faults"): _set_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "events"): lambda request: account_events.events(request.args.get("account")),
    ("DELETE", "events"): _reset_events,
}
"""By method and name; other rooms of the sandbox add theirs (see `add`)."""


def add(method: str, name: str, endpoint: Endpoint) -> None:
    """Serve `/_sandbox/<name>`: the endpoint gets the request and returns what becomes the JSON answer."""
    ENDPOINTS[method, name] = endpoint
