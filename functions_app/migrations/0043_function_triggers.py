"""What calls a function is kept as AWS told it when somebody asked."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Nothing is known at first."""

    dependencies = [("functions_app", "0042_version_configurations")]

    operations = [
        migrations.CreateModel(
            name="FunctionTriggers",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("read_at", models.DateTimeField(help_text="when the reading began")),
                (
                    "found",
                    models.JSONField(
                        help_text="domain.fleet.triggers.Triggers, with why parts could not be read"
                    ),
                ),
                (
                    "function",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="triggers",
                        to="functions_app.function",
                    ),
                ),
            ],
        )
    ]
