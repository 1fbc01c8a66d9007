"""Drydock's own parts: database, broker, workers and beat, clocks, the data directory."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from functions_app import clock
from functions_app.domain.health.findings import Finding, State
from functions_app.domain.health.pulses import span, troubles
from functions_app.domain.redaction import redact
from functions_app.services.engine import backlog, clocks, database_state, health, pulses
from functions_app.services.engine.leases import database_now

SLOW = 300.0  # seconds that something due may wait for a worker
SKEW = clocks.OFF
FREE = 500 * 1024**2  # bytes
NAMED = 5  # files


def findings() -> Iterator[Finding]:
    """All of them; each part that is away is told once."""
    yield from _database()
    yield from _broker()
    yield from _clocks()
    yield from data_directory(settings.ENV.data_dir)


def _database() -> Iterator[Finding]:
    part = "database"
    if trouble := database_state.check():
        yield Finding.of(part, State.BAD, f"The database is {trouble.word}.", trouble.problem)
        return
    yield Finding(part, State.OK, f"{connection.vendor} answers and takes writes.")
    executor = MigrationExecutor(connection)
    if missing := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        words = f"Migrations are missing: {len(missing)}, the first is {missing[0][0]}."
        yield Finding(part, State.BAD, words, "Run python manage.py migrate, then start all processes anew.")
    if connection.vendor == "postgresql":
        yield _ahead(part, "The database's clock", (database_now() - clock.now()).total_seconds())


def _broker() -> Iterator[Finding]:
    part = "redis"
    try:
        client = health.quick_client()
        client.set("drydock:doctor", "writes", ex=5)
    except (redis.RedisError, OSError) as error:
        words = redact(f"Redis does not take writes ({type(error).__name__}: {error}).")
        yield Finding(part, State.BAD, words, "See whether it runs, whether its disk is full, and REDIS_URL.")
        return
    yield Finding(part, State.OK, "Redis answers and takes writes.")
    yield from _workers()


def _workers() -> Iterator[Finding]:
    known = pulses.known(pulses.read() or {})
    away = troubles(known)
    for trouble in away:
        yield Finding(trouble.what, State.BAD, trouble.sentence, trouble.next_step)
    if known.ticked is not None and not away:
        yield Finding("beat", State.OK, f"The last tick was {span(known.ticked)} ago.")
    try:
        waiting = backlog.waiting(clock.now())
    except Error:
        return  # told above
    for queue, found in waiting.items():
        took = known.took.get(queue)
        last = f"last message taken {span(took)} ago" if took is not None else "no message taken yet"
        slow = found.longest > SLOW
        oldest = f", the longest for {span(found.longest)}" if found.due else ""
        words = f"{found.messages} messages wait, {found.due} runs are due{oldest}; {last}."
        step = "More threads (DRYDOCK_WORKER_THREADS), or another worker; see what the runs under way wait for."
        yield Finding(f"queue {queue}", State.WARN if slow else State.OK, words, step if slow else "")


def _clocks() -> Iterator[Finding]:
    own = clocks.ahead()
    if own is not None:
        yield _ahead("clocks", "This process's clock", own, "Redis's")
    for host in clocks.read().hosts:
        words = f"The clock of {host.host} is {host.compared} ({host.what})."
        yield Finding("clocks", State.WARN, words, "Set the time there (NTP).")


def _ahead(part: str, whose: str, seconds: float, than: str = "this host's") -> Finding:
    off = abs(seconds) > SKEW
    words = f"{whose} differs from {than} by {abs(seconds):.1f} s."
    return Finding(part, State.WARN if off else State.OK, words, "Set the time of both (NTP)." if off else "")


def data_directory(folder: Path) -> Iterator[Finding]:
    """Who may read it, and whether there is room."""
    part = "data directory"
    inside = _files(folder) if _others_may_read(folder) else ()  # what lies in a closed folder is closed
    open_to_others = [path for path in inside if _others_may_read(path)]
    if open_to_others:
        names = ", ".join(str(path.relative_to(folder)) for path in open_to_others[:NAMED])
        words = f"Others on this host may read {len(open_to_others)} files of {folder}: {names}."
        step = f"chmod -R go-rwx {folder}, and start Drydock with umask 077: sessions and keys are in there."
        yield Finding(part, State.BAD, words, step)
    else:
        yield Finding(part, State.OK, f"Only its owner may read {folder}.")
    free = shutil.disk_usage(folder).free
    full = free < FREE
    words = f"{free / 1024**3:,.1f} GB are free on its disk."
    yield Finding(part, State.WARN if full else State.OK, words, "Make room before it is full." if full else "")


def _files(folder: Path) -> Iterator[Path]:
    """What lies in it and in folders that are open; static files are for everybody."""
    for path in sorted(folder.iterdir()):
        if path.name == "staticfiles" or path.is_symlink():
            continue
        yield path
        if path.is_dir() and _others_may_read(path):
            yield from _files(path)


def _others_may_read(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except FileNotFoundError:
        return False  # a file of a moment
