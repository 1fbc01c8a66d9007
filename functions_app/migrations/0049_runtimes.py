"""The runtime that functions and aliases run, as the functions list filters and counts it; and how the aliases of a
function that carry production traffic stand together."""

import itertools
from collections import Counter
from typing import Any

from django.conf import settings
from django.db import migrations, models

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.kept_aliases import kept_aliases
from functions_app.domain.changes.production import ANY, production_aliases
from functions_app.domain.fleet.lambda_states import readiness

FACETS = ["account", "region", "state", "freshness", "base_name", "overdue_on"]
BATCH = 500
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


def stand_together(apps: Any, schema_editor: Any) -> None:
    """From how each alias stands and the rules of now, and counted, as the next summary does it."""
    Account, AliasStanding, FunctionCount = (
        apps.get_model("functions_app", name) for name in ("Account", "AliasStanding", "FunctionCount")
    )
    rules = {
        pk: production_aliases(own, settings.DRYDOCK_PRODUCTION_ALIASES).include
        for pk, own in Account.objects.values_list("pk", "production_aliases")
    }
    made = []
    each = AliasStanding.objects.exclude(alias=ANY).order_by("function", "alias").iterator(chunk_size=BATCH)
    for _, group in itertools.groupby(each, key=lambda row: row.function_id):
        rows = list(group)
        kept = kept_aliases([row.alias for row in rows])
        carrying = [row for row in rows if rules[row.account_id](row.alias) and row.alias not in kept]
        if carrying:
            worst = max(carrying, key=lambda row: Freshness(row.freshness).severity if row.freshness else -1)
            worst.pk, worst.alias = None, ANY
            worst.state = max((row.state for row in carrying), key=readiness)
            worst.overdue_on = min((row.overdue_on for row in carrying if row.overdue_on), default=None)
            made.append(worst)
    AliasStanding.objects.bulk_create(made, batch_size=BATCH)
    counts = Counter((row.account_id, row.freshness) for row in made)
    FunctionCount.objects.bulk_create(
        FunctionCount(account_id=account, what="production", name=freshness, number=number)
        for (account, freshness), number in counts.items()
    )


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
        migrations.RunPython(stand_together, migrations.RunPython.noop),
    ]
