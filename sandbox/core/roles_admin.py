"""GET, POST and DELETE /_sandbox/roles."""

from __future__ import annotations

import json

from werkzeug.wrappers import Request

from sandbox.core import admin
from sandbox.iam import roles
from sandbox.iam.policy_language import listed


def _register_over_http(request: Request) -> object:
    """Body: account, name; policy (a document or a list of them), external_id or trust (a document)."""
    body = json.loads(request.get_data())
    trust = body.get("trust")
    if trust is None and "external_id" in body:
        condition = {"StringEquals": {"sts:ExternalId": body["external_id"]}}
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": condition}
        trust = {"Statement": [statement]}
    roles.register(str(body["account"]), roles.Role(str(body["name"]), tuple(listed(body.get("policy", []))), trust))
    return _listing(request)


def _listing(_request: Request) -> object:
    return [{"account": account, "name": name} for account, name in roles.registered()]


def _forget_over_http(request: Request) -> object:
    roles.forget(request.args.get("account"))
    return _listing(request)


def install() -> None:
    """Serve GET, POST and DELETE /_sandbox/roles."""
    admin.add("GET", "roles", _listing)
    admin.add("POST", "roles", _register_over_http)
    admin.add("DELETE", "roles", _forget_over_http)
