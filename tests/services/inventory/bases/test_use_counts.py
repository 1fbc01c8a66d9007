"""Who runs a base, page by page as the database cuts it: each once, the worst first, whichever end it is found from."""

from collections import Counter
from collections.abc import Collection
from datetime import date
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from functions_app.models import Account, BaseRelease, BaseStream, BaseUse
from functions_app.services.inventory.bases.use_counts import (
    CURRENT,
    OLDER,
    OVERDUE,
    UNKNOWN,
    Asked,
    OnRelease,
    Slice,
    UseCounts,
    Way,
    count_uses,
    list_uses,
    use_keys,
    uses_of,
)
from tests.factories import make_account, make_function, make_release, make_stream, today

pytestmark = pytest.mark.django_db
EVERYTHING = Asked()


class Used:
    """A stream with an old and a current release, and eleven functions of two accounts on these and on unknown ones."""

    def __init__(self) -> None:
        self.accounts = make_account(), make_account()
        self.stream: BaseStream = make_stream("python:3.12")
        self.old: BaseRelease = make_release(self.stream, "old", days_old=9)
        self.new: BaseRelease = make_release(self.stream, "new", current=True)
        for number in range(11):
            self._add(number, self.accounts[number % 2], (self.old, self.new, None)[number % 3])

    def _add(self, number: int, account: Account, release: BaseRelease | None) -> None:
        function = make_function(account, f"f-{number % 4}-{number:02d}")
        for alias, version in (("live", "2"), ("canary", "2"), ("old", "1")):
            BaseUse.objects.create(
                stream=self.stream, release=release, nearest=release, function=function, account=account,
                name=function.name, region="eu-west-1", alias=alias, version=version,
                overdue_on=today(-1) if number % 4 == 1 and alias == "canary" else None,
            )  # fmt: skip

    def ways(self, asked: Asked, current: Collection[int], day: date | None) -> list[Way]:
        """What is asked for, as it has to be listed."""
        found: dict[tuple[int, str], Way] = {}
        for use in BaseUse.objects.order_by("alias"):
            if asked.account not in (None, use.account_id) or asked.release not in (None, use.release_id or 0):
                continue
            late = day is not None and use.overdue_on is not None and use.overdue_on <= day
            older = UNKNOWN if use.release_id is None else OLDER
            rank = CURRENT if day is None or use.release_id in current else OVERDUE if late else older
            facts = use.function_id, use.name, use.account_id, use.region, use.owner, use.version
            way = Way(*facts, use.release_id, use.nearest_id, rank, (use.alias,))
            if before := found.get((use.function_id, use.version)):
                way = way._replace(rank=max(rank, before.rank), aliases=(*before.aliases, use.alias))
            found[use.function_id, use.version] = way
        return sorted(found.values(), key=lambda way: (-way.rank, way.name, way.function_id, way.version))


@pytest.fixture
def used() -> Used:
    return Used()


def counted(used: Used, current: Collection[int], *, over: bool = False) -> UseCounts:
    return count_uses(used.stream.pk, current, today(), over=over)


@pytest.mark.parametrize("size", [1, 3, 5, 50])
@pytest.mark.parametrize("state", ["one release is current", "none is current", "at its end of life"])
@pytest.mark.parametrize("narrowed", ["", "old", "new", "unknown", "account"])
def test_pages_follow_each_other_without_a_gap_from_either_end(
    used: Used, size: int, state: str, narrowed: str
) -> None:
    current = [] if state == "none is current" else [used.new.pk]
    day = None if state == "at its end of life" else today()
    asked = {
        "": EVERYTHING,
        "old": Asked(used.old.pk),
        "new": Asked(used.new.pk),
        "unknown": Asked(0),
        "account": Asked(account=used.accounts[1].pk),
    }[narrowed]
    expected = used.ways(asked, current, day)
    ranks = counted(used, current, over=day is None).ranks(asked, current)
    assert +Counter(ranks) == Counter(way.rank for way in expected)
    pages = [Slice(asked, start, size, ranks) for start in range(0, len(expected), size)]
    found = list_uses(used.stream.pk, current, day, pages)
    assert [way for page in found for way in page] == expected
    assert {len(page) for page in found[:-1]} <= {size}
    assert use_keys(used.stream.pk, current, day, asked) == [(way.function_id, way.version) for way in expected]
    functions = sorted({way.function_id for way in expected})
    some = uses_of(functions, used.stream.pk, current, day, asked)
    assert sorted(some, key=expected.index) == expected


def test_what_is_counted_says_how_many_functions_versions_and_aliases_are_on_each_release(used: Used) -> None:
    counts = counted(used, [used.new.pk])
    first, second = used.accounts
    assert sum(each.aliases for each in counts.functions) == counts.aliases_on.total() == 33
    assert sorted(counts.among(Asked(0))) == [
        OnRelease(first.pk, None, functions=2, versions=4, late=0, aliases=6),
        OnRelease(second.pk, None, functions=1, versions=2, late=1, aliases=3),
    ]
    assert counts.older == counts.older_among(EVERYTHING, [used.new.pk]) == 7
    assert counts.older_among(Asked(account=second.pk), [used.new.pk]) == 3
    assert counts.older_among(Asked(used.old.pk), [used.new.pk]) == 4
    assert counts.older_among(Asked(used.new.pk), [used.new.pk]) == 0


def test_nothing_is_asked_where_nobody_is_listed() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert list_uses(1, [2], today(), [Slice(EVERYTHING, 0, 50, {})]) == [[]]
    assert not captured


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL looks through tables as small as a test's")
def test_a_database_that_has_not_counted_its_indexes_reads_users_in_the_order_of_one_and_sorts_none() -> None:
    ranks = {OVERDUE: 40, OLDER: 40, UNKNOWN: 40, CURRENT: 40}
    with CaptureQueriesContext(connection) as captured:
        count_uses(1, [2], today(), over=False)
        list_uses(1, [2], today(), [Slice(EVERYTHING, 0, 50, ranks), Slice(EVERYTHING, 70, 90, ranks)])
        list_uses(1, [2], today(), [Slice(Asked(3), 0, 60, ranks), Slice(Asked(0), 100, 9, ranks)])
    counting, *listing = [_plan(query["sql"]) for query in captured]
    for plan in (counting, *listing):
        uses = [line for line in plan if "functions_app_baseuse" in line or "SEARCH uses" in line]
        assert uses
        assert all("COVERING INDEX base_uses_by_" in line for line in uses)
    after = [then for plan in listing for line, then in pairwise(plan) if "functions_app_baseuse" in line]
    assert len(after) >= 5
    assert not any("TEMP B-TREE" in line for line in after)


def _plan(statement: str) -> list[str]:
    with connection.cursor() as cursor:
        return [str(row[3]) for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()]
