"""The list of repositories: what each holds, and how much of it is in use or in danger."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Window

from functions_app.domain.errors import Problem
from functions_app.domain.images.tag_mutability import TagMutability
from functions_app.domain.pasted.reading import read
from functions_app.domain.pasted.things import ImageNamed
from functions_app.models import Repository, Scope
from functions_app.services.inventory.images.image_use import Sums, endangered, standing_in, sums_of
from functions_app.services.inventory.images.search import of_repository

PAGE_SIZE = 50


@dataclass(frozen=True)
class RepositoryRow:
    """One row of the list; the counts are of one rule (image_use)."""

    pk: int
    name: str
    account: str
    colour: str
    region: str
    sums: Sums
    in_use: int | None  # None: the functions of its account and region were not read yet
    endangered: int
    tags: TagMutability
    gone_at: datetime | None
    read_at: datetime | None  # its images
    problem: Problem | None


def repositories(
    search: str = "", page: int = 1, within: Q | None = None, *, brief: bool = False
) -> tuple[tuple[RepositoryRow, ...], int, int, int]:
    """One page of the list, how many there are, the page and the number of pages. Eight queries at most.

    `within`: what repositories must be beside; `brief`: without what has no tag, in six queries, seven past the end.
    """
    found, page = searched(search, within), max(1, page)
    rows = list(found.annotate(every=Window(Count("pk")))[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    total = rows[0].every if rows else found.count()
    pages = max(1, -(-total // PAGE_SIZE))
    if not rows:
        return repositories(search, pages, within, brief=brief) if total else ((), 0, 1, 1)
    return read_rows(rows, brief=brief), total, page, pages


def searched(search: str, within: Q | None = None) -> QuerySet[Repository]:
    """The repositories of these words, or that a pasted reference, ARN or address names, in the order of the list."""
    found = Repository.objects.filter(within or Q())
    named = [thing for thing in read(search) if isinstance(thing, ImageNamed)]
    for word in search.split()[:5]:
        wanted = Q(uri__icontains=word) | Q(account__name__icontains=word)
        for thing in named:
            wanted |= of_repository(thing)
        found = found.filter(wanted)
    synced = Scope.objects.filter(account=OuterRef("account"), region=OuterRef("region"), synced_at__isnull=False)
    ordered = found.order_by("gone_at", "name", "account__name", "region", "pk")
    return ordered.annotate(functions_read=Exists(synced)).select_related("account")


def read_rows(found: Iterable[Repository], *, brief: bool = False) -> tuple[RepositoryRow, ...]:
    """Some of what `searched` finds with their counts. Seven queries at most."""
    rows = list(found)
    if not rows:
        return ()
    keys = [row.pk for row in rows]
    sums, doomed = sums_of(keys, standing_in({row.uri for row in rows}), brief=brief), endangered(keys)
    return tuple(_row(row, sums, doomed) for row in rows)


def _row(row: Repository, sums: Mapping[int, Sums], doomed: Mapping[int, int]) -> RepositoryRow:
    held = sums.get(row.pk, Sums())
    return RepositoryRow(
        pk=row.pk,
        name=row.name,
        account=row.account.name,
        colour=row.account.colour,
        region=row.region,
        sums=held,
        in_use=held.in_use or (0 if row.functions_read else None),  # type: ignore[attr-defined]
        endangered=doomed.get(row.pk, 0),
        tags=TagMutability.from_stored(row.tag_mutability, row.tag_filters),
        gone_at=row.gone_at,
        read_at=row.images_synced_at,
        problem=Problem.from_json(row.images_problem) if row.images_problem else None,
    )
