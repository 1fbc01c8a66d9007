"""Plans, runs, their steps, signals and log. The database is the truth: Redis may be wiped at any moment."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models

from functions_app.domain.runs import ACTIVE, Kind, Priority, SignalKind, Status, StepStatus


class Plan(models.Model):
    """A frozen description of one change, made before it is confirmed. It expires."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    title = models.CharField(max_length=300, help_text="what it does, in one line")
    target = models.CharField(max_length=400, help_text="what it changes, for the audit: an ARN, a stream")
    function = models.ForeignKey("Function", models.SET_NULL, null=True, related_name="plans")
    lock = models.CharField(max_length=320, blank=True, help_text="the lock of its run")
    confirmation = models.CharField(max_length=200, blank=True, help_text="what must be typed to apply it; '' nothing")
    ticks = models.JSONField(default=list, help_text="[[key, sentence]]: what must be ticked to apply it")
    approval_asked = models.BooleanField(default=False, help_text="an approver has to agree, who is not its maker")
    body = models.JSONField(help_text="what is the kind's own")
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="plans")
    via = models.CharField(max_length=80, default="browser", help_text="what its maker came through: Actor.via")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True, help_text="when its maker confirmed it, and asked for an approval")
    rejected_at = models.DateTimeField(null=True, help_text="by an approver, or withdrawn by its maker")
    decided_by = models.CharField(max_length=240, blank=True, help_text="who approved or rejected it, and via what")
    reason = models.CharField(max_length=300, blank=True, help_text="why it was rejected")

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
    memory = models.JSONField(default=dict, help_text="what its steps share")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="runs")
    actor_name = models.CharField(max_length=150, help_text="kept when the person is deleted")
    via = models.CharField(max_length=80, default="browser", help_text="what the actor came through: Actor.via")
    made_from = models.ForeignKey(Plan, models.SET_NULL, null=True, related_name="runs")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    child_key = models.CharField(max_length=200, blank=True, help_text="which of its parent's children it is")
    priority = models.IntegerField(default=Priority.PERSON, help_text="domain.runs.Priority: the lowest goes first")
    account = models.ForeignKey("Account", models.SET_NULL, null=True, related_name="runs")
    function = models.ForeignKey("Function", models.SET_NULL, null=True, related_name="runs")
    lock = models.CharField(max_length=320, blank=True, help_text="one active run per lock: a function's ARN; '' none")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    wake_at = models.DateTimeField(null=True, help_text="when it is due again; null while claimed, ended or asleep")
    waits_for = models.CharField(max_length=100, blank=True, help_text="signals its step waits for, spaces between")
    paused_at = models.DateTimeField(null=True)
    handed_out_at = models.DateTimeField(null=True, help_text="when a worker was last told of it; may lie ahead")
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0, help_text="how often it was taken over since a step of it ended")
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(null=True, help_text="null where the step under way counts nothing")
    progress_unit = models.CharField(max_length=40, blank=True, help_text="functions, images, MB")
    revision = models.BigIntegerField(default=0, help_text="counts every visible change: the streams compare it")
    line_count = models.BigIntegerField(default=0, help_text="highest sequence number of its log lines")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["lock"],
                condition=models.Q(status__in=sorted(status.value for status in ACTIVE)) & ~models.Q(lock=""),
                name="one_active_run_per_lock",
            ),
            models.UniqueConstraint(
                fields=["parent", "child_key"], condition=models.Q(parent__isnull=False), name="one_child_per_key"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "wake_at"], name="runs_due"),
            models.Index(fields=["kind", "status"], name="runs_of_a_kind"),
            # What ended in the last hours, of all runs that there ever were.
            models.Index(fields=["ended_at", "status", "kind"], name="runs_by_end"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}: {self.title}"


class RunStep(models.Model):
    """One named, idempotent step of a run."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="steps")
    position = models.IntegerField()
    name = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    settles = models.BooleanField(default=False, help_text="once it is done nothing is taken back")
    status = models.CharField(max_length=10, choices=[(status.value, status.value) for status in StepStatus])
    note = models.CharField(max_length=500, blank=True)
    memory = models.JSONField(default=dict, help_text="what it, and its undo, have learned so far")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    undo_started_at = models.DateTimeField(null=True)
    idle = models.DurationField(default=timedelta, help_text="in queues or paused since it or its undo began")
    heard = models.BigIntegerField(default=0, help_text="key of the last signal that its run had when it began")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="one_step")]

    def __str__(self) -> str:
        return self.title


class Signal(models.Model):
    """What somebody asked of a run under way. Rows are only ever added; the last of its kind counts."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="signals")
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in SignalKind])
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    actor_name = models.CharField(max_length=150)
    via = models.CharField(max_length=80)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor_name}"


class LogLine(models.Model):
    """One line of a run's log, already redacted, numbered from 1 within its run."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="lines")
    sequence = models.BigIntegerField()
    at = models.DateTimeField()
    level = models.CharField(max_length=8, default="info", help_text="debug, info, warning, error")
    source = models.CharField(max_length=12, default="drydock", help_text="drydock, function, other: another call's")
    text = models.TextField()

    class Meta:
        ordering = ["sequence"]
        constraints = [models.UniqueConstraint(fields=["run", "sequence"], name="one_line")]

    def __str__(self) -> str:
        return self.text


class RebuildRequest(models.Model):
    """A team's pipeline was told to build an image anew: once for each function, image and release of the base."""

    class State(models.TextChoices):
        """How far it is."""

        SENDING = "sending"
        TAKEN = "taken"  # the pipeline answered 2xx: it is never told again
        FAILED = "failed"  # it answered otherwise, or not at all: it may be told again

    key = models.UUIDField(primary_key=True, help_text="made of what is asked for; the pipeline gets it too")
    function = models.ForeignKey("Function", models.CASCADE, related_name="rebuild_requests")
    digest = models.CharField(max_length=80, help_text="of the image that is to be built anew")
    state = models.CharField(max_length=10, choices=State.choices)
    answer = models.CharField(max_length=300, blank=True, help_text="HTTP 202, or why there is no answer")
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return f"rebuild {self.key}: {self.state}"


class SmokeTest(models.Model):
    """How a new version of a function is tried before any traffic reaches it; kept per function."""

    function = models.OneToOneField("Function", models.CASCADE, related_name="smoke")
    body = models.JSONField(help_text="domain.changes.patching.smokes.Smoke")
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return f"smoke test of {self.function_id}"
