"""The tags of functions, as the functions list filters and counts them."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

FACETS = ["account", "region", "state", "freshness", "base_name", "overdue_on"]
BATCH = 500
LONGEST = 400  # characters, as domain.fleet.tags cuts them


def fill(apps: Any, schema_editor: Any) -> None:
    """From what functions' rows keep, so that no list is empty until the next summary of all."""
    Function, FunctionTag = (apps.get_model("functions_app", name) for name in ("Function", "FunctionTag"))
    columns = ("pk", "account_id", "region", "state", "freshness", "base_name", "overdue_on")
    there = Function.objects.filter(gone_at=None).exclude(tags={}).values_list("tags", *columns)
    rows = []
    for tags, pk, account, region, state, freshness, base_name, overdue_on in there.iterator(chunk_size=BATCH):
        own = (f"{key}={value}" for key, value in tags.items() if not key.lower().startswith("aws:"))
        rows += [
            FunctionTag(
                function_id=pk,
                name=name,
                account_id=account,
                region=region,
                state=state,
                freshness=freshness,
                base_name=base_name,
                overdue_on=overdue_on,
            )
            for name in dict.fromkeys(tag if len(tag) <= LONGEST else f"{tag[: LONGEST - 1]}…" for tag in own)
        ]
        if len(rows) >= BATCH:
            FunctionTag.objects.bulk_create(rows)
            rows = []
    FunctionTag.objects.bulk_create(rows)


def of(name: str, **values: Any) -> models.ForeignKey[Any, Any]:
    """A key whose index is one of the table's own."""
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.CASCADE, to=f"functions_app.{name}", **values
    )


class Migration(migrations.Migration):
    """The table, filled at once."""

    dependencies = [("functions_app", "0049_runtimes")]

    operations = [
        migrations.CreateModel(
            name="FunctionTag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="KEY=VALUE: AWS allows 128 and 256 characters", max_length=400)),
                ("region", models.CharField(max_length=30)),
                ("state", models.CharField(blank=True, max_length=20)),
                ("freshness", models.CharField(max_length=12)),
                ("base_name", models.CharField(blank=True, max_length=120)),
                ("overdue_on", models.DateField(null=True)),
                ("account", of("account", related_name="+")),
                ("function", of("function", related_name="tag_rows")),
            ],
        ),
        migrations.AddIndex("functiontag", models.Index(fields=["name", *FACETS, "function"], name="function_tags_by_name")),
        migrations.AddIndex("functiontag", models.Index(fields=["function", "name"], name="function_tags_of_one")),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
