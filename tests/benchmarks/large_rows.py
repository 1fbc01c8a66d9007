"""Ten times the functions of rows.fill, in SQL: 100,000 functions of four versions and two aliases each."""

from collections.abc import Mapping

from django.db import connection, transaction
from django.db.models import Max, Model

from functions_app.models import Alias, AliasStanding, BaseUse, Function, FunctionTag, Version
from tests.benchmarks.settled import settle

TIMES = 10
KEPT = (0, 7, 8, 9)  # the ordinals of the versions that each function has
OWN = {"name", "arn", "search_text"}  # columns of a function that its name is in


def multiply() -> None:
    """Keep four versions of each function, then copy all of them with what belongs to them, names alone made anew."""
    Version.objects.exclude(ordinal__in=KEPT).delete()
    highest = Function.objects.aggregate(highest=Max("pk"))["highest"]
    with transaction.atomic():
        for turn in range(1, TIMES):
            # invoice-orders-05001 becomes invoice-orders-105001
            name = f"substr(name, 1, length(name) - 5) || '{turn}' || substr(name, length(name) - 4)"
            _copy(Function, {each: f"replace({each}, name, {name})" for each in OWN}, turn, highest)
            _copy(Version, {}, turn, highest)
            _copy(Alias, {}, turn, highest)
            _copy(AliasStanding, {}, turn, highest)
            _copy(FunctionTag, {}, turn, highest)
            _copy(BaseUse, {"name": name}, turn, highest)
    settle()


def _copy(model: type[Model], anew: Mapping[str, str], turn: int, highest: int) -> None:
    """Copy the rows of the first functions. A function's copy has its key, so many times `highest` on."""
    key = "id" if model is Function else "function_id"
    columns = [str(field.column) for field in model._meta.concrete_fields if model is Function or not field.primary_key]
    values = [f"{key} + {turn * highest}" if column == key else anew.get(column, column) for column in columns]
    table = model._meta.db_table
    with connection.cursor() as cursor:
        # Names of tables and columns come from the model, numbers from here.
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608
            f"SELECT {', '.join(values)} FROM {table} WHERE {key} <= {highest}"
        )
