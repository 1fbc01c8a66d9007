"""What the engine needs for campaigns, approvals and tokens. Runs under way go on: see `_columns_from_json`.

The rows are filled in the database, or a batch at a time: a plan's body may have megabytes, and none is read here.
"""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import BigIntegerField, OuterRef, Subquery, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Left, Length

from functions_app import clock

ENDED = ("succeeded", "failed", "cancelled")
BATCH = 500
THE_SCHEDULE = "the schedule"  # no person's name has a space
SHELL = " (shell)"


def _columns_from_json(apps: Any, schema_editor: Any) -> None:
    """Fill the new columns from where the facts were: bodies of plans, `plan_id` in runs."""
    plan, run = apps.get_model("functions_app", "Plan"), apps.get_model("functions_app", "Run")
    function = apps.get_model("functions_app", "Function").objects.filter(pk=OuterRef("named_function"))
    plan.objects.annotate(named_function=Cast(KT("body__function_id"), BigIntegerField())).update(
        title=_text(300, "body__title"),
        target=_text(400, "body__target", "body__stream"),  # a patch plan's is its stream
        function=Subquery(function.values("pk")),
        lock=_text(320, "body__lock"),
        confirmation=_text(200, "body__confirm"),
    )
    plans = set(plan.objects.values_list("pk", flat=True))
    made = run.objects.filter(plan__has_key="plan_id").values_list("pk", KT("plan__plan_id"))
    found = ((pk, plan_id) for pk, text in made.iterator(BATCH) if (plan_id := _uuid(text)) in plans)
    for several in _batches(run(pk=pk, made_from_id=plan_id) for pk, plan_id in found):
        run.objects.bulk_update(several, ["made_from"])


def _text(length: int, *places: str) -> Left:
    return Left(Coalesce(*map(KT, places), Value("")), length)


