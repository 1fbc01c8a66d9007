"""What the engine needs for campaigns, approvals and tokens. Runs under way go on: see `_columns_from_json`."""

import uuid
from datetime import timedelta
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ENDED = ("succeeded", "failed", "cancelled")
BATCH = 500
THE_SCHEDULE = "the schedule"  # no person's name has a space


def _columns_from_json(apps: Any, schema_editor: Any) -> None:
    """Fill the new columns from where the facts were: bodies of plans, `plan_id` in runs, names of actors."""
    plan_model, run_model = apps.get_model("functions_app", "Plan"), apps.get_model("functions_app", "Run")
    functions = set(apps.get_model("functions_app", "Function").objects.values_list("pk", flat=True))
    for plan in plan_model.objects.iterator(BATCH):
        function = plan.body.get("function_id")
        plan.title, plan.target = str(plan.body.get("title", ""))[:300], str(plan.body.get("target", ""))[:400]
        plan.function_id = function if function in functions else None
        plan.lock, plan.confirmation = plan.body.get("lock", "")[:320], plan.body.get("confirm", "")[:200]
        plan.save(update_fields=["title", "target", "function_id", "lock", "confirmation"])
    plans = set(plan_model.objects.values_list("pk", flat=True))
    for run in run_model.objects.filter(plan__has_key="plan_id").only("plan").iterator(BATCH):
        plan_id = _uuid(run.plan["plan_id"])
        if plan_id in plans:
            run_model.objects.filter(pk=run.pk).update(made_from=plan_id)


def _uuid(text: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def _who(apps: Any, schema_editor: Any) -> None:
    """Of rows without a person, the schedule's and the shell's were known by their names alone."""
    for name in ("Run", "AuditEntry"):
        rows = apps.get_model("functions_app", name).objects.filter(actor=None)
        rows.filter(actor_name="schedule").update(via="schedule", actor_name=THE_SCHEDULE)
        rows.filter(actor_name__endswith=" (shell)").update(via="shell")
    runs = apps.get_model("functions_app", "Run").objects
    runs.filter(via="schedule").update(priority=6)


def _signals_and_memory(apps: Any, schema_editor: Any) -> None:
    """Of runs under way: who asked for their end, and what their steps have learned, which was one memory for all."""
    signal, step = apps.get_model("functions_app", "Signal"), apps.get_model("functions_app", "RunStep")
    runs = apps.get_model("functions_app", "Run").objects
    for run in runs.exclude(cancel_requested_at=None).iterator(BATCH):
        signal.objects.create(
            run=run, kind="cancel", actor_name=run.cancel_requested_by, via="browser", at=run.cancel_requested_at
        )
    for run in runs.exclude(status__in=ENDED).exclude(memory={}).iterator(BATCH):
        step.objects.filter(run=run).update(memory=run.memory)
        undoing = run.memory.get("undoing")
        if run.status == "undoing" and undoing:
            step.objects.filter(run=run, name=undoing).update(undo_started_at=run.started_at)


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
        migrations.AddField("runstep", "undo_started_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "runstep",
            "idle",
            models.DurationField(
                default=timedelta, help_text="in queues or paused since it or its undo began"
            ),
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
