"""Times: shown relative, exact on hover."""

from datetime import UTC, datetime
from functools import lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app import clock
from functions_app.domain.bases.release_dates import told
from functions_app.web.html.escaped import known

MINUTE, HOUR, DAY = 60, 3600, 86400
TIME = '<time datetime="{moment}Z" title="{moment} UTC">{far}</time>'


def relative(then: datetime, now: datetime) -> str:
    """ "just now", "40 s ago", "3 min ago", "5 h ago", "12 d ago", "in 4 min"."""
    seconds = (now - then).total_seconds()
    size = abs(seconds)
    if size < 5:
        return "just now"
    if size < MINUTE:
        text = f"{int(size)} s"
    elif size < HOUR:
        text = f"{int(size // MINUTE)} min"
    elif size < 2 * DAY:
        text = f"{int(size // HOUR)} h"
    elif size < 730 * DAY:
        text = f"{int(size // DAY)} d"
    else:
        text = f"{int(size // (365 * DAY))} y"
    return f"in {text}" if seconds < 0 else f"{text} ago"


def exact(then: datetime) -> str:
    """The time as shown on hover: "2026-03-01 12:00:05 UTC"."""
    return f"{_to_the_second(then)} UTC"


def ago(then: datetime | None, now: datetime | None = None) -> SafeString:
    """A relative time with the exact one on hover; app.js keeps it moving."""
    if then is None:
        return format_html('<span class="muted">{}</span>', "never")
    return format_html(TIME, **parts(then, now or clock.now()))


def built(at: datetime | None, there: datetime | None = None) -> SafeString:
    """When an image that was there at `there` was built, or that nothing which can be believed tells it."""
    time = told(at, there or clock.now())
    if time is None:
        return format_html('<span class="muted">{}</span>', "not told")
    return ago(time)


def parts(then: datetime, now: datetime) -> dict[str, SafeString]:
    """What TIME needs, for markup that holds it."""
    return {"moment": known(_to_the_second(then)), "far": known(relative(then, now))}


@lru_cache(maxsize=4096)
def _to_the_second(then: datetime) -> str:
    return then.astimezone(UTC).isoformat(" ", "seconds")[:19]
