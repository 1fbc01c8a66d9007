import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("functions_app", "0029_images_expiring_by_repository"),
    ]

    operations = [
        migrations.CreateModel(
            name="RebuildRequest",
            fields=[
                (
                    "key",
                    models.UUIDField(
                        help_text="made of what is asked for; the pipeline gets it too",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("digest", models.CharField(help_text="of the image that is to be built anew", max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[("sending", "Sending"), ("taken", "Taken"), ("failed", "Failed")], max_length=10
                    ),
                ),
                (
                    "answer",
                    models.CharField(blank=True, help_text="HTTP 202, or why there is no answer", max_length=300),
                ),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.CharField(max_length=150)),
                (
                    "function",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rebuild_requests",
                        to="functions_app.function",
                    ),
                ),
            ],
        ),
    ]
