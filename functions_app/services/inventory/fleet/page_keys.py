"""Which functions are on a page of the list, found in the way that is soonest done by what was counted.

Functions of an alias or a tag are found by other rows than those that their order is in. So either each function is
asked when its order comes to it, or those that are wanted are found first: to be sorted where they are few, or to be
known again on the way.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import BooleanField, Case, QuerySet, Value, When

from functions_app.models import Function
from functions_app.services.inventory.fleet.list_filter import FleetFilter
from functions_app.services.inventory.fleet.narrowing import after_facets, functions_of, left_by_facets
from functions_app.services.inventory.fleet.tagged import tagged

FEW = 1_500  # functions that are sooner sorted than met on the way
MANY = 4_000  # fewer may all be far down the order: they are found first, whatever the page
# Up to a page that ends at one in so many of what is found, asking is sooner done than finding all first. A tag is of
# few functions: for each that has it, many that don't are asked.
TAG_EARLY, ALIAS_EARLY = 16, 4
ORDERS: dict[str, tuple[str, ...]] = {
    "problem": ("-problem_rank", "name", "pk"),
    "name": ("name", "pk"),
    "changed": ("-last_modified", "pk"),
    "behind": ("-days_behind", "name", "pk"),
}


@dataclass(frozen=True)
class Cut:
    """A page: `count` functions from `start` on, of `total`."""

    start: int
    count: int
    total: int

    @property
    def from_end(self) -> int:
        """How many come behind it."""
        return self.total - self.start - self.count

    @property
    def reached(self) -> int:
        """How many come before its end, from the nearer end of the order."""
        return min(self.start, self.from_end) + self.count


def order_of(wanted: FleetFilter, *, walked: bool = False) -> tuple[str, ...]:
    """The wanted order; `walked`: as the indexes of Function have it.

    Those begin with `gone_at`: PostgreSQL finds no order behind a column that is null, and would sort all.
    """
    order = ("gone_at", *ORDERS[wanted.order]) if walked else ORDERS[wanted.order]
    return _backwards(order) if wanted.reverse else order


def is_walked(found: QuerySet[Any], wanted: FleetFilter) -> bool:
    """Whether the order of these is walked along, as there is nothing to ask elsewhere about each."""
    return found.model is Function and not (wanted.alias or wanted.tag)


def page_keys(
    wanted: FleetFilter, limited: QuerySet[Any], counted: QuerySet[Any], today: date, cut: Cut
) -> QuerySet[Any]:
    """The keys of a page's functions, of those `limited` before facets; `counted` are the rows that stand for them."""
    listed, walked = _listed(wanted, limited, counted, today, cut)
    order = order_of(wanted, walked=walked)
    # A page of the second half is found from the end, so that the last costs no more than the first.
    way, skipped = (order, cut.start) if cut.start <= cut.from_end else (_backwards(order), cut.from_end)
    return listed.order_by(*way).values("pk")[skipped : skipped + cut.count]


def _listed(
    wanted: FleetFilter, limited: QuerySet[Any], counted: QuerySet[Any], today: date, cut: Cut
) -> tuple[QuerySet[Any], bool]:
    """The functions that a page is cut from, and whether its order is walked along."""
    if not wanted.tag and (wanted.search or not wanted.alias):
        return _left(wanted, limited, today), is_walked(limited, wanted)
    first = functions_of(left_by_facets(wanted, counted, today))
    if cut.total <= FEW:
        # Limited, or PostgreSQL, which takes two tags for chance, would look for them all along the order.
        return Function.objects.filter(pk__in=first[: cut.total], gone_at=None), False
    if cut.total > MANY and cut.reached * (TAG_EARLY if wanted.tag else ALIAS_EARLY) <= cut.total:
        return _left(wanted, limited, today), False
    return _known(first), True


def _left(wanted: FleetFilter, limited: QuerySet[Any], today: date) -> QuerySet[Any]:
    """Those that the facets leave, each asked when its order comes to it."""
    return after_facets(wanted, tagged(limited, wanted.tag, on_the_way=True), today)


def _known(keys: QuerySet[Any]) -> QuerySet[Function]:
    """Those with these keys. As a case, or PostgreSQL would join the keys, and sort what comes of it."""
    known = Case(When(pk__in=keys, then=Value(True)), default=Value(False), output_field=BooleanField())
    return Function.objects.filter(known, gone_at=None)


def _backwards(order: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)
