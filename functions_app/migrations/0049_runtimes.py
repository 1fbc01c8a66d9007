"""The runtime that functions and aliases run, as the functions list filters and counts it."""

from typing import Any

from django.db import migrations, models

FACETS = ["account", "region", "state", "freshness", "base_name", "overdue_on"]
ORDERS = {
    "functions_by_problem": ["-problem_rank", "name", "id"],
    "functions_by_name": ["name", "id"],
    "functions_by_change": ["-last_modified", "id"],
    "functions_by_age": ["-days_behind", "name", "id"],
    "functions_by_facet": [],
}


def fill(apps: Any, schema_editor: Any) -> None:
    """By the stream that they stand on, where it is one of Lambda's; what is beneath a company's tells the next summary."""
    Function, AliasStanding, BaseStream = (
        apps.get_model("functions_app", name) for name in ("Function", "AliasStanding", "BaseStream")
    )
    for stream in BaseStream.objects.exclude(runtime=""):
        between = "." if stream.runtime == "provided" else ""
        runtime = f"{stream.runtime}{between}{stream.runtime_version}"
        for model in (Function, AliasStanding):
            model.objects.filter(base_name=stream.name).update(runtime=runtime)


class Migration(migrations.Migration):
    """Filled at once, so that no list is empty until the next summary of all."""

    dependencies = [("functions_app", "0048_selections_without_their_filter")]

    operations = [
        migrations.AddField(
            "function",
            "runtime",
            models.CharField(
                blank=True, default="", help_text="that image's, as its base tells it: python3.12", max_length=70
            ),
            False,
        ),
        *(
            migrations.AddField(name, "runtime", models.CharField(blank=True, default="", max_length=70), False)
            for name in ("functionsearch", "aliasstanding")
        ),
        *(migrations.RemoveIndex("function", name) for name in ORDERS),
        *(
            migrations.AddIndex(
                "function", models.Index(fields=["gone_at", *order, *FACETS, "runtime"], name=name)
            )
            for name, order in ORDERS.items()
        ),
        migrations.RemoveIndex("aliasstanding", "standings_by_function"),
        migrations.AddIndex(
            "aliasstanding",
            models.Index(fields=["function", "alias", *FACETS, "runtime"], name="standings_of_function"),
        ),
        migrations.AddIndex(
            "aliasstanding",
            models.Index(fields=["alias", "runtime", *FACETS, "function"], name="standings_by_runtime"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