def _uuid(text: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while several := list(islice(rows, BATCH)):
        yield several


def _who(apps: Any, schema_editor: Any) -> None:
    """Of rows without a person, the schedule's and the shell's were known by their names alone."""
    for name in ("Run", "AuditEntry"):
        rows = apps.get_model("functions_app", name).objects.filter(actor=None)
        rows.filter(actor_name="schedule").update(via="schedule", actor_name=THE_SCHEDULE)
        person = Left("actor_name", Length("actor_name") - len(SHELL))
        rows.filter(actor_name__endswith=SHELL).update(via="shell", actor_name=person)
    runs = apps.get_model("functions_app", "Run").objects
    runs.filter(via="schedule").update(priority=6)


def _signals_and_memory(apps: Any, schema_editor: Any) -> None:
    """Of runs under way: who asked for their end, and what their steps have learned, which was one memory for all."""
    signal, step = apps.get_model("functions_app", "Signal"), apps.get_model("functions_app", "RunStep")
    runs = apps.get_model("functions_app", "Run").objects
    asked = runs.exclude(cancel_requested_at=None).values_list("pk", "cancel_requested_by", "cancel_requested_at")
    for several in _batches(
        signal(run_id=pk, kind="cancel", actor_name=name, via="browser", at=at) for pk, name, at in asked.iterator(BATCH)
    ):
        signal.objects.bulk_create(several)
    learned = runs.exclude(status__in=ENDED).exclude(memory={}).values_list("pk", "status", "memory")
    step.objects.filter(name="verify").update(settles=True)
    for pk, status, memory in learned.iterator(BATCH):
        step.objects.filter(run=pk).update(memory=memory)
        undoing = memory.get("undoing")
        if status == "undoing" and undoing:  # its limit begins now: when it really began nobody wrote down
            step.objects.filter(run=pk, name=undoing).update(undo_started_at=clock.now())


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("functions_app", "0006_attempts"),
    ]

    operations = [
        migrations.RenameField("plan", "created_by", "maker"),
        migrations.AlterField(
            "plan",
            "maker",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="plans",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField("plan", "body", models.JSONField(help_text="what is the kind's own")),
        migrations.AddField(
            "plan",
            "title",
            models.CharField(default="", help_text="what it does, in one line", max_length=300),
            preserve_default=False,
        ),
        migrations.AddField(
            "plan",
            "target",
            models.CharField(
                default="", help_text="what it changes, for the audit: an ARN, a stream", max_length=400
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "plan",
            "function",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="plans",
                to="functions_app.function",
            ),
        ),
        migrations.AddField(
            "plan", "lock", models.CharField(blank=True, default="", help_text="the lock of its run", max_length=320),
            preserve_default=False,
        ),
        migrations.AddField(
            "plan",
            "confirmation",
            models.CharField(
                blank=True, default="", help_text="what must be typed to apply it; '' nothing", max_length=200
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "plan",
            "approval_asked",
            models.BooleanField(default=False, help_text="an approver applies it, not its maker"),
        ),
        migrations.AlterField(
            "run", "actor_name", models.CharField(help_text="kept when the person is deleted", max_length=150)
        ),
        migrations.AddField(
            "run",
            "via",
            models.CharField(default="browser", help_text="what the actor came through: Actor.via", max_length=80),
        ),
        migrations.AddField(
            "auditentry",
            "via",
            models.CharField(default="browser", help_text="what the actor came through: Actor.via", max_length=80),
        ),
        migrations.AddField(
            "run",
            "made_from",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="runs",
                to="functions_app.plan",
            ),
        ),
        migrations.AddField(
            "run",
            "parent",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="children",
                to="functions_app.run",
            ),
        ),
        migrations.AddField(
            "run",
            "child_key",
            models.CharField(
                blank=True, default="", help_text="which of its parent's children it is", max_length=200
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "run", "priority", models.IntegerField(default=3, help_text="domain.runs.Priority: the lowest goes first")
        ),
        migrations.AlterField(
            "run", "memory", models.JSONField(default=dict, help_text="what its steps share")
        ),
        migrations.AlterField(
            "run",
            "wake_at",
            models.DateTimeField(help_text="when it is due again; null while claimed, ended or asleep", null=True),
        ),
        migrations.AddField(
            "run",
            "waits_for",
            models.CharField(
                blank=True, default="", help_text="signals its step waits for, spaces between", max_length=100
            ),
            preserve_default=False,
        ),
        migrations.AddField("run", "paused_at", models.DateTimeField(null=True)),
        migrations.AddField("run", "progress_done", models.BigIntegerField(default=0)),
        migrations.AddField(
            "run",
            "progress_total",
            models.BigIntegerField(help_text="null where the step under way counts nothing", null=True),
        ),
        migrations.AddField(
            "run",
            "progress_unit",
            models.CharField(blank=True, default="", help_text="functions, images, MB", max_length=40),
            preserve_default=False,
        ),
        migrations.AddField(
            "runstep",
            "memory",
            models.JSONField(default=dict, help_text="what it, and its undo, have learned so far"),
        ),
        migrations.AddField(
            "runstep",
            "settles",
            models.BooleanField(default=False, help_text="once it is done nothing is taken back"),
        ),
        migrations.AddField("runstep", "undo_started_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "runstep",
            "idle",
            models.DurationField(
                default=timedelta, help_text="in queues or paused since it or its undo began"
            ),
        ),
        migrations.AddField(
            "runstep",
            "heard",
            models.BigIntegerField(default=0, help_text="key of the last signal that its run had when it began"),
        ),
        migrations.CreateModel(
            name="Signal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            (kind, kind) for kind in ("cancel", "pause", "resume", "approve", "promote", "skip")
                        ],
                        max_length=10,
                    ),
                ),
                ("actor_name", models.CharField(max_length=150)),
                ("via", models.CharField(max_length=80)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="signals", to="functions_app.run"
                    ),
                ),
            ],
            options={"ordering": ["pk"]},
        ),
        migrations.RunPython(_columns_from_json, migrations.RunPython.noop),
        migrations.RunPython(_who, migrations.RunPython.noop),
        migrations.RunPython(_signals_and_memory, migrations.RunPython.noop),
    ]
