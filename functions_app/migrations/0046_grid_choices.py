"""How people have the functions list."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Nobody chose anything before."""

    dependencies = [
        ("functions_app", "0045_alias_standings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="GridChoice",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="grid",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("columns", models.JSONField(help_text="domain.fleet.grid.COLUMNS")),
                ("density", models.CharField(help_text="domain.fleet.grid.Density", max_length=12)),
            ],
        ),
    ]
