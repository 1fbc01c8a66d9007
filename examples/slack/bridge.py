"""A slash command of Slack, handed on to Drydock: a WSGI application, for any server of those.

SLACK_SIGNING_SECRET proves that Slack sent it; DRYDOCK_URL and DRYDOCK_TOKEN say where Drydock is, and let it in.
"""

import hashlib
import hmac
import html
import os
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import httpx

LATE = 300  # seconds: what is older was recorded, and is sent again by somebody


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer within Slack's three seconds; what Drydock says follows at the address that Slack gives for it."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    stamp, sent = (environ.get(f"HTTP_X_SLACK_{name}", "") for name in ("REQUEST_TIMESTAMP", "SIGNATURE"))
    signed = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), b"v0:%b:%b" % (stamp.encode(), body), hashlib.sha256)
    known = hmac.compare_digest(f"v0={signed.hexdigest()}".encode(), sent.encode()) and time.time() - int(stamp) < LATE
    if known:
        threading.Thread(target=hand_on, args=(dict(parse_qsl(body.decode())),)).start()
    start_response("200 OK" if known else "401 Unauthorized", [])
    return []


def hand_on(form: dict[str, str]) -> None:
    """Ask Drydock, and tell Slack: the channel what is about a run or a plan, who asked alone what else they read."""
    said = {"text": form.get("text", ""), "user": form["user_id"], "channel": form["channel_id"]}
    # Where Slack sends it again, by the same key nothing is done again.
    headers = {"Authorization": f"Bearer {os.environ['DRYDOCK_TOKEN']}", "Idempotency-Key": form["trigger_id"]}
    try:
        told = httpx.post(f"{os.environ['DRYDOCK_URL']}/api/v1/chat", json=said, headers=headers, timeout=60).json()
    except (httpx.HTTPError, ValueError):
        told = {"text": "Drydock gives no answer.", "next_step": "Say “runs” to see whether anything began."}
    beside = (*told.get("lines", ()), *told.get("choices", ()), told.get("next_step") or told.get("url", ""))
    text = html.escape("\n".join((told["text"], *beside)), quote=False)  # or a name could call the whole channel
    seen = "in_channel" if told.get("run") or told.get("approve") else "ephemeral"
    httpx.post(form["response_url"], json={"response_type": seen, "text": text})
