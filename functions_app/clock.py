"""The one clock of the product: what is "now" for whatever decides, stores or shows.

The demo and the tests move it to another day, to see that nothing depends on today; nothing else may.
"""

from datetime import UTC, datetime

from django.conf import settings


def now() -> datetime:
    """The current moment, in UTC."""
    return datetime.now(UTC) + settings.ENV.clock_ahead
