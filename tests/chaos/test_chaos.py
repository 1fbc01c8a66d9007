"""Whatever breaks while work goes on, nothing that Drydock promises is broken (`make chaos` tries it much longer).

CHAOS_TRIES, CHAOS_SEED and CHAOS_FAULTS (a pattern) say how often, with which choices and what; the table is printed.
"""

import fnmatch
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from functions_app.domain.runs import Status
from functions_app.models import Run
from functions_app.services.people.actor import Actor
from tests.chaos import judge
from tests.chaos.faults import FAULTS, World
from tests.chaos.site import Site
from tests.chaos.watchers import Watcher
from tests.chaos.work import Round, Work
from tests.conftest import Valkey
from tests.e2e.proxy import CuttableProxy
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions

LONG = "CHAOS_TRIES" in os.environ
TRIES = int(os.environ.get("CHAOS_TRIES", "1"))
SEED = int(os.environ.get("CHAOS_SEED") or (random.SystemRandom().randrange(1_000_000) if LONG else 7))
SHORT = ("kill -9 of worker one", "broker killed, comes back empty", "database away", "kill -9 of web")
ENDS_WITHIN = 150.0  # seconds after a fault: some leases, and what a slow machine needs
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(7200 if LONG else 600)]


@pytest.fixture
def way(process_environment: dict[str, str]) -> Iterator[CuttableProxy | None]:
    """The processes' way to PostgreSQL, which can be cut."""
    address = urlsplit(process_environment["DATABASE_URL"])
    if address.scheme == "sqlite":
        yield None
        return
    proxy = CuttableProxy(address.port or 5432)
    process_environment["DATABASE_URL"] = address._replace(netloc=f"{address.username}@127.0.0.1:{proxy.port}").geturl()
    yield proxy
    proxy.close()


@pytest.fixture
def work(functions: Functions, aws: Sandbox, operator: User) -> Work:
    """Made before any process runs, whose schedule would sync the new account meanwhile."""
    return Work(functions, aws, Actor(operator), ("first", "second"))


@pytest.fixture
def world(
    work: Work,
    process_environment: dict[str, str],
    way: CuttableProxy | None,
    aws: Sandbox,
    valkey: Valkey,
    account: str,
    tmp_path: Path,
) -> Iterator[World]:
    mirrors = f"public.ecr.aws={aws.url},*.amazonaws.com={aws.url}"
    more = {"AWS_ENDPOINT_URL": aws.url, "DRYDOCK_REGISTRY_MIRRORS": mirrors, "DRYDOCK_SYNC_EVERY": "3600"}
    environment = {**process_environment, **more, "PROCESS_SETTINGS": "tests.survive_settings"}
    with Site(environment, tmp_path).running() as site:
        yield World(site, valkey, aws, account, way)


@pytest.fixture
def cookie(client: Client, operator: User) -> str:
    client.force_login(operator)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def test_nothing_that_is_promised_breaks_whatever_does(work: Work, world: World, cookie: str) -> None:
    names = [name for name in FAULTS if fnmatch.fnmatch(name, os.environ.get("CHAOS_FAULTS", "*"))] if LONG else SHORT
    table: dict[str, list[list[str]]] = defaultdict(list)
    print_aside(f"\nSEED={SEED}\n")
    for number in range(TRIES):
        for name in names:
            # Its own choices, so that one fault alone is tried with the same ones.
            chance = random.Random(f"{SEED} {number} {name}")  # noqa: S311 - choices, no secrets
            wrongs = one_try(world, work, name, cookie, chance)
            table[name].append(wrongs)
            print_aside(f"{name}: {' '.join(wrongs) or 'right'}\n")
            if wrongs:
                print(world.site.said())
    print_aside(drawn(table))
    assert not any(any(tries) for tries in table.values()), drawn(table)


def one_try(world: World, work: Work, name: str, cookie: str, chance: random.Random) -> list[str]:
    """Begin work, break something at a random moment for a while, let all end, and judge."""
    begun = work.begin(chance, calls=2)
    watchers = [Watcher(world.site.url, cookie, run.pk, chance) for run in begun.runs]
    time.sleep(chance.uniform(0.0, 3.0))
    with FAULTS[name](world):
        time.sleep(chance.uniform(1.0, 4.0))
    await_end(begun)
    world.site.await_ready()  # a killed web server tells nothing, and on a busy machine begins slowly
    for watcher in watchers:
        watcher.wait(60)
    return judge.wrongs(begun, work.printed(), watchers)


def await_end(begun: Round) -> None:
    """Until all runs have ended, or should have."""
    until = time.monotonic() + ENDS_WITHIN
    keys = [run.pk for run in begun.runs]
    ended = [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED]
    while Run.objects.filter(pk__in=keys).exclude(status__in=ended).exists() and time.monotonic() < until:
        time.sleep(0.1)


def drawn(table: dict[str, list[list[str]]]) -> str:
    """Fault, tries, right, wrong; and what was wrong."""
    width = max(map(len, table))
    rows = [f"\n{'fault':<{width}}  tries  right  wrong"]
    for name, tries in table.items():
        wrong = sum(bool(found) for found in tries)
        rows.append(f"{name:<{width}}  {len(tries):5}  {len(tries) - wrong:5}  {wrong:5}")
    rows += [f"{name}: {one}" for name, tries in table.items() for found in tries for one in found]
    return "\n".join([*rows, f"SEED={SEED}", ""])


def print_aside(text: str) -> None:
    """To the terminal at once where it is `make chaos`, which pytest would keep until the end."""
    if LONG and sys.__stderr__ is not None:
        sys.__stderr__.write(text)
        sys.__stderr__.flush()
