"""The sandbox's one port: AWS's APIs, the OCI registry under /v2 and the sandbox's own /_sandbox."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request

from sandbox.builds import codebuild
from sandbox.core import admin, roles_admin
from sandbox.core.dispatch import Dispatcher, route
from sandbox.core.http_server import Server, WSGIApp
from sandbox.ecr import admin as ecr_admin
from sandbox.ecr import ecr_service
from sandbox.events import eventbridge
from sandbox.fleet import releases
from sandbox.iam.principals import StsResponse
from sandbox.lambda_ import lambda_service
from sandbox.registry import admin as registry_admin
from sandbox.registry import distribution
from sandbox.store.blobs import LAYERS, layer


def create_app() -> WSGIApp:
    """Install the corrections over moto and give the application. Once per process: moto's state is global."""
    # moto would let this variable name the account of every caller.
    os.environ.pop("MOTO_ACCOUNT_ID", None)
    route("sts", StsResponse)
    ecr_service.install()
    lambda_service.install()
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
            return distribution.answer(Request(environ))(environ, start_response)
        return dispatcher(environ, start_response)

    return app


def create_server(host: str = "127.0.0.1", port: int = 0) -> Server:
    """Bind the port (0 picks a free one); `serve()` then serves. Raises OSError when it is taken."""
    return Server(host, port, create_app())
