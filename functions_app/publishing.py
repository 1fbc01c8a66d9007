"""What is told to whoever watches, through Redis: hints to read the database, which alone is the truth."""

import json
import logging
import os
import time
from functools import cache

import redis
from django.conf import settings

AWAY = 1.0  # seconds without publishing after Redis did not answer
COMPLAIN_EVERY = 30.0  # seconds: a Redis that is away must not fill the server's log

server_log = logging.getLogger(__name__)


@cache
def _redis(process: int) -> "redis.Redis":
    """One client per process (a forked child makes its own); it must answer soon or not at all."""
    return redis.Redis.from_url(settings.ENV.redis_url, socket_timeout=1, socket_connect_timeout=1)


class _Publisher:
    """Publishes, and while Redis is away leaves it alone for AWAY seconds at a time: a run must not wait for it."""

    def __init__(self) -> None:
        self._silent_until = 0.0
        self._complained_at = -COMPLAIN_EVERY

    def publish(self, channel_name: str, message: dict[str, object]) -> None:
        """Publish a message, if Redis takes it."""
        if time.monotonic() < self._silent_until:
            return
        try:
            _redis(os.getpid()).publish(channel_name, json.dumps(message, ensure_ascii=False, separators=(",", ":")))
        except redis.RedisError as error:
            now = time.monotonic()
            self._silent_until = now + AWAY
            if now - self._complained_at >= COMPLAIN_EVERY:
                self._complained_at = now
                server_log.warning("nothing is published, watchers poll the database: %s", error)


publish = _Publisher().publish
