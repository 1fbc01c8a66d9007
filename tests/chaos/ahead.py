"""Settings of a process whose own clock is five seconds ahead of everybody else's."""

from datetime import UTC, datetime, timedelta

from functions_app import clock

clock.now = lambda: datetime.now(UTC) + timedelta(seconds=5)

from tests.survive_settings import *  # noqa: E402, F403
