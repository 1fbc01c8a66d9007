"""Answers with what it was sent, and with what it can see of itself."""

import os
from typing import Any


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Echo the event beside the version and request id that ran it."""
    print(f"received {type(event).__name__} on version {context.function_version}")
    return {
        "event": event,
        "function": context.function_name,
        "version": context.function_version,
        "request_id": context.aws_request_id,
        "stage": os.environ.get("STAGE", ""),
    }
