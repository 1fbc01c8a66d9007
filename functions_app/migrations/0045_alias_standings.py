"""How aliases stand, as the functions list filters them, and whose functions are and what deploys them."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

FACETS = ["account", "region", "state", "freshness", "base_name", "overdue_on"]
BATCH = 500


def fill(apps: Any, schema_editor: Any) -> None:
    """From what functions' rows keep of their aliases, so that no list is empty until the next summary of all."""
    Function, AliasStanding = (apps.get_model("functions_app", name) for name in ("Function", "AliasStanding"))
    rows = []
    there = Function.objects.filter(gone_at=None).values_list("pk", "account_id", "region", "state", "alias_chips")
    for pk, account, region, state, chips in there.iterator(chunk_size=BATCH):
        rows += [
            AliasStanding(
                function_id=pk,
                account_id=account,
                region=region,
                alias=chip["name"],
                state=state,
                freshness=chip.get("freshness", ""),
                base_name=chip.get("base", ""),
                overdue_on=chip.get("overdue_on") or None,
            )
            for chip in chips
        ]
        if len(rows) >= BATCH:
            AliasStanding.objects.bulk_create(rows)
            rows = []
    AliasStanding.objects.bulk_create(rows)


class Migration(migrations.Migration):
    """The table is filled at once; what its aliases' own states are tells the next summary."""

    dependencies = [("functions_app", "0044_the_last_day_and_days_before")]

    operations = [
        migrations.CreateModel(
            name="AliasStanding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("region", models.CharField(max_length=30)),
                ("alias", models.CharField(max_length=130)),
                ("state", models.CharField(blank=True, max_length=20)),
                ("freshness", models.CharField(max_length=12)),
                ("base_name", models.CharField(blank=True, max_length=120)),
                ("overdue_on", models.DateField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="functions_app.account",
                    ),
                ),
                (
                    "function",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="standings",
                        to="functions_app.function",
                    ),
                ),
            ],
        ),
        *(
            migrations.AddField("functionsearch", name, models.CharField(blank=True, default="", max_length=length), False)
            for name, length in (("owner", 120), ("managed_by", 40))
        ),
        *(
            migrations.AddIndex("function", models.Index(fields=["gone_at", column, *FACETS], name=name))
            for column, name in (("owner", "functions_by_owner"), ("managed_by", "functions_by_tool"))
        ),
        migrations.AddIndex(
            "aliasstanding", models.Index(fields=["alias", *FACETS, "function"], name="standings_by_alias")
        ),
        migrations.AddIndex(
            "aliasstanding", models.Index(fields=["function", "alias", *FACETS], name="standings_by_function")
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
