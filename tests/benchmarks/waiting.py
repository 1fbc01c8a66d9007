"""Pages and /healthz while two people plan on an AWS that takes twelve seconds for every answer."""

import http.client
import json
import os
import time
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import boto3
import django

from tests.benchmarks.account import sandbox
from tests.benchmarks.figures import mark, percentile, table
from tests.benchmarks.sync import beside

if TYPE_CHECKING:
    from functions_app.models import Function

PLANS, CLIENTS, LATENCY, SECONDS = 2, 2, 12.0, 30.0
PAGE_LIMIT, HEALTH_LIMIT = 500, 100  # ms
HEALTH_EVERY = 0.05
PATHS = ("/", "/functions/", "/functions/?search=invoice", "/bases/", "/repositories/", "/runs/")
TOKEN = "b" * 32  # what the CSRF cookie and the header say alike


def answer(port: int, method: str, path: str, headers: dict[str, str], body: str = "") -> tuple[int, float]:
    """The status of one request, and its seconds."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, time.perf_counter() - began


def ask(port: int, paths: tuple[str, ...], headers: dict[str, str], pause: float = 0.0) -> list[float]:
    """One client that asks for these in turn until the time is over: the seconds of every answer."""
    delays: list[float] = []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        path = paths[len(delays) % len(paths)]
        status, delay = answer(port, "GET", path, headers)
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")
        delays.append(delay)
        time.sleep(pause)
    return delays


def slow_down(url: str) -> None:
    """Every call of AWS takes its time from now on."""
    body = json.dumps({"match": "*", "latency": LATENCY}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/_sandbox/faults", body, method="POST"), timeout=10).close()


def known_function(url: str) -> "tuple[Function, str]":
    """A function of Drydock's is the sandbox's, which is AWS from now on; and its image."""
    from functions_app.models import Account, Function

    os.environ |= beside(url)
    api = boto3.client("lambda", region_name="eu-west-1")
    found = api.get_function(FunctionName=api.list_functions()["Functions"][0]["FunctionName"])
    facts, image = found["Configuration"], found["Code"]["ImageUri"]
    function = Function.objects.filter(region="eu-west-1").order_by("pk")[0]
    function.name, function.arn, function.image_uri = facts["FunctionName"], facts["FunctionArn"], image
    function.save()
    Account.objects.filter(pk=function.account_id).update(account_id=function.arn.split(":")[4])
    return function, image


def measure(port: int, function: int, image: str, cookie: str) -> tuple[list[float], list[float], int]:
    """The delays of pages and of /healthz while plans wait for AWS, and how many of those waited all the time."""
    headers = {"Cookie": cookie}
    answer(port, "GET", "/functions/", headers)  # the first page reads the templates
    form = headers | {"Cookie": f"{cookie}; csrftoken={TOKEN}", "X-CSRFToken": TOKEN}
    form["Content-Type"] = "application/x-www-form-urlencoded"
    wanted = urlencode({"image_typed": image, "alias": "live"})
    with ThreadPoolExecutor(PLANS + CLIENTS + 1) as pool:
        address = f"/functions/{function}/deploy/"
        plans: list[Future[tuple[int, float]]] = [
            pool.submit(answer, port, "POST", address, form, wanted) for _ in range(PLANS)
        ]
        pages = [pool.submit(ask, port, PATHS, headers) for _ in range(CLIENTS)]
        health = pool.submit(ask, port, ("/healthz",), {}, HEALTH_EVERY)
        delays = [delay for page in pages for delay in page.result()]
        waited = sum(not plan.done() for plan in plans)
        return delays, health.result(), waited


def main() -> None:
    """Fill, serve, plan, ask, print."""
    django.setup()
    from tests.benchmarks import people, rows
    from tests.benchmarks.web import serve

    rows.fill()
    cookie = people.session_cookie()
    with sandbox("--fleet", "1") as (url, _, _):
        function, image = known_function(url)
        slow_down(url)
        with serve() as (_, port):
            pages, health, waited = measure(port, function.pk, image, cookie)
    report(pages, health, waited)


def report(pages: list[float], health: list[float], waited: int) -> None:
    """The part of the benchmarks' page."""
    print("## Pages while plans wait for AWS\n")
    print(
        f"{PLANS} people plan a deployment on an AWS that takes {LATENCY:.0f} s for each answer ({waited} of them are "
        f"still waiting after {SECONDS:.0f} s); {CLIENTS} clients read pages of 10,000 functions meanwhile, as fast as "
        f"they are answered. Promised: every page within {PAGE_LIMIT} ms, /healthz within {HEALTH_LIMIT} ms.\n"
    )
    figures = []
    for name, delays, limit in (("pages", pages, PAGE_LIMIT), ("/healthz", health, HEALTH_LIMIT)):
        p50, p95, worst = (percentile(delays, share) * 1000 for share in (0.5, 0.95, 1.0))
        figures.append([name, f"{len(delays):,}", f"{p50:.0f}", f"{p95:.0f}", f"{worst:.0f}{mark(worst <= limit)}"])
    print(table(["asked for", "answers", "p50 ms", "p95 ms", "worst ms"], figures), "\n")


if __name__ == "__main__":
    main()
