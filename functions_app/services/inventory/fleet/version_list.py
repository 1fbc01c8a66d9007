"""The versions of a function as the API lists them: of what its page shows only what a line has, in three queries."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, Q, QuerySet, Value, When

from functions_app.domain.fleet.functions import LATEST
from functions_app.models import Version
from functions_app.services.inventory.fleet.function import PAGE_SIZE, WITH_IMAGES, VersionRow, described

NEWEST = (Case(When(number=LATEST, then=Value(0)), default=Value(1)), "-ordinal")  # $LATEST before them


@dataclass(frozen=True)
class VersionList:
    """A page of published versions, newest first ($LATEST leads the first one); `total` of those published."""

    rows: tuple[VersionRow, ...]
    total: int
    page: int
    pages: int


def version_list(function: int, page: int = 1) -> VersionList:
    """A page of them. Three queries."""
    published = Version.objects.filter(function_id=function).exclude(number=LATEST)
    total = published.count()
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, page), pages)
    here = published.order_by("-ordinal").values("pk")[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    wanted = Q(pk__in=here) | (Q(number=LATEST) if page == 1 else Q(pk__in=()))
    # Its function is named once for both: else PostgreSQL looks at every version there is.
    rows = described(list(WITH_IMAGES.filter(wanted, function_id=function).order_by(*NEWEST)))
    return VersionList(tuple(rows), total, page, pages)


def version_keys(function: int) -> QuerySet[Version, int]:
    """The keys of all versions of a function, in that order."""
    return Version.objects.filter(function_id=function).order_by(*NEWEST).values_list("pk", flat=True)


def version_rows(keys: Sequence[int]) -> list[VersionRow]:
    """These versions, in that order. Two queries."""
    return described(list(WITH_IMAGES.filter(pk__in=keys).order_by(*NEWEST)))
