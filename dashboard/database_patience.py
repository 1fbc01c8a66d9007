"""How long a process waits for its database: a person less than a worker, which renews leases and has time."""

from typing import Any

FOR_PEOPLE = 3.0  # seconds, of a connection and of SQLite's lock: with the way to them an answer comes within five


def shorten(database: dict[str, Any], seconds: float = FOR_PEOPLE) -> None:
    """Let the connections of this process, which has made none yet, wait no longer than this."""
    options = database.setdefault("OPTIONS", {})
    waits = options["pool"] if isinstance(options.get("pool"), dict) else options
    if "timeout" in waits:
        waits["timeout"] = min(seconds, waits["timeout"])
