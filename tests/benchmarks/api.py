"""The API over 10,000 functions: its lists, pages while 200 bots wait, commands of 50 bots from chat."""

import http.client
import time
from concurrent.futures import ThreadPoolExecutor

import django
from django.db import connection

from tests.benchmarks import bots
from tests.benchmarks.figures import mark, percentile, table

WAITING, PAIRS, CLIENTS, SECONDS = 200, 3, 2, 8.0
UNCHANGED = 1.15  # times the p95 without them: two runs without any differ by as much
CHATTING, EVERY, CHAT_SECONDS, CHAT_MS = 50, 2.0, 20.0, 150.0
PLANNING, PLAN_EVERY = 10, 10.0  # so many plans ask Lambda for less than its 15 calls a second
COMMANDS = (
    "list invoice", "show invoice-orders-05001", "stale", "why invoice-orders-05001", "status", "runs", "help",
    "invoke invoice-orders-05001",
)  # fmt: skip
PATHS = ("/", "/functions/", "/functions/?search=invoice", "/bases/", "/repositories/", "/runs/")


def main() -> None:
    """Fill, ask, print."""
    django.setup()
    from django.conf import settings

    from dashboard import broker
    from dashboard.garbage import spare_loaded
    from tests.benchmarks import api_lists, people, rows
    from tests.benchmarks.account import sandbox
    from tests.benchmarks.waiting import known_function
    from tests.benchmarks.web import serve

    settings.ALLOWED_HOSTS = ["testserver"]
    broker.ensure()
    rows.fill()
    cookie, run = people.session_cookie(), people.active_run()
    spare_loaded()  # as the web server does
    api_lists.report()
    tokens = bots.make_tokens(WAITING)
    with sandbox("--fleet", "1") as (url, _, _):
        function, image = known_function(url)
        with serve() as (_, port):
            report_waiting(port, cookie, run.pk, tokens)
            known = bots.chat(port, tokens[:CHATTING], COMMANDS, EVERY, CHAT_SECONDS)
            plan = f"deploy {function.name}:live {image}"
            planned = bots.chat(port, tokens[-PLANNING:], (plan,), PLAN_EVERY, 2 * CHAT_SECONDS)
    report_chat(known, planned)


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
    print(f"## Pages while bots wait, {connection.vendor}\n")
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


def report_chat(known: list[float], planned: list[float]) -> None:
    """How soon commands are answered: from what is known, and where a plan asks AWS."""
    p95 = percentile(known, 0.95) * 1000
    print(f"## Commands from chat, {connection.vendor}\n")
    print(
        f"{CHATTING} bots on one web process, 10,000 functions; each sends a command every {EVERY:.0f} s "
        f"({', '.join(COMMANDS)}). Promised: answered within {CHAT_MS:.0f} ms at p95{mark(p95 < CHAT_MS)}. Then "
        f"{PLANNING} bots that send a deployment to production every {PLAN_EVERY:.0f} s, which asks AWS (the sandbox "
        "on the same machine) and is answered with its plan.\n"
    )
    figures = [
        [name, f"{len(delays):,}", *(f"{percentile(delays, share) * 1000:.0f}" for share in (0.5, 0.95, 1.0))]
        for name, delays in (("from what is known", known), ("that plan", planned))
    ]
    print(table(["commands", "answered", "p50 ms", "p95 ms", "worst ms"], figures), "\n")


if __name__ == "__main__":
    main()
