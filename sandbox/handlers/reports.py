"""Builds a nightly report in stages, each with its line in the log."""

import time
from typing import Any

STAGES = ("collect", "aggregate", "render", "store")


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Run the stages; {"pause": seconds} in the event sets how long each takes (0.05 otherwise)."""
    pause = float(event.get("pause", 0.05)) if isinstance(event, dict) else 0.05
    for number, stage in enumerate(STAGES, start=1):
        print(f"INFO stage {number}/{len(STAGES)}: {stage}", flush=True)
        time.sleep(pause)
    return {"stages": list(STAGES), "version": context.function_version}
