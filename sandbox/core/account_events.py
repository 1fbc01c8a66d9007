"""Events as the account's services send them to EventBridge, also kept for GET /_sandbox/events.

moto's ECR emits nothing; AWS's emits an event for every push, deletion and scan.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from sandbox import clock

_KEPT = 10_000
_EVENTS: deque[dict[str, Any]] = deque(maxlen=_KEPT)
LISTENERS: list[Callable[[Mapping[str, Any]], None]] = []
"""Told of every event: EventBridge's rules."""


def emit(account: str, region: str, source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
    """Record an event in EventBridge's envelope (best effort in AWS; here the last 10,000 are kept)."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [],
        "detail": dict(detail),
    }
    _EVENTS.append(event)
    for listener in LISTENERS:
        listener(event)


def events(account: str | None = None) -> list[dict[str, Any]]:
    """The recorded events, oldest first, of one account or of all."""
    return [event for event in list(_EVENTS) if account in (None, event["account"])]


def reset() -> None:
    """Forget them."""
    _EVENTS.clear()
