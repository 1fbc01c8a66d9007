"""GET and POST /_sandbox/registry: how /v2 behaves."""

from __future__ import annotations

from dataclasses import asdict

from werkzeug.wrappers import Request

from sandbox.core import admin
from sandbox.registry import distribution


def install() -> None:
    """Serve them."""
    admin.add("GET", "registry", _registry)
    admin.add("POST", "registry", _set_registry)


def _set_registry(request: Request) -> object:
    distribution.configure(distribution.Settings(**admin.body_of(request)))
    return _registry(request)


def _registry(_request: Request) -> object:
    return asdict(distribution.settings())
