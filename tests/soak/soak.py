"""Ordinary work for SOAK_MINUTES: a sync each ten seconds, deploys, calls, people who look; memory, files and sizes.

`make soak` runs it by name; `make test` does not find it. Its table goes into docs/benchmarks.md, where `make bench`
leaves it.
"""

import itertools
import os
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from functions_app.domain.runs import ACTIVE, Kind, Queue, Status
from functions_app.models import LogLine, Run
from functions_app.services.people.actor import Actor
from tests.benchmarks.soaked import write
from tests.chaos.watchers import Watcher
from tests.chaos.work import Work
from tests.fixtures import Sandbox
from tests.free_ports import free_port
from tests.processes import Process, beat_command, eventually, web_command, worker_command
from tests.sandbox.functions import Functions
from tests.soak.samples import Series, of_process, size_of, table

MINUTES = float(os.environ.get("SOAK_MINUTES", "60"))
SAMPLE_EVERY = 10.0  # seconds
WORK_EVERY = 6.0
PAGES = ("/", "/functions/", "/runs/", "/bases/", "/repositories/", "/audit/")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(int(MINUTES * 60) + 1200)]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The embedded Valkey as an installation has it, with its file."""
    from dashboard.broker import start_or_attach, stop

    socket = tmp_path / "soak.sock"
    process = start_or_attach(tmp_path / "broker", socket)
    assert process is not None
    yield f"unix://{socket}", process
    stop(process)


@contextmanager
def installation(environment: dict[str, str], folder: Path) -> Iterator[tuple[dict[str, Process], str]]:
    """All processes by name, as the Procfile has them, and the web server's address."""
    port = free_port()
    commands = {"web": web_command(port), "beat": beat_command(folder)}
    for queue in Queue:
        threads = settings.ENV.worker_threads[queue.value]
        commands[f"worker {queue.value}"] = worker_command(queue.value, [queue], threads)
    with ExitStack() as stack:
        processes = {}
        for name, command in commands.items():
            quiet = ["warning" if word == "info" else word for word in command]
            process = Process(quiet, environment, folder / f"{name.replace(' ', '-')}.log")
            stack.enter_context(process.ending())
            processes[name] = process
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            with suppress(httpx.HTTPError):
                return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
            return False

        eventually(answers, "the web server answers", 120)
        yield processes, url


def people(url: str, cookie: str, end: threading.Event) -> None:
    """Look at one page after the other."""
    with httpx.Client(base_url=url, headers={"Cookie": cookie}, timeout=60) as browser:
        for page in itertools.cycle(PAGES):
            if end.wait(1.0):
                return
            with suppress(httpx.HTTPError):
                browser.get(page)


def test_soak(
    process_environment: dict[str, str],
    broker: tuple[str, subprocess.Popen[bytes]],
    aws: Sandbox,
    functions: Functions,
    operator: User,
    client: Client,
    tmp_path: Path,
) -> None:
    client.force_login(operator)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    mirrors = f"public.ecr.aws={aws.url},*.amazonaws.com={aws.url}"
    more = {"AWS_ENDPOINT_URL": aws.url, "DRYDOCK_REGISTRY_MIRRORS": mirrors, "DRYDOCK_SYNC_EVERY": "10"}
    environment = {**process_environment, **more, "REDIS_URL": broker[0], "PROCESS_SETTINGS": "tests.soak.settings"}
    work = Work(functions, aws, Actor(operator), ("first", "second", "third"))
    series: dict[str, Series] = {}
    done: dict[str, int] = defaultdict(int)
    with installation(environment, tmp_path) as (processes, url):
        pids = {name: process.process.pid for name, process in processes.items()} | {"valkey": broker[1].pid}
        end, chance, began = threading.Event(), random.Random(7), time.monotonic()  # noqa: S311
        threading.Thread(target=people, args=(url, cookie, end), daemon=True).start()
        next_work = next_sample = 0.0
        while (now := time.monotonic() - began) < MINUTES * 60:
            if now >= next_sample:
                next_sample = now + SAMPLE_EVERY
                sample(series, now, pids, tmp_path)
            if now >= next_work:
                next_work = now + WORK_EVERY
                carry_on(work, chance, url, cookie, done)
            time.sleep(0.2)
        end.set()
    failed = Run.objects.filter(status=Status.FAILED)
    done["failed runs"] = failed.count()
    done["runs"], done["log lines"] = Run.objects.count(), LogLine.objects.count()
    text = table(series, MINUTES * 60)
    counts = ", ".join(f"{number:,} {name}" for name, number in sorted(done.items()))
    why = "".join(f"- {run.kind}: {(run.problem or {}).get('message', '')}\n" for run in failed)
    told = f"Failed runs:\n{why}\n" if why else ""
    write(f"{MINUTES:g} minutes on {connection.vendor}: {counts}.\n\n{told}{text}\n")
    print(text, file=sys.__stderr__)


def carry_on(work: Work, chance: random.Random, url: str, cookie: str, done: dict[str, int]) -> None:
    """Some changes, calls, and people who watch them for a while."""
    changing = (Kind.DEPLOYMENT, Kind.ROLLBACK, Kind.PATCH, Kind.UNDO)
    if Run.objects.filter(kind__in=changing, status__in=ACTIVE).exists():
        done["times of waiting for a change before"] += 1
        return
    begun = work.begin(chance, calls=3)
    done["changes"] += len(begun.changes)
    done["patches and undos"] += len(begun.patches)
    done["calls"] += len(begun.calls)
    for run in begun.runs:
        Watcher(url, cookie, run.pk, chance)


def sample(series: dict[str, Series], now: float, pids: dict[str, int], folder: Path) -> None:
    """Measure everything once."""
    for name, pid in pids.items():
        for unit, value in of_process(pid).items():
            series.setdefault(f"{name}, {unit}", Series(unit)).add(now, value)
    series.setdefault("Valkey's file", Series("MB")).add(now, size_of([folder / "broker"]))
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        size = size_of([Path(name), Path(f"{name}-wal")])
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            size = cursor.fetchone()[0] / 1e6
    series.setdefault("database", Series("MB")).add(now, size)
