"""A signed message to the one address that DRYDOCK_REBUILD_WEBHOOK_URL names. Here, since registries' guard is here.

It goes to that host and nowhere else: redirects are not followed, and of the answer nothing but its status is read.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import httpx

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.registry.addresses import Reach, within
from functions_app.registry.requests import Limits, origin
from functions_app.registry.transport import guarded_client

SECONDS = 5.0  # in all, for a person waits


def send(url: str, secret: str, key: str, document: Mapping[str, Any]) -> int:
    """POST the document as JSON, once, and give the status of the answer. Raises UNREACHABLE where there is none.

    `X-Drydock-Signature` is `sha256=` and the HMAC-SHA256, by the secret, of the timestamp, a dot and the raw body;
    `X-Drydock-Timestamp` is in seconds since 1970; `X-Drydock-Id` stays the same where it is sent again.
    """
    body = json.dumps(document, separators=(",", ":")).encode()
    stamp = str(int(clock.now().timestamp()))
    signature = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Drydock-Id": key,
        "X-Drydock-Timestamp": stamp,
        "X-Drydock-Signature": f"sha256={signature}",
    }
    limits = Limits(connect=SECONDS, silence=SECONDS)
    try:
        with within(SECONDS), closing(guarded_client(limits, Reach.PUBLIC, origin(url)[1:])) as client:
            request = client.build_request("POST", url, headers=headers, content=body)
            with closing(client.send(request, stream=True)) as answer:
                return answer.status_code
    except httpx.TransportError as error:
        raise DrydockError(
            Code.UNREACHABLE,
            f"The pipeline at {httpx.URL(url).host} did not answer: {type(error).__name__}.",
            next_step="See whether it took the message all the same; it may be sent again, with the same id.",
            retryable=True,
        ) from error
