"""Errors as the OCI Distribution specification writes them."""

from __future__ import annotations

import json

from werkzeug.wrappers import Response

CHALLENGE = 'Basic realm="https://sandbox.dkr.ecr.amazonaws.com/",service="ecr.amazonaws.com"'


class RegistryError(Exception):
    """An answer that is not a success: HTTP status, the specification's code, a message."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        challenge: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = {"Www-Authenticate": CHALLENGE} if challenge else (headers or {})

    def response(self) -> Response:
        """The error document."""
        body = json.dumps({"errors": [{"code": self.code, "message": self.message}]})
        return Response(body, status=self.status, headers=self.headers, content_type="application/json; charset=utf-8")
