"""Real workers: deploys beside readings that wait on a slow registry, and runs whose worker is killed."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import redis
from django.conf import settings

from functions_app import clock
from functions_app.domain.runs import LEASE, RENEW_EVERY, Kind, Queue, Status
from functions_app.models import BaseRelease, BaseStream, Run
from functions_app.services.engine import runs
from functions_app.services.people.actor import SHELL, Actor
from tests.benchmarks.engine_kinds import beginnings, let_go
from tests.benchmarks.figures import mark, percentile, table
from tests.benchmarks.slow_registry import SlowRegistry
from tests.processes import Process, beat, eventually

HOST = "registry.example.com"
READINGS, ANSWER_SECONDS = 28, 25.0
DEPLOYS, DEPLOY_LIMIT = 5, 2.0
KILLS, KILL_LIMIT = 3, 16.0
PATIENCE = 150.0  # seconds: what is too slow is a figure, too
TRIES = 60  # deployments until each of the workers to be killed has one


def submit(kind: Kind, title: str, plan: dict[str, Any]) -> Run:
    """Start a run as every door does, for a person."""
    return runs.submit(kind, title=title, plan=plan, actor=Actor(None, SHELL, named="bench"))


@contextmanager
def running(arguments: list[str], environment: Mapping[str, str], output: Path) -> Iterator[Process]:
    """A process that is killed in the end: a worker that is asked to end would wait for the registry first."""
    process = Process(arguments, environment, output)
    try:
        yield process
    finally:
        process.kill()
        process.stop()


@contextmanager
def product(environment: Mapping[str, str], folder: Path) -> Iterator[None]:
    """Beat and a worker for each queue, as the Procfile starts them; ready when a deployment went through."""
    with ExitStack() as stack:
        stack.enter_context(beat(environment, folder))
        with redis.Redis.from_url(settings.ENV.redis_url) as client:
            client.delete(Queue.READING)  # what beat asks for at its start: a sync and a poll
        for queue in Queue:
            stack.enter_context(running(["manage", "worker", queue], environment, folder / f"{queue}.log"))
        deploy(folder)
        yield


def deploy(folder: Path) -> float:
    """Start a deployment and see it end; the seconds from the call of submit until its first step was running."""
    asked = time.time()
    run = submit(Kind.DEPLOYMENT, "Deploy", {"folder": str(folder), "block": False})
    eventually(lambda: _status(run) is Status.SUCCEEDED, "a deployment has ended", PATIENCE)
    return beginnings(folder, run.pk)[0].at - asked


def deploys(slow: SlowRegistry, folder: Path) -> None:
    """Deploy while every thread for readings waits on the registry, and more of them wait for a thread."""
    threads = settings.ENV.worker_threads[Queue.READING]
    for release in _releases():
        submit(Kind.READ_FILES, "Read the files", {"releases": [release]})
    eventually(lambda: slow.waiting == threads, "every thread for readings waits on the registry")
    queued = Run.objects.filter(kind=Kind.READ_FILES, status=Status.QUEUED).count()
    seconds = [deploy(folder) for _ in range(DEPLOYS)]
    worst = max(seconds)
    if worst < DEPLOY_LIMIT and slow.waiting < threads:
        raise RuntimeError("the readings did not wait as long as the deploys: nothing was measured")
    print(
        f"A deploy starts while {READINGS} readings of files wait on a registry that takes {ANSWER_SECONDS:.0f} s an "
        f"answer: {threads} at the registry, {queued} for a thread. Its first step runs {worst:.2f} s after it was "
        f"submitted, the worst of {DEPLOYS} (promised: {DEPLOY_LIMIT:.0f} s{mark(worst < DEPLOY_LIMIT)}); behind the "
        f"readings in one queue it would be {READINGS // threads * ANSWER_SECONDS:.0f} s at least.\n"
    )
    row = [DEPLOYS, f"{percentile(seconds, 0.5) * 1000:.0f}", f"{worst * 1000:.0f}"]
    print(table(["deploys, one after the other", "p50 ms", "worst ms"], [row]), "\n")


def _releases() -> list[int]:
    """Base releases of one layer each, which is on the slow registry."""
    stream = BaseStream.objects.create(name="slow", reference=f"{HOST}/base:1", own=True, enabled=False)
    now = clock.now()
    digests = [f"sha256:{number:064x}" for number in range(READINGS)]
    layer = {"size": 1000, "media_type": "application/vnd.oci.image.layer.v1.tar+gzip"}
    times = {"created_at": now, "first_seen_at": now}
    rows = [
        BaseRelease(
            stream=stream,
            platform="linux/amd64",
            chain_id=digest,
            diff_ids=[digest],
            layers=[{"digest": digest, **layer}],
            manifest_digest=digest,
            **times,
        )
        for digest in digests
    ]
    return [row.pk for row in BaseRelease.objects.bulk_create(rows)]


def kills(environment: Mapping[str, str], folder: Path) -> None:
    """Kill workers in the middle of a step, at different ages of their leases; another one goes on."""
    with ExitStack() as stack:
        workers = [stack.enter_context(_second_worker(environment, folder, number)) for number in range(KILLS)]
        for worker in workers:
            eventually(partial(worker.says, "ready."), "a worker to be killed is ready")
        held = _hold(folder, [worker.process.pid for worker in workers])
        time.sleep(RENEW_EVERY.total_seconds() + 1)  # by now every lease was renewed once
        killed = []
        for worker in workers:
            had, at = held[worker.process.pid], time.time()
            worker.kill()
            killed.append((had, at, max(_lease_end(run) for run in had) - at))
            time.sleep(RENEW_EVERY.total_seconds() / KILLS)
        lines, worst = [], 0.0
        for number, (had, at, left) in enumerate(killed, 1):
            seconds = max(_goes_on(folder, run, held) for run in had) - at
            worst = max(worst, seconds)
            lines.append([number, len(had), f"{left:.1f}", f"{seconds:.1f}"])
    print(
        f"A worker is killed (SIGKILL) in the middle of a step: another goes on with the run {worst:.1f} s later, the "
        f"worst of {KILLS} kills (promised: under {KILL_LIMIT:.0f} s{mark(worst < KILL_LIMIT)}). A lease lasts "
        f"{LEASE.total_seconds():.0f} s and is renewed every {RENEW_EVERY.total_seconds():.0f}; a tick comes once a "
        "second.\n"
    )
    print(table(["kill", "runs it had", "s of the lease left", "goes on after s"], lines), "\n")


def _second_worker(environment: Mapping[str, str], folder: Path, number: int) -> AbstractContextManager[Process]:
    """One more worker for changes that says when it is ready; it needs a name of its own, as on another host."""
    arguments = ["celery", "-A", "dashboard", "worker", "--queues", Queue.CHANGES, "--pool", "threads"]
    arguments += ["--concurrency", "8", "--hostname", f"second-{number}@%h", "--without-gossip", "--without-mingle"]
    return running([*arguments, "--loglevel", "info"], environment, folder / f"second-{number}.log")


def _hold(folder: Path, processes: Sequence[int]) -> dict[int, list[Run]]:
    """Deployments that block in their step, at least one in each of these processes; others may go."""
    held: dict[int, list[Run]] = {process: [] for process in processes}
    for _ in range(TRIES):
        run = submit(Kind.DEPLOYMENT, "Deploy", {"folder": str(folder), "block": True})
        eventually(lambda: bool(beginnings(folder, run.pk)), "a deployment has begun")  # noqa: B023 - at once
        process = beginnings(folder, run.pk)[0].process
        if process in held:
            held[process].append(run)
        else:
            let_go(folder, run.pk)
        if all(held.values()):
            return held
    raise RuntimeError(f"a worker took none of {TRIES} deployments")


def _goes_on(folder: Path, run: Run, killed: Collection[int]) -> float:
    """When (since the epoch) a process that was not killed began the step anew; the run then ends well."""

    def others() -> list[float]:
        return [each.at for each in beginnings(folder, run.pk) if each.process not in killed]

    eventually(lambda: bool(others()), "another worker goes on", PATIENCE)
    let_go(folder, run.pk)
    eventually(lambda: _status(run) is Status.SUCCEEDED, "the run that was taken over succeeds")
    return others()[0]


def _status(run: Run) -> Status:
    run.refresh_from_db(fields=["status"])
    return Status(run.status)


def _lease_end(run: Run) -> float:
    run.refresh_from_db(fields=["lease_until"])
    return run.lease_until.timestamp() if run.lease_until else 0.0
