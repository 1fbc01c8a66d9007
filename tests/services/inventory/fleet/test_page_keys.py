"""A page of the functions list is the same whichever way its functions are found: as by reading every function."""

from collections.abc import Sequence
from itertools import product

import pytest

from functions_app import clock
from functions_app.models import Function, FunctionTag
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
FILTERS = (
    FleetFilter(tag=("stage=dev",)),
    FleetFilter(tag=("stage=dev",), freshness=("stale",)),
    FleetFilter(tag=("stage=dev", "team=red")),
    FleetFilter(alias="live"),
    FleetFilter(alias="live", freshness=("stale",)),
    FleetFilter(alias="canary", owner=("one",)),
    FleetFilter(alias="live", search="f01"),
    FleetFilter(tag=("team=red",), alias="live"),
    FleetFilter(tag=("stage=dev",), alias="canary", freshness=("current",)),
    FleetFilter(tag=("stage=dev",), search="f0"),
    FleetFilter(tag=("stage=none",)),
    FleetFilter(freshness=("stale",)),
    FleetFilter(),
)


@pytest.fixture
def fleet() -> Sequence[Function]:
    """Fifty functions of three tags, two aliases and two owners, none of which go together, and one that is gone."""
    account = make_account()
    made = []
    for number in range(50):
        fresh = ("stale", "current", "unknown")
        aliases = [chip("live", fresh[number % 3])] * (number % 7 > 0) + [chip("canary", fresh[number % 2])]
        made.append(
            make_function(
                account,
                f"f{number * 37 % 50:03}",
                problem_rank=number * 7 % 5,
                days_behind=number * 11 % 6,
                freshness=fresh[number % 3],
                owner=("one", "two")[number % 2],
                alias_chips=aliases,
                tags={"stage": "dev" if number % 4 else "live", "team": "red" if number % 5 else "blue"},
                search_text=f"f{number * 37 % 50:03}",
            )
        )
    made[8].gone_at = clock.now()
    made[8].save()
    refresh_standings(made)
    refresh_tags(made)
    return made


def expected(fleet: Sequence[Function], wanted: FleetFilter) -> list[int]:
    """The keys that the filter leaves, in its order, by reading every function."""

    def left(function: Function) -> bool:
        tags = {f"{key}={value}" for key, value in function.tags.items()}
        chips = {each["name"]: each["freshness"] for each in function.alias_chips}
        freshness = chips.get(wanted.alias) if wanted.alias else function.freshness
        return (
            function.gone_at is None
            and tags.issuperset(wanted.tag)
            and (not wanted.alias or wanted.alias in chips)
            and (not wanted.freshness or freshness in wanted.freshness)
            and (not wanted.owner or function.owner in wanted.owner)
            and wanted.search in function.name
        )

    def place(function: Function) -> tuple[int, str]:
        first = {"problem": -function.problem_rank, "name": 0, "behind": -function.days_behind}[wanted.order]
        return first, function.name

    found = [function.pk for function in sorted(filter(left, fleet), key=place)]
    return found[::-1] if wanted.reverse else found


@pytest.mark.parametrize("way", WAYS)
def test_every_page_has_its_functions_in_their_order(
    fleet: Sequence[Function], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    few, many = WAYS[way]
    for name, value in (("FEW", few), ("MANY", many), ("TAG_EARLY", 0), ("ALIAS_EARLY", 0)):
        monkeypatch.setattr(page_keys, name, value)
    monkeypatch.setattr(function_list, "PAGE_SIZE", SIZE)
    orders = (("problem", False), ("problem", True), ("behind", False), ("name", True))
    for each, (order, reverse) in product(FILTERS, orders):
        wanted = FleetFilter(**{**vars(each), "order": order, "reverse": reverse})
        every = expected(fleet, wanted)
        pages = [
            functions(FleetFilter(**{**vars(wanted), "page": number}), today())
            for number in range(1, -(-len(every) // SIZE) + 1)
        ]
        assert [row.pk for page in pages for row in page.rows] == every, wanted
        assert {page.total for page in pages} <= {len(every)}
        assert list(keys_of(wanted, today())) == every, wanted


def test_each_filter_but_that_of_a_tag_nobody_has_leaves_several_pages(fleet: Sequence[Function]) -> None:
    assert FunctionTag.objects.count() == 2 * (len(fleet) - 1)
    assert [each.tag for each in FILTERS if len(expected(fleet, each)) <= SIZE] == [("stage=none",)]
