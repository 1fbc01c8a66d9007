"""Consumes order events from a queue and reports those it could not handle."""

import json
from typing import Any


def handler(event: Any, context: Any) -> dict[str, list[dict[str, str]]]:
    """Handle each SQS record; failures are returned as batchItemFailures, so that only they come again."""
    records = event.get("Records", []) if isinstance(event, dict) else []
    failures = []
    for record in records:
        try:
            order = json.loads(record["body"])
            print(f"INFO order {order['id']} is {order['status']}")
        except (KeyError, ValueError) as error:
            print(f"ERROR message {record.get('messageId', '?')}: {error!r}")
            failures.append({"itemIdentifier": record.get("messageId", "")})
    print(f"INFO {len(records) - len(failures)} of {len(records)} handled")
    return {"batchItemFailures": failures}
