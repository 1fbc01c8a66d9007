"""A page of the functions list is the same whichever way its functions are found: as by reading every function."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest
from django.db import connection
from django.db.models import Q

from functions_app import clock
from functions_app.models import Account, AliasStanding, Function, FunctionSearch, FunctionTag
from functions_app.services.inventory.fleet import function_list, page_keys
from functions_app.services.inventory.fleet.function_list import functions, keys_of
from functions_app.services.inventory.fleet.list_filter import FleetFilter
from functions_app.services.snapshot.alias_standings import refresh_standings
from functions_app.services.snapshot.function_tags import refresh_tags
from tests.factories import chip, make_account, make_function, today

pytestmark = pytest.mark.django_db
SIZE = 7
NEVER = 10**9
WAYS = {"sorted": (NEVER, NEVER), "asked": (0, 0), "known": (0, NEVER)}  # FEW, MANY
ORDERS = (("problem", False), ("problem", True), ("behind", False), ("name", True))
DEV = ("stage=dev",)
NOBODYS = FleetFilter(tag=("stage=none",))
FILTERS = (
    FleetFilter(tag=DEV),
    FleetFilter(tag=DEV, freshness=("stale",)),
    FleetFilter(tag=(*DEV, "team=red")),
    FleetFilter(tag=(*DEV, "team=red", "of=all", "in=all")),
    FleetFilter(tag=DEV, search="f0"),
    FleetFilter(tag=DEV, search="f01"),
    FleetFilter(tag=DEV, tool=("terraform",)),
    FleetFilter(tag=DEV, runtime=("python3.12",)),
    FleetFilter(tag=DEV, needs="moved"),
    FleetFilter(tag=DEV, overdue=(False,)),
    FleetFilter(tag=("team=red",), alias="live"),
    FleetFilter(tag=DEV, alias="canary", freshness=("current",)),
    FleetFilter(alias="live"),
    FleetFilter(alias="live", freshness=("stale",)),
    FleetFilter(alias="live", runtime=("python3.12",)),
    FleetFilter(alias="canary", search="f01"),
    FleetFilter(alias="canary", owner=("one",)),
    FleetFilter(alias="canary", needs="moved"),
    FleetFilter(alias="live", overdue=(True,)),
    FleetFilter(freshness=("stale",)),
    FleetFilter(),
    NOBODYS,
)


@pytest.fixture
def fleet() -> Sequence[Function]:
    """Sixty functions in two accounts, whose tags, aliases and the rest don't go together; one of them is gone."""
    accounts, made = (make_account("first"), make_account("second")), []
    for number in range(60):
        name, freshness = f"f{number * 37 % 60:03}", ("stale", "current", "unknown")[number % 3]
        runtime, late = ("python3.12", "nodejs22.x")[number // 2 % 2], number % 2 == 1
        live = chip("live", freshness) | {"runtime": runtime} | ({"overdue_on": str(today(-1))} if late else {})
        made.append(
            make_function(
                accounts[number // 5 % 2],
                name,
                problem_rank=number * 7 % 5,
                days_behind=number * 11 % 6,
                freshness=freshness,
                owner=("one", "two")[number % 2],
                managed_by=("terraform", "sam")[number // 3 % 2],
                drifted=number % 4 > 0,
                alias_chips=[live] * (number % 7 > 0) + [chip("canary", ("stale", "current")[number % 2])],
                tags={
                    "stage": "dev" if number % 4 else "live",
                    "team": "red" if number % 5 else "blue",
                    "of": "all",
                    "in": "all",
                },
                search_text=name,
                runtime=runtime,
                overdue_on=today(-1) if late else None,
            )
        )
    made[9].gone_at = clock.now()
    made[9].save()
    refresh_standings(made)
    refresh_tags(made)
    if connection.vendor == "postgresql":
        # Its autovacuum may have counted these tables between two tests, when they were empty: four tags would then be
        # looked for by reading all of them for each of the others.
        with connection.cursor() as cursor:
            for model in (Function, FunctionSearch, FunctionTag, AliasStanding):
                cursor.execute(f"ANALYZE {model._meta.db_table}")
    return made


def expected(fleet: Sequence[Function], wanted: FleetFilter, within: Account | None = None) -> list[int]:
    """The keys that the filter leaves, in its order, by reading every function."""

    def left(function: Function) -> bool:
        tags = {f"{key}={value}" for key, value in function.tags.items()}
        chips = {each["name"]: each for each in function.alias_chips}
        if function.gone_at or (wanted.alias and wanted.alias not in chips):
            return False
        if wanted.alias:
            stands = chips[wanted.alias]
            freshness, runtime, late = stands["freshness"], stands.get("runtime"), "overdue_on" in stands
        else:
            freshness, runtime, late = function.freshness, function.runtime, function.overdue_on is not None
        return (
            tags.issuperset(wanted.tag)
            and wanted.search in function.name
            and (not wanted.freshness or freshness in wanted.freshness)
            and (not wanted.runtime or runtime in wanted.runtime)
            and (not wanted.overdue or late in wanted.overdue)
            and (not wanted.owner or function.owner in wanted.owner)
            and (not wanted.tool or function.managed_by in wanted.tool)
            and (not wanted.needs or function.drifted)
            and (within is None or function.account == within)
        )

    def place(function: Function) -> tuple[int, str]:
        first = {"problem": -function.problem_rank, "name": 0, "behind": -function.days_behind}[wanted.order]
        return first, function.name

    found = [function.pk for function in sorted(filter(left, fleet), key=place)]
    return found[::-1] if wanted.reverse else found


@pytest.fixture(params=WAYS)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are found, this way is taken; pages are short."""
    few, many = WAYS[request.param]
    for name, value in (("FEW", few), ("MANY", many), ("TAG_EARLY", 0), ("ALIAS_EARLY", 0)):
        monkeypatch.setattr(page_keys, name, value)
    monkeypatch.setattr(function_list, "PAGE_SIZE", SIZE)


def assert_listed(fleet: Sequence[Function], wanted: FleetFilter, within: Account | None = None) -> None:
    """All pages, one past the end among them, have what is expected."""
    every, only = expected(fleet, wanted, within), Q(account=within) if within else None
    last = max(1, -(-len(every) // SIZE))
    pages = [functions(replace(wanted, page=number), today(), only) for number in range(1, last + 1)]
    assert [row.pk for page in pages for row in page.rows] == every, wanted
    assert {page.total for page in pages} == {len(every)}, wanted
    assert functions(replace(wanted, page=last + 1), today(), only).rows == pages[-1].rows, wanted
    assert list(keys_of(wanted, today(), only)) == every, wanted


@pytest.mark.usefixtures("_way")
def test_every_page_has_its_functions_in_their_order(fleet: Sequence[Function]) -> None:
    for each, (order, reverse) in product(FILTERS, ORDERS):
        assert_listed(fleet, replace(each, order=order, reverse=reverse))


@pytest.mark.usefixtures("_way")
def test_no_page_has_a_function_beyond_what_it_is_within(fleet: Sequence[Function]) -> None:
    for each in FILTERS:
        assert_listed(fleet, each, fleet[0].account)


def test_each_filter_but_that_of_a_tag_nobody_has_leaves_several_pages(fleet: Sequence[Function]) -> None:
    assert FunctionTag.objects.count() == 4 * (len(fleet) - 1)
    short = [each for each in FILTERS if len(expected(fleet, each)) <= SIZE]
    assert short == [NOBODYS], [(each, len(expected(fleet, each))) for each in short]
