"""The one clock of the product: what is "now" for whatever decides, stores or shows.

The demo and the tests move it to another day, to see that nothing depends on today; nothing else may.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings

APART = timedelta(minutes=5)  # more than the clocks of two hosts differ, where anybody looks after them


def now() -> datetime:
    """The current moment, in UTC."""
    return datetime.now(UTC) + settings.ENV.clock_ahead


def latest() -> datetime:
    """The latest moment that anything can have been noted at: what lies beyond was noted while a clock was wrong."""
    return now() + APART
