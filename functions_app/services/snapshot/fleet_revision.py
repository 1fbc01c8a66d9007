"""Tell open pages that the fleet changed: a revision in the database is the truth, a message in Redis the quick way."""

from django.db import transaction
from django.db.models import F

from functions_app import clock
from functions_app.models import FleetRevision
from functions_app.runlog import announce_fleet


def changed() -> None:
    """Count one visible change, and tell the streams after the commit."""
    with transaction.atomic():
        now = clock.now()
        if not FleetRevision.objects.filter(pk=1).update(revision=F("revision") + 1, at=now):
            FleetRevision.objects.get_or_create(pk=1, defaults={"revision": 1, "at": now})
        transaction.on_commit(announce_fleet)
