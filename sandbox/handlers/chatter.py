"""Slow and chatty: a line each 100 ms for 20 s, to watch a log arrive live."""

import time
from typing import Any


def handler(event: Any, context: Any) -> dict[str, int]:
    """Write numbered lines at a steady pace; {"seconds": 5, "interval": 0.05} in the event overrides it."""
    wanted = event if isinstance(event, dict) else {}
    interval = float(wanted.get("interval", 0.1))
    count = round(float(wanted.get("seconds", 20)) / interval)
    started = time.monotonic()
    for number in range(1, count + 1):
        print(f"line {number:04d} of {count}: shard {number % 8} checked, {number * 37 % 991} records", flush=True)
        # Against the start, not line after line, so that the pace does not drift.
        time.sleep(max(0.0, started + number * interval - time.monotonic()))
    return {"lines": count}
