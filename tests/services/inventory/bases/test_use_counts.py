"""Who runs a base, page by page as the database cuts it: each once, the worst first, whichever end it is found from."""

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from functions_app.models import BaseUse
from functions_app.services.inventory.bases.use_counts import (
    Asked,
    OnRelease,
    Slice,
    count_uses,
    list_uses,
    use_keys,
    uses_of,
)
from tests.factories import make_account, make_function, make_release, make_stream, today

pytestmark = pytest.mark.django_db
EVERYTHING, BOTH = Asked(), {3: 40, 2: 40}


def test_pages_follow_each_other_without_a_gap_from_either_end() -> None:
    account, stream = make_account(), make_stream("python:3.12")
    old, new = make_release(stream, "old", days_old=9), make_release(stream, "new", current=True)
    for number in range(11):
        function = make_function(account, f"f-{number % 4}-{number:02d}")
        for alias, version in (("live", "2"), ("canary", "2"), ("old", "1")):
            BaseUse.objects.create(
                stream=stream, release=(old, new, None)[number % 3], nearest=(old, new, None)[number % 3],
                function=function, account=account, name=function.name, region="eu-west-1", alias=alias,
                version=version, overdue_on=today(-1) if number % 2 and alias == "canary" else None,
            )  # fmt: skip
    counts = count_uses(stream.pk, [new.pk], today(), over=False)
    total = sum(each.versions for each in counts.among(EVERYTHING))
    assert total == 22
    ranks = counts.ranks(EVERYTHING, [new.pk])
    pages = [Slice(EVERYTHING, start, 5, ranks) for start in range(0, total, 5)]
    (every,) = list_uses(stream.pk, [new.pk], today(), [Slice(EVERYTHING, 0, total, ranks)])
    found = list_uses(stream.pk, [new.pk], today(), pages)
    assert [len(page) for page in found] == [5, 5, 5, 5, 2]
    assert [way for page in found for way in page] == every
    assert every == sorted(every, key=lambda way: (-way.rank, way.name, way.function_id, way.version))
    assert {way.aliases for way in every} == {("canary", "live"), ("old",)}
    assert sum(each.aliases for each in counts.functions) == counts.aliases_on.total() == 33
    assert Counter(way.rank for way in every) == ranks
    unknown = Asked(0, account.pk)
    (found_unknown,) = list_uses(stream.pk, [new.pk], today(), [Slice(unknown, 0, 6, counts.ranks(unknown, [new.pk]))])
    assert {way.release_id for way in found_unknown} == {None}
    assert counts.among(Asked(0)) == (OnRelease(account.pk, None, functions=3, versions=6, late=1, aliases=9),)
    assert counts.older == counts.older_among(Asked(account=account.pk), [new.pk]) == 7
    assert (counts.older_among(Asked(old.pk), [new.pk]), counts.older_among(Asked(new.pk), [new.pk])) == (4, 0)
    functions = sorted({way.function_id for way in every})
    some = uses_of(functions, stream.pk, [new.pk], today(), EVERYTHING)
    assert sorted(some, key=lambda way: (-way.rank, way.name, way.function_id, way.version)) == every
    assert use_keys(stream.pk, [new.pk], today(), EVERYTHING) == [(way.function_id, way.version) for way in every]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL looks through tables as small as a test's")
def test_a_database_that_has_not_counted_its_indexes_reads_users_in_the_order_of_one() -> None:
    with CaptureQueriesContext(connection) as captured:
        count_uses(1, [2], today(), over=False)
        list_uses(1, [2], today(), [Slice(EVERYTHING, 0, 50, BOTH), Slice(Asked(3), 0, 6, BOTH)])
    for query in captured:
        with connection.cursor() as cursor:
            plan = [str(row[3]) for row in cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}").fetchall()]
        uses = [line for line in plan if "functions_app_baseuse" in line or "SEARCH uses" in line]
        assert uses
        assert all("COVERING INDEX base_uses_by_" in line for line in uses)
