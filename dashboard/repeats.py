"""What the log says of bad requests, which anybody may send without end: a line of each kind, then their number.

Wrong forms, unknown addresses and broken HTTP are answered as that; the log need not grow by what strangers send.
"""

import logging
import threading

EVERY = 60.0  # seconds between two lines of a kind
BROKEN = ("Invalid HTTP request received.", "Unsupported upgrade request.")  # what uvicorn says of its callers
log = logging.getLogger(__name__)


def kind_of(record: logging.LogRecord) -> str:
    """What a record complains of that a caller did wrong; "" for all else. There are a few dozen of them at most."""
    status = getattr(record, "status_code", None)
    if isinstance(status, int) and 400 <= status < 500:
        return f"{record.name} {status}"
    return str(record.msg) if record.msg in BROKEN or str(record.msg).startswith("Unsupported upgrade") else ""


class Repeats(logging.Filter):
    """Lets the first of a kind through; how many others came is told once a minute, until there are none."""

    def __init__(self, every: float = EVERY) -> None:
        super().__init__()
        self._every = every
        self._untold: dict[str, int] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        kind = kind_of(record)
        if not kind:
            return True
        with self._lock:
            if kind in self._untold:
                self._untold[kind] += 1
                return False
            self._untold[kind] = 0
        self._look_later(kind, record.getMessage())
        return True

    def _look_later(self, kind: str, first: str) -> None:
        later = threading.Timer(self._every, self._tell, (kind, first))
        later.daemon = True  # nobody's end waits for it
        later.start()

    def _tell(self, kind: str, first: str) -> None:
        with self._lock:
            untold = self._untold.pop(kind)
            if untold:
                self._untold[kind] = 0
        if untold:
            log.warning("%d more like “%s” within %.0f s (%s).", untold, first, self._every, kind)
            self._look_later(kind, first)
