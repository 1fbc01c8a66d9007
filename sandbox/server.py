"""The sandbox's one port: AWS's APIs, the OCI registry under /v2 and the sandbox's own /_sandbox."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request

from sandbox import (
    admin,
    codebuild,
    ecr_admin,
    ecr_service,
    eventbridge,
    lambdas,
    registry,
    registry_admin,
    releases,
    roles_admin,
)
from sandbox.blobs import LAYERS, layer
from sandbox.dispatch import Dispatcher, route
from sandbox.http import Server, WSGIApp
from sandbox.principals import StsResponse


def create_app() -> WSGIApp:
    """Install the corrections over moto and give the application. Once per process: moto's state is global."""
    # moto would let this variable name the account of every caller.
    os.environ.pop("MOTO_ACCOUNT_ID", None)
    route("sts", StsResponse)
    ecr_service.install()
    lambdas.install()
    codebuild.install()
    eventbridge.install()
    ecr_admin.install()
    registry_admin.install()
    roles_admin.install()
    releases.install()
    dispatcher = Dispatcher()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(LAYERS):
            return layer(Request(environ))(environ, start_response)
        if path.startswith("/_sandbox/"):
            return admin.answer(Request(environ))(environ, start_response)
        if path == "/v2" or path.startswith("/v2/"):
            return registry.answer(Request(environ))(environ, start_response)
        return dispatcher(environ, start_response)

    return app


def create_server(host: str = "127.0.0.1", port: int = 0) -> Server:
    """Bind the port (0 picks a free one); `serve_forever()` then serves. Raises OSError when it is taken."""
    return Server(host, port, create_app())
