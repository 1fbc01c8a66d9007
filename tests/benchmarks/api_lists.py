"""Every list of the API over 10,000 functions, in process: time and queries."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.api.every_endpoint import ENDPOINTS, MAY, served
from tests.benchmarks import bots
from tests.benchmarks.figures import mark, table

LIST_MS, LIST_QUERIES = 50.0, 6
EVENTS = 20_000


@dataclass(frozen=True)
class Listed:
    """A list: what it is of, where it is, and whether operators are shown it; else administrators are."""

    name: str
    path: str
    operators: bool = True


def report() -> None:
    """Ask for each many times, print."""
    from django.db import connection
    from django.test import Client

    from functions_app.models import Function
    from tests.benchmarks import people
    from tests.benchmarks.pages import TURNS, measure, shown

    things = {thing: heaviest() for thing, heaviest in HEAVIEST.items()}
    people.logged_run(Function.objects.get(pk=things["function"]))
    fill_events()
    found = [*lists(things), *ways()]
    tokens = {
        operators: iter(bots.make_tokens(len(found), administrators=not operators)) for operators in (True, False)
    }
    lines = []
    for each in found:  # a token each: none is shown too often
        lines += measure({each.name: each.path}, Client(headers=bots.header(next(tokens[each.operators]))))
    worst, most = max(line[2] for line in lines), max(line[3] for line in lines)
    print(f"## The API's lists, {connection.vendor}\n")
    print(
        f"In process, through the whole middleware, {TURNS} times each, the token's queries among them. "
        f"Worst p95 {worst:.1f} ms (promised: under {LIST_MS:.0f}{mark(worst < LIST_MS)}), "
        f"most queries {most} (promised: at most {LIST_QUERIES}{mark(most <= LIST_QUERIES)}).\n"
    )
    print(table(["list", "p50 ms", "p95 ms", "queries"], shown(lines)), "\n")


def lists(things: Mapping[str, int]) -> list[Listed]:
    """Every list that there is, of these things."""
    found = []
    for (method, name), path in served().items():
        line = ENDPOINTS[method, name]
        if method == "GET" and name.startswith("list_"):
            where = re.sub(r"\{\w+\}", str(things[line.thing]) if line.thing else "", path)
            found.append(Listed(name.removeprefix("list_"), where, "operator" in MAY[line.who]))
    return found


def ways() -> list[Listed]:
    """The list of functions in some ways."""
    from functions_app.api.functions import Filters
    from functions_app.api.shapes import cursor_of

    where = served()["GET", "list_functions"]
    last = cursor_of(200, {"of": where, **Filters().chosen()})  # type: ignore[call-arg]
    queries = {
        "last page": f"cursor={last}",
        "stale": "freshness=stale",
        "a word": "search=invoice",
        "by name": "sort=name",
    }
    return [Listed(f"functions, {way}", f"{where}?{query}") for way, query in queries.items()]


def _function() -> int:
    from functions_app.models import Function

    return Function.objects.get(name__endswith="-05001").pk


def _repository() -> int:
    from functions_app.models import Repository

    return Repository.objects.get(name="team-0/service-0").pk


def _image() -> int:
    from django.db.models import Count

    from functions_app.models import Image

    used = Image.objects.annotate(used=Count("versions")).order_by("-used", "pk").values_list("pk", flat=True)
    return used[0]


def _stream() -> int:
    from functions_app.models import BaseStream
    from tests.benchmarks.release_rows import LAMBDA

    return BaseStream.objects.get(name=LAMBDA[0]).pk


HEAVIEST: Mapping[str, Callable[[], int]] = {
    "function": _function,
    "image": _image,
    "repository": _repository,
    "stream": _stream,
}


def fill_events() -> None:
    """What happened in a week."""
    from functions_app import clock
    from functions_app.domain.events import EventKind
    from functions_app.models import Event

    now = clock.now()
    Event.objects.bulk_create(
        (
            Event(
                number=number, at=now, kind=EventKind.RUN_ENDED, text=f"Run {number} succeeded: Sync", run_number=number
            )
            for number in range(1, EVENTS + 1)
        ),
        batch_size=1_000,
    )
