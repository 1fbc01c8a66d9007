"""The API over 10,000 functions: its lists, pages while 200 bots wait, commands of 50 bots from chat."""

import http.client
import time
from concurrent.futures import ThreadPoolExecutor

import django

from tests.benchmarks import bots
from tests.benchmarks.figures import mark, percentile, table

LIST_MS, LIST_QUERIES = 50.0, 6
WAITING, PAIRS, CLIENTS, SECONDS = 200, 3, 2, 8.0
UNCHANGED = 1.15  # times the p95 without them: two runs without any differ by as much
CHATTING, EVERY, CHAT_SECONDS, CHAT_MS = 50, 2.0, 20.0, 150.0
COMMANDS = (
    "list invoice", "show invoice-orders-05001", "stale", "why invoice-orders-05001", "status", "runs", "help",
    "invoke invoice-orders-05001",
)  # fmt: skip
PATHS = ("/", "/functions/", "/functions/?search=invoice", "/bases/", "/repositories/", "/runs/")
EVENTS = 20_000


def main() -> None:
    """Fill, ask, print."""
    django.setup()
    from django.conf import settings

    from dashboard import broker
    from dashboard.garbage import spare_loaded
    from tests.benchmarks import people, rows
    from tests.benchmarks.web import serve

    settings.ALLOWED_HOSTS = ["testserver"]
    broker.ensure()
    rows.fill()
    cookie, run = people.session_cookie(), people.active_run()
    spare_loaded()  # as the web server does
    report_lists()
    tokens = bots.make_tokens(WAITING)
    with serve() as (_, port):
        report_waiting(port, cookie, run.pk, tokens)
        report_chat(bots.chat(port, tokens[:CHATTING], COMMANDS, EVERY, CHAT_SECONDS))


def report_lists() -> None:
    """Every list, in process: time and queries."""
    from django.db import connection
    from django.test import Client

    from tests.benchmarks.pages import TURNS, measure, shown

    addresses = list_addresses()
    lines = []
    for (name, path), token in zip(addresses.items(), bots.make_tokens(len(addresses)), strict=True):
        client = Client(headers={"Authorization": f"Bearer {token}"})  # a token each: none is shown too often
        lines += measure({name: path}, client)
    worst, most = max(line[2] for line in lines), max(line[3] for line in lines)
    print(f"## The API's lists, {connection.vendor}\n")
    print(
        f"In process, through the whole middleware, {TURNS} times each, the token's queries among them. "
        f"Worst p95 {worst:.1f} ms (promised: under {LIST_MS:.0f}{mark(worst < LIST_MS)}), "
        f"most queries {most} (promised: at most {LIST_QUERIES}{mark(most <= LIST_QUERIES)}).\n"
    )
    print(table(["list", "p50 ms", "p95 ms", "queries"], shown(lines)), "\n")


def list_addresses() -> dict[str, str]:
    """Every list that there is, of the heaviest thing there is, and the list of functions in some ways."""
    from functions_app.api.functions import Filters
    from functions_app.api.shapes import cursor_of
    from functions_app.models import Function, Repository
    from tests.api.every_endpoint import ENDPOINTS, served
    from tests.benchmarks import people

    function = Function.objects.get(name__endswith="-05001")
    repository = Repository.objects.get(name="team-0/service-0")
    people.logged_run(function)
    fill_events()
    things = {"": "", "function": str(function.pk), "repository": str(repository.pk)}
    found = {}
    for (method, name), path in served().items():
        if method == "GET" and name.startswith("list_") and name != "list_people":  # administrators'
            thing = things[ENDPOINTS[method, name].thing]
            found[name.removeprefix("list_")] = (
                path.replace(path[path.find("{") : path.find("}") + 1], thing) if thing else path
            )
    functions = found["functions"]
    last = cursor_of(200, Filters().dict(exclude={"cursor"}))  # type: ignore[call-arg]
    ways = {
        "last page": f"cursor={last}",
        "stale": "freshness=stale",
        "a word": "search=invoice",
        "by name": "sort=name",
    }
    return found | {f"functions, {way}": f"{functions}?{query}" for way, query in ways.items()}


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


def page_delays(port: int, cookie: str) -> list[float]:
    """What a few clients wait for pages, as fast as they are answered, in seconds."""

    def client(number: int) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        delays: list[float] = []
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            path = PATHS[(number + len(delays)) % len(PATHS)]
            start = time.perf_counter()
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}")
            delays.append(time.perf_counter() - start)
        return delays

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [delay for delays in pool.map(client, range(CLIENTS)) for delay in delays]


def report_waiting(port: int, cookie: str, run: int, tokens: list[str]) -> None:
    """Pages without bots that wait and with them, in turns."""
    page_delays(port, cookie)  # the first ones read the templates
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(PAIRS):
        alone += page_delays(port, cookie)
        with bots.waiting(port, run, tokens):
            beside += page_delays(port, cookie)
    p95 = percentile(alone, 0.95), percentile(beside, 0.95)
    print("## Pages while bots wait\n")
    print(
        f"{WAITING} bots wait for a run on one web process, half of them over streams of it, half with `wait=25`; "
        f"{CLIENTS} clients read pages of 10,000 functions as fast as they are answered, {PAIRS} times {SECONDS:.0f} s "
        f"without the bots and with them in turns. Promised: the p95 stays as it is, to within {UNCHANGED - 1:.0%}"
        f"{mark(p95[1] <= p95[0] * UNCHANGED)}.\n"
    )
    figures = [
        [name, f"{len(delays):,}", f"{percentile(delays, 0.5) * 1000:.1f}", f"{percentile(delays, 0.95) * 1000:.1f}"]
        for name, delays in (("none", alone), (f"{WAITING}", beside))
    ]
    print(table(["bots that wait", "pages", "p50 ms", "p95 ms"], figures), "\n")


def report_chat(delays: list[float]) -> None:
    """How soon commands are answered."""
    p50, p95, worst = (percentile(delays, share) * 1000 for share in (0.5, 0.95, 1.0))
    print("## Commands from chat\n")
    print(
        f"{CHATTING} bots on one web process, 10,000 functions; each sends a command every {EVERY:.0f} s "
        f"({', '.join(COMMANDS)}). Promised: answered within {CHAT_MS:.0f} ms at p95.\n"
    )
    figures = [f"{len(delays):,}", f"{p50:.0f}", f"{p95:.0f}{mark(p95 < CHAT_MS)}", f"{worst:.0f}"]
    print(table(["commands", "p50 ms", "p95 ms", "worst ms"], [figures]), "\n")


if __name__ == "__main__":
    main()
