"""Tell open pages that the fleet changed: a revision in the database is the truth, a message in Redis the quick way."""

import logging

import redis
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from functions_app.models import FleetRevision

CHANNEL = b"drydock:fleet"
PATIENCE = 1.0  # seconds; pages look at the database by themselves now and then
log = logging.getLogger(__name__)


def changed() -> None:
    """Count one visible change, and tell the streams after the commit."""
    with transaction.atomic():
        now = timezone.now()
        if not FleetRevision.objects.filter(pk=1).update(revision=F("revision") + 1, at=now):
            FleetRevision.objects.get_or_create(pk=1, defaults={"revision": 1, "at": now})
        transaction.on_commit(_announce)


def revision() -> int:
    """The number of changes so far. One query."""
    return FleetRevision.objects.filter(pk=1).values_list("revision", flat=True).first() or 0


def _announce() -> None:
    try:
        with redis.Redis.from_url(
            settings.ENV.redis_url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        ) as client:
            client.publish(CHANNEL, b"")
    except redis.RedisError as error:
        log.info("open pages notice the change a little later: Redis is away (%s)", error)
