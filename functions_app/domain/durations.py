"""How long something took, in words: the one rule for whatever was measured (runs.js has the same)."""

from datetime import timedelta

MILLISECOND = timedelta(milliseconds=1)
NONE = timedelta(0)


def span(duration: timedelta) -> str:
    """ "40 ms", "1.4 s", "20.0 s", "3 min 5 s", "2 h 10 min", "3 d 4 h"; what is begun of a unit is not told."""
    milliseconds = max(NONE, duration) // MILLISECOND
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds // 1000}.{milliseconds // 100 % 10} s"
    minutes, seconds = divmod(milliseconds // 1000, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def span_of_ms(milliseconds: float) -> str:
    """The same of what Lambda counts in milliseconds; nonsense is a dash."""
    return span(timedelta(milliseconds=milliseconds)) if 0 <= milliseconds < 10**12 else "—"
