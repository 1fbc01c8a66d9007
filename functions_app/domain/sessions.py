"""How long a session in the browser lives, and how its browser is called."""

from dataclasses import dataclass
from datetime import datetime, timedelta

_BROWSERS = (  # the first that fits: most browsers name others as well
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
    ("Mozilla/", "a browser"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class Limits:
    """A session ends `idle` after it was used last, and `longest` after the sign-in however busy it is."""

    idle: timedelta
    longest: timedelta

    def end(self, since: datetime, seen: datetime) -> datetime:
        """When a session of this age ends if nobody uses it any more."""
        return min(seen + self.idle, since + self.longest)

    def over(self, since: datetime, seen: datetime, now: datetime) -> bool:
        """Whether it has ended, or is of a time so far ahead (a clock was wrong) that nobody knows when it would."""
        return self.end(since, seen) <= now or max(since, seen) > now + self.idle


def span_words(span: timedelta) -> str:
    """A limit in words: "12 hours", "7 days"."""
    days = span / timedelta(days=1)
    return f"{days:g} days" if days > 1 else f"{span / timedelta(hours=1):g} hours"


def browser_words(agent: str) -> str:
    """What a User-Agent says, as people call it: of what it sent, nothing but words from here is kept."""
    name = next((words for mark, words in _BROWSERS if mark in agent), "a program" if agent else "not told")
    system = next((words for mark, words in _SYSTEMS if mark in agent), "")
    return f"{name} on {system}" if system else name
