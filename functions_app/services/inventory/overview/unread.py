"""What the overview can't judge beside functions: what could not be listed, read, polled or forecast.

Nothing is asked of a kind of which none fails anywhere. Of each other two queries or three, the first of an index that
holds only such rows.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Min, QuerySet, TextField, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Left, StrIndex
from django.db.models.lookups import GreaterThan

from functions_app.domain.causes import Cause, as_told
from functions_app.domain.errors import Problem
from functions_app.models import BaseStream, Image, LifecycleForecast, Repository
from functions_app.services.inventory.overview.findings import Sources

CAUSES = 10  # of a kind that are told; how many things failed for others is told too
LOOKED_AT = 10_000  # things whose causes are counted: more would take the page its speed
MOST = 2_000  # rows of causes and names that are read: that many repositories, each with a cause of its own
Key = tuple[str, str, str]  # code, AWS's code, cause


@dataclass(frozen=True)
class Failing:
    """Things that could not be read: how many, why, and how many of them for causes that are not told."""

    count: int
    causes: tuple[Cause, ...] = ()
    others: int = 0


@dataclass(frozen=True)
class Unread:
    """What could not be read."""

    repositories: Failing  # whose images could not be listed
    images: Failing  # whose manifest or config could not be read
    streams: Failing
    forecasts: Failing


NOTHING = Failing(0)


def unread(failing: Sources, account_id: int | None = None) -> Unread:
    """Read it, of one account or of all; base streams are everybody's. `failing` tells of which kinds there is any."""
    repositories = Repository.objects.filter(gone_at=None, images_problem__isnull=False)
    images = Image.objects.filter(inspected_at=None, gone_at=None, inspect_problem__isnull=False)
    forecasts = LifecycleForecast.objects.filter(repository__gone_at=None, problem__isnull=False)
    streams = BaseStream.objects.filter(enabled=True, problem__isnull=False)
    if account_id is not None:
        repositories = repositories.filter(account=account_id)
        images = images.filter(repository__account=account_id)
        forecasts = forecasts.filter(repository__account=account_id)

    def told(any_fails: int, found: QuerySet[Any], *columns: str) -> Failing:
        return _failing(found, *columns) if any_fails else NOTHING

    return Unread(
        told(failing.repositories_failing, repositories.order_by("name", "pk"), "name", "images_problem"),
        # In the order of the index that holds them alone: by their keys SQLite would look through all images.
        told(failing.images_failing, images.order_by("repository_id", "pk"), "repository__name", "inspect_problem"),
        streams=told(failing.streams_failing, streams.order_by("pk"), "name", "problem"),
        forecasts=told(failing.forecasts_failing, forecasts.order_by("pk"), "repository__name", "problem"),
    )


def _failing(found: QuerySet[Any], name: str, problem: str) -> Failing:
    """Counted by the database, a row for each cause and name: of very many that fail, few differ in that.

    One query, and where there is any, one more for the problems as they were told; a third beyond MOST or LOOKED_AT.
    """
    message = KT(f"{problem}__message")
    end = StrIndex(message, Value(". "))
    # As Problem.cause: the first sentence.
    cause = Case(When(GreaterThan(end, 0), then=Left(message, end)), default=message, output_field=TextField())
    some = found.filter(pk__in=found.values("pk")[:LOOKED_AT])
    groups = some.order_by().values_list(KT(f"{problem}__code"), KT(f"{problem}__aws_code"), cause, name)
    rows = list(groups.annotate(first=Min("pk"), met=Count("pk")).order_by("-met", "first")[:MOST])
    if not rows:
        return NOTHING
    met, names, first = Counter[Key](), defaultdict[Key, list[str]](list), dict[Key, int]()
    for code, aws_code, text, of, pk, number in rows:
        key = code, aws_code, text
        met[key] += number
        names[key].append(of)
        first[key] = min(pk, first.get(key, pk))
    told = dict(found.model._default_manager.filter(pk__in=first.values()).values_list("pk", problem))
    there = [key for key, pk in first.items() if pk in told]
    causes = as_told(Cause(Problem.from_json(told[first[key]]), tuple(sorted(names[key])), met[key]) for key in there)
    total = found.count() if len(rows) == MOST or met.total() == LOOKED_AT else met.total()
    shown = causes[:CAUSES]
    return Failing(total, shown, total - sum(each.count for each in shown))
