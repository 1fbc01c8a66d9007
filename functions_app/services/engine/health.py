"""Whether the database and Redis answer: cheap enough to be asked every second, by anybody."""

from functools import cache

import redis
from django.conf import settings

from functions_app.domain.runs import Priority
from functions_app.services.engine import database_state

PATIENCE = 0.5  # seconds for Redis


def database() -> str:
    """ "ok", or what is wrong in a word; no address, since anybody may ask."""
    trouble = database_state.check()
    return trouble.word if trouble else "ok"


def broker() -> str:
    """The same for Redis. While it is away pages are served, runs start with the next tick after its return."""
    try:
        quick_client().ping()
    except (redis.RedisError, OSError) as error:
        return f"away ({type(error).__name__})"
    return "ok"


def waiting_messages(queue: str) -> int:
    """How many messages lie in a queue of Celery's that no worker has taken; 0 while Redis is away.

    Celery keeps a list for each priority (kombu.transport.redis, `_q_for_pri`).
    """
    separator = settings.CELERY_BROKER_TRANSPORT_OPTIONS["sep"]
    pipeline = quick_client().pipeline(transaction=False)
    for priority in Priority:
        pipeline.llen(f"{queue}{separator}{priority}" if priority else queue)
    try:
        return sum(pipeline.execute())
    except (redis.RedisError, OSError):
        return 0


def quick_client() -> redis.Redis:
    """A client that waits no longer than PATIENCE, one for all threads of the process."""
    return _client(settings.ENV.redis_url)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
