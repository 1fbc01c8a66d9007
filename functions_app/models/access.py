"""Who did what (the audit table, to which rows are only ever added), and who is signed in."""

import uuid

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class AuditEntry(models.Model):
    """One change, or a refused attempt at one, with its actor, plan and result."""

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="audit_entries")
    actor_name = models.CharField(max_length=150)
    via = models.CharField(max_length=80, default="browser", help_text="what the actor came through: Actor.via")
    action = models.CharField(max_length=60, help_text="deployment.apply, invocation.apply, run.cancel, login ...")
    target = models.CharField(max_length=400, help_text="an ARN, a run, an account")
    plan = models.JSONField(default=dict)
    result = models.CharField(max_length=300)
    run = models.ForeignKey("Run", models.SET_NULL, null=True, related_name="audit_entries")

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.target}"


class BrowserSession(AbstractBaseSession):
    """A session in a browser: Django's, with whose it is and what that person wants to know of it."""

    mark = models.UUIDField(default=uuid.uuid4, db_index=True, help_text="names it where its key must not be told")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions", help_text="null: not signed in"
    )
    since = models.DateTimeField()
    seen = models.DateTimeField(help_text="when it was used last, to the minute")
    address = models.CharField(max_length=45, blank=True, help_text="where it was used last")
    browser = models.CharField(max_length=80, blank=True, help_text="in words: domain.sessions")
