"""Aliases are counted by an index without their functions: PostgreSQL keeps equal rows of one once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("functions_app", "0051_looked_for_quickly"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="aliasstanding",
            index=models.Index(
                fields=["alias", "account", "region", "state", "freshness", "base_name", "overdue_on"],
                name="standings_to_count",
            ),
        ),
    ]
