"""What the overview can't judge: what was not read or not reached, what is unknown, and stale without a policy.

Six queries, each of an index that holds only such rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Window

from functions_app.domain.causes import Cause, by_cause
from functions_app.domain.errors import Problem
from functions_app.models import BaseStream, Function, Image, LifecycleForecast, Repository

MOST = 200  # rows of a kind whose causes are grouped: whatever there are more of has one of these
NAMED = 5


@dataclass(frozen=True)
class Lines:
    """Functions of one kind: how many, and the first few (key, name, account, why)."""

    count: int
    named: tuple[tuple[int, str, int, str], ...] = ()


@dataclass(frozen=True)
class Failing:
    """Things that could not be read: how many, and why."""

    count: int
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class Unread:
    """What could not be read, or judged."""

    functions: Lines  # not read, or not in all parts
    unruled: Lines  # stale, and no policy says for how long
    repositories: Failing  # whose images could not be listed
    images: Failing  # whose manifest or config could not be read
    streams: Failing
    forecasts: Failing


def unread(account_id: int | None = None) -> Unread:
    """Read it, of one account or of all; base streams are everybody's."""
    there = Function.objects.filter(gone_at=None)
    repositories = Repository.objects.filter(gone_at=None, images_problem__isnull=False)
    images = Image.objects.filter(inspected_at=None, gone_at=None, inspect_problem__isnull=False)
    forecasts = LifecycleForecast.objects.filter(repository__gone_at=None, problem__isnull=False)
    if account_id is not None:
        there, repositories = there.filter(account=account_id), repositories.filter(account=account_id)
        images = images.filter(repository__account=account_id)
        forecasts = forecasts.filter(repository__account=account_id)
    return Unread(
        functions=_lines(there.filter(partly_read=True)),
        unruled=_lines(there.filter(unruled=True)),
        repositories=_failing(repositories.order_by("name", "pk"), "name", "images_problem"),
        images=_failing(images.order_by("repository", "pk"), "repository__name", "inspect_problem"),
        streams=_failing(BaseStream.objects.filter(enabled=True, problem__isnull=False), "name", "problem"),
        forecasts=_failing(forecasts.order_by("pk"), "repository__name", "problem"),
    )


def _lines(found: QuerySet[Function]) -> Lines:
    """The first few, and how many there are: counted by the index alone, and only where there are more."""
    rows = found.order_by("account", "name", "pk").values_list("pk", "name", "account_id", "problem")
    first = tuple(rows[:NAMED])
    return Lines(found.count() if len(first) == NAMED else len(first), first) if first else NONE


NONE = Lines(0)


def _failing(found: QuerySet[Any], name: str, problem: str) -> Failing:
    rows = list(found.annotate(every=Window(Count("pk"))).values_list("every", name, problem)[:MOST])
    return Failing(rows[0][0], by_cause(_read(rows))) if rows else Failing(0)


def _read(rows: Iterable[tuple[int, str, dict[str, Any]]]) -> Iterable[tuple[str, Problem]]:
    return ((name, Problem.from_json(problem)) for _, name, problem in rows)
