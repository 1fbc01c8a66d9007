"""A page of rows that people have, of which there may be more than a page shows."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet

Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)
PAGE = 50


@dataclass(frozen=True)
class PageOf(Generic[Row]):
    """One page of so many; `total` counts the rows of all."""

    rows: tuple[Row, ...]
    total: int
    number: int
    last: int


def page_of(found: QuerySet[Stored], number: int) -> PageOf[Stored]:
    """The page of this number, the nearest where there is none. Two queries."""
    paginator = Paginator(found, PAGE)
    current = paginator.get_page(number)
    return PageOf(tuple(current), paginator.count, current.number, paginator.num_pages)
