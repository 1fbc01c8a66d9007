"""What happened to the installation, in order."""

from django.db import models

from functions_app.domain.events import EventKind


class Event(models.Model):
    """Something that happened: added, numbered once, deleted after some days; it outlives what it is of."""

    number = models.BigIntegerField(null=True, unique=True, help_text="its place, without a gap; null: not yet")
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in EventKind])
    text = models.CharField(max_length=300)
    arn = models.CharField(max_length=300, blank=True, help_text="of the function; '' where it is of none")
    run_number = models.BigIntegerField(null=True, db_index=True, help_text="the key of its run")
    facts = models.JSONField(default=dict, help_text="what is the kind's own")

    def __str__(self) -> str:
        return self.text
