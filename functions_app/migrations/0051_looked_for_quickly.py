"""Published versions, and the newest moves of aliases, by indexes that have just them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("functions_app", "0050_function_tags"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="aliasmove",
            name="alias_moves_by_time",
        ),
        migrations.AddIndex(
            model_name="aliasmove",
            index=models.Index(fields=["at", "id"], name="alias_moves_by_time"),
        ),
        migrations.AddIndex(
            model_name="version",
            index=models.Index(
                condition=models.Q(("number", "$LATEST.PUBLISHED")), fields=["function"], name="published_versions"
            ),
        ),
    ]
