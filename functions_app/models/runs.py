"""Plans, runs, their steps and their log. The database is the truth: Redis may be wiped at any moment."""

import uuid

from django.conf import settings
from django.db import models

from functions_app.domain.runs import ACTIVE, Kind, Status, StepStatus


class Plan(models.Model):
    """A frozen description of one change, made before it is confirmed. It expires."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    body = models.JSONField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} plan {self.id}"


class Run(models.Model):
    """One piece of work: claimed by compare-and-set with a lease, executed in idempotent steps."""

    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    status = models.CharField(max_length=12, choices=[(status.value, status.value) for status in Status])
    title = models.CharField(max_length=300)
    plan = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    problem = models.JSONField(null=True, help_text="domain.errors.Problem, or null")
    memory = models.JSONField(default=dict, help_text="what the steps so far have learned")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="runs")
    actor_name = models.CharField(max_length=150, help_text="kept when the person is deleted; 'schedule' for beat")
    account = models.ForeignKey("Account", models.SET_NULL, null=True, related_name="runs")
    function = models.ForeignKey("Function", models.SET_NULL, null=True, related_name="runs")
    lock = models.CharField(max_length=320, blank=True, help_text="one active run per lock: a function's ARN; '' none")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    wake_at = models.DateTimeField(null=True, help_text="when it is due again; null while claimed or ended")
    handed_out_at = models.DateTimeField(null=True, help_text="when a worker was last told of it; may lie ahead")
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0, help_text="how often it was taken over since a step of it ended")
    cancel_requested_at = models.DateTimeField(null=True)
    cancel_requested_by = models.CharField(max_length=150, blank=True)
    revision = models.BigIntegerField(default=0, help_text="counts every visible change: the streams compare it")
    line_count = models.BigIntegerField(default=0, help_text="highest sequence number of its log lines")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["lock"],
                condition=models.Q(status__in=sorted(status.value for status in ACTIVE)) & ~models.Q(lock=""),
                name="one_active_run_per_lock",
            )
        ]
        indexes = [models.Index(fields=["status", "wake_at"], name="runs_due")]

    def __str__(self) -> str:
        return f"run {self.pk}: {self.title}"


class RunStep(models.Model):
    """One named, idempotent step of a run."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="steps")
    position = models.IntegerField()
    name = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=[(status.value, status.value) for status in StepStatus])
    note = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="one_step")]

    def __str__(self) -> str:
        return self.title


class LogLine(models.Model):
    """One line of a run's log, already redacted, numbered from 1 within its run."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="lines")
    sequence = models.BigIntegerField()
    at = models.DateTimeField()
    level = models.CharField(max_length=8, default="info", help_text="debug, info, warning, error")
    source = models.CharField(max_length=12, default="drydock", help_text="drydock, or function: its own output")
    text = models.TextField()

    class Meta:
        ordering = ["sequence"]
        constraints = [models.UniqueConstraint(fields=["run", "sequence"], name="one_line")]

    def __str__(self) -> str:
        return self.text
