"""Fails on every call, as a function does whose upstream is gone."""

from typing import Any


class UpstreamUnavailableError(Exception):
    """The payment provider gave no answer."""


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Raise, after the lines that such a function writes first."""
    payment = event.get("payment_id", "pay_0") if isinstance(event, dict) else "pay_0"
    print(f"INFO retrying {payment}")
    print("WARN provider answered 503, giving up after 3 attempts")
    raise UpstreamUnavailableError(f"payment provider unavailable for {payment}")
