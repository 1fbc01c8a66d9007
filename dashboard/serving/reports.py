"""What people are told of processes that end and come back: who, how, and then one line a minute, not one per try."""

from collections.abc import Callable
from dataclasses import dataclass

EVERY = 60.0  # seconds between two lines on the same process


@dataclass
class _Part:
    how: str = ""  # it ended last: "terminated by SIGKILL"
    since: float | None = None  # it is away since then; None while it runs
    told: float = -EVERY  # when people were last told that it ended
    untold: int = 0  # how often it ended since then


class Reports:
    """Keeps what happened to each process, and says it through `say`; "now" is in seconds that only grow."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._parts: dict[str, _Part] = {}

    def ended(self, name: str, how: str, now: float) -> None:
        """A process ended by itself, or could not be started."""
        part = self._parts.setdefault(name, _Part())
        part.how = how
        if part.since is None:
            part.since = now
        if now - part.told < EVERY:
            part.untold += 1
            return
        part.told, part.untold = now, 0
        self._say(f"{name} ended ({how}): starting it again.")

    def runs(self, name: str, now: float) -> None:
        """A process has run long enough to count as running."""
        part = self._parts.get(name)
        if part is None or part.since is None:
            return
        away, part.since = now - part.since, None
        if not part.untold:  # one that comes and goes is told of once a minute
            self._say(f"{name} runs again after {away:.0f} s.")

    def minute(self, now: float) -> None:
        """Once a minute: who is away, and who comes and goes."""
        for name, part in self._parts.items():
            if not part.untold and part.since is None:
                continue
            state = "it runs again" if part.since is None else f"away for {now - part.since:.0f} s, trying on"
            again = f"ended {part.untold} more times" if part.untold else "has ended"
            self._say(f"{name} {again} ({part.how}): {state}.")
            part.told, part.untold = now, 0
