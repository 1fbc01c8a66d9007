"""What a search reads of a function. `migrate` fills it at its end, with triggers: services.snapshot.search_index."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("functions_app", "0016_images_are_summed_by_role")]

    operations = [
        migrations.CreateModel(
            "FunctionSearch",
            [
                (
                    "function",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="functions_app.function",
                    ),
                ),
                ("search_text", models.TextField(blank=True)),
                ("region", models.CharField(max_length=30)),
                ("state", models.CharField(blank=True, max_length=20)),
                ("freshness", models.CharField(max_length=12)),
                ("base_name", models.CharField(blank=True, max_length=120)),
                ("overdue_on", models.DateField(null=True)),
                ("end_of_life_on", models.DateField(null=True)),
                ("problem_rank", models.IntegerField()),
                ("drifted", models.BooleanField()),
                ("partly_read", models.BooleanField()),
                ("unruled", models.BooleanField()),
                ("name", models.CharField(max_length=140)),
                ("last_modified", models.DateTimeField()),
                ("days_behind", models.IntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="functions_app.account",
                    ),
                ),
            ],
        ),
    ]
