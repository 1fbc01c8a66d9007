"""What breaks, one thing at a time: each fault begins, lasts as long as it is given, and ends."""

import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
from django.db import connection

from tests.chaos.site import PROCESSES, Site
from tests.conftest import Valkey
from tests.e2e.proxy import CuttableProxy
from tests.fixtures import Sandbox
from tests.processes import eventually


@dataclass(frozen=True)
class World:
    """What there is to break. `way` leads to PostgreSQL, None with SQLite."""

    site: Site
    valkey: Valkey
    sandbox: Sandbox
    account: str
    way: CuttableProxy | None


Fault = Callable[[World], AbstractContextManager[None]]


@contextmanager
def nothing(_world: World) -> Iterator[None]:
    """To see that the judge is right when all is well."""
    yield


def killed(name: str) -> Fault:
    """kill -9 of one process."""

    @contextmanager
    def fault(world: World) -> Iterator[None]:
        world.site.kill(name)
        yield

    return fault


def frozen(name: str) -> Fault:
    """SIGSTOP of one process, for longer than its lease."""

    @contextmanager
    def fault(world: World) -> Iterator[None]:
        with world.site.frozen(name):
            yield
            time.sleep(6)  # tests.survive_settings: a lease is five seconds

    return fault


@contextmanager
def broker_killed(world: World) -> Iterator[None]:
    """Valkey is gone for a while, and comes back empty."""
    world.valkey.stop()
    try:
        yield
    finally:
        world.valkey.start()


@contextmanager
def broker_wiped(world: World) -> Iterator[None]:
    """FLUSHALL."""
    world.valkey.flush()
    yield


def _await_told(world: World) -> None:
    """Until /healthz tells it: the fault has its effect."""

    def told() -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{world.site.url}/healthz", timeout=5).status_code == 503
        return False

    eventually(told, "healthz tells that the database can't be used", 60)


@contextmanager
def database_away(world: World) -> Iterator[None]:
    """PostgreSQL's connections break and new ones are refused; SQLite's file is locked by somebody else."""
    if world.way is not None:
        world.way.cut()
        try:
            _await_told(world)
            yield
        finally:
            world.way.mend()
        return
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        _await_told(world)
        yield
        time.sleep(6)  # with what went before longer than any worker waits for a lock
        other.execute("ROLLBACK")


@contextmanager
def disk_full(world: World) -> Iterator[None]:
    """No file of the processes may grow. (A file system of our own would take root; the writes fail all the same.)"""
    small = 4096
    limited = [process.process.pid for process in world.site.processes.values() if process.process.poll() is None]
    for pid in limited:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (small, resource.RLIM_INFINITY))
    try:
        if world.way is None:  # PostgreSQL's files are another's
            _await_told(world)
        yield
    finally:
        for pid in limited:
            with suppress(ProcessLookupError):  # it died meanwhile
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def aws(match: str = "lambda.*", **fault: Any) -> Fault:
    """Calls that go wrong, to Lambda if nothing else is said."""

    @contextmanager
    def struck(world: World) -> Iterator[None]:
        world.sandbox.admin("POST", "faults", {"match": match, "account": world.account, **fault})
        try:
            yield
        finally:
            world.sandbox.admin("DELETE", f"faults?account={world.account}")

    return struck


def clock_ahead(name: str) -> Fault:
    """One process's clock is five seconds ahead."""

    @contextmanager
    def fault(world: World) -> Iterator[None]:
        with world.site.with_settings(name, "tests.chaos.ahead"):
            yield

    return fault


FAULTS: dict[str, Fault] = {
    "nothing": nothing,
    **{f"kill -9 of {name}": killed(name) for name in PROCESSES},
    **{f"{name} frozen beyond its lease": frozen(name) for name in ("worker one", "worker two")},
    "broker killed, comes back empty": broker_killed,
    "broker wiped": broker_wiped,
    "database away": database_away,
    "disk full": disk_full,
    "a worker's clock 5 s ahead": clock_ahead("worker one"),
    "beat's clock 5 s ahead": clock_ahead("beat"),
    "AWS throttles 30 %": aws(rate=0.3, code="TooManyRequestsException"),
    "AWS fails 7 %": aws(rate=0.07, code="ServiceException"),
    "AWS drops 8 % before the call": aws(rate=0.08, drop="before"),
    "AWS drops 8 % after the call": aws(rate=0.08, drop="after"),
    "ECR throttles 30 %": aws("ecr.*", rate=0.3, code="ThrottlingException"),
    "the registry throttles 30 %": aws("registry.*", rate=0.3, code="TOOMANYREQUESTS"),
    "the registry fails 30 %": aws("registry.*", rate=0.3, status=500),
    "the registry drops 15 % before the call": aws("registry.*", rate=0.15, drop="before"),
    "the registry drops 15 % after the call": aws("registry.*", rate=0.15, drop="after"),
}
