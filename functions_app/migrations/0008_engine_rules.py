"""The rules of the engine's new columns: apart from the rows that were filled, since PostgreSQL wants that."""

from django.db import migrations, models

ACTIVE = ["paused", "queued", "running", "undoing", "waiting"]
STATUSES = ["queued", "running", "waiting", "paused", "undoing", "succeeded", "failed", "cancelled"]


class Migration(migrations.Migration):

    dependencies = [("functions_app", "0007_engine")]

    operations = [
        migrations.RemoveField("run", "cancel_requested_at"),
        migrations.RemoveField("run", "cancel_requested_by"),
        migrations.RemoveConstraint("run", "one_active_run_per_lock"),
        migrations.AlterField(
            "run",
            "status",
            models.CharField(
                choices=[(status, status) for status in STATUSES],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            "run",
            models.UniqueConstraint(
                condition=models.Q(status__in=ACTIVE) & ~models.Q(lock=""),
                fields=["lock"],
                name="one_active_run_per_lock",
            ),
        ),
        migrations.AddConstraint(
            "run",
            models.UniqueConstraint(
                condition=models.Q(parent__isnull=False), fields=["parent", "child_key"], name="one_child_per_key"
            ),
        ),
    ]
