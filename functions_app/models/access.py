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


class ApiToken(models.Model):
    """What a bot shows instead of a person who signs in: it acts for that person, within what it was made for."""

    name = models.CharField(max_length=60, help_text="of the bot, as the audit names it")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens", help_text="acts for")
    secret_hash = models.CharField(max_length=64, unique=True, help_text="SHA-256; the token itself is kept nowhere")
    beginning = models.CharField(max_length=12, help_text="its first characters, by which somebody knows it again")
    scopes = models.JSONField(help_text="domain.tokens.TokenScope")
    accounts = models.JSONField(null=True, help_text="AWS's numbers of the accounts it gets to; null: all")
    functions = models.JSONField(null=True, help_text="names with * and ? of the functions it gets to; null: all")
    networks = models.JSONField(default=list, help_text="where it may come from; []: anywhere")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField()
    rotated_at = models.DateTimeField(null=True, help_text="since when it has the text that it has")
    used_at = models.DateTimeField(null=True, help_text="to the minute")
    used_from = models.CharField(max_length=45, blank=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "name"], condition=models.Q(revoked_at=None), name="one_token_of_a_name"
            )
        ]

    def __str__(self) -> str:
        return f"token {self.name}"


class KeptAnswer(models.Model):
    """What a request with an Idempotency-Key was answered, so that the same request changes nothing twice."""

    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="+")
    path = models.CharField(max_length=300)
    key_hash = models.CharField(max_length=64, help_text="SHA-256 of what its sender calls it")
    body_hash = models.CharField(max_length=64)
    begun_at = models.DateTimeField(db_index=True)
    status = models.IntegerField(null=True, help_text="null: it is being answered")
    headers = models.JSONField(default=dict)
    content = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "path", "key_hash"], name="one_answer")]

    def __str__(self) -> str:
        return f"answer {self.status} to {self.path}"


class GridChoice(models.Model):
    """How somebody has the functions list."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="grid")
    columns = models.JSONField(help_text="domain.fleet.grid.COLUMNS")
    density = models.CharField(max_length=12, help_text="domain.fleet.grid.Density")

    def __str__(self) -> str:
        return f"{self.person} {self.density}"
