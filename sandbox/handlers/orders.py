"""The order API: lists, reads and places orders; answers as behind API Gateway."""

import json
from pathlib import Path
from typing import Any

RELEASE = json.loads(Path(__file__).with_name("release.json").read_text())
PRICES = {"anchor": 129.0, "rope": 18.5, "buoy": 42.0}


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Route by method and path; an event without them lists the catalogue."""
    request = event if isinstance(event, dict) else {}
    method, path = request.get("httpMethod", "GET"), request.get("path", "/catalogue")
    print(f"INFO {method} {path} release={RELEASE['version']}")
    if method == "POST":
        return _place(json.loads(request.get("body") or "{}"))
    if path.startswith("/orders/"):
        return _answer(200, {"order": path.removeprefix("/orders/"), "status": "packed"})
    return _answer(200, {"catalogue": PRICES})


def _place(order: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(item for item in order.get("items", {}) if item not in PRICES)
    if unknown:
        print(f"WARN refused: unknown items {unknown}")
        return _answer(422, {"error": f"unknown items: {', '.join(unknown)}"})
    total = sum(PRICES[item] * count for item, count in order.get("items", {}).items())
    print(f"INFO placed an order of {total:.2f} EUR")
    return _answer(201, {"total": total, "currency": "EUR"})


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "body": json.dumps({**body, "release": RELEASE["version"]})}
