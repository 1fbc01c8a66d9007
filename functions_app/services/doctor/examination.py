"""The whole examination: Drydock's own parts first, then accounts and registries side by side within a time."""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from contextvars import copy_context
from functools import partial

from django.db import Error, connections

from functions_app.aws.quota import patience
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.health.findings import Finding, State
from functions_app.services.doctor import accounts, own_parts, registries
from functions_app.services.engine import database_state

AT_ONCE = 8  # accounts, regions and registries that are asked side by side
QUOTA_PATIENCE = 20.0  # seconds that all calls together wait for quotas
_one_at_a_time = threading.Lock()
Look = Callable[[], Iterable[Finding]]


def own() -> list[Finding]:
    """Drydock's own parts alone: nobody outside is asked."""
    return list(own_parts.findings())


def everything(seconds: float) -> Generator[Finding, None, None]:
    """All there is, as it comes; what has not answered after so many seconds is told as that.

    Raises BUSY where another examination of this process is under way: each asks everybody.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise DrydockError(
            Code.BUSY,
            "Somebody else has just asked everything.",
            next_step="Wait for half a minute, then ask again.",
            again_in=30.0,
        )
    try:
        yield from own()
        yield from _outside(seconds)
    finally:
        _one_at_a_time.release()


def _outside(seconds: float) -> Iterator[Finding]:
    until = time.monotonic() + seconds
    try:
        looks = _looks()
    except Error:
        yield Finding("accounts", State.NOT_TRIED, "Accounts and registries: the database does not tell which.")
        return
    yield from answers(looks, until)


def answers(looks: Iterable[tuple[str, Look]], until: float) -> Iterator[Finding]:
    """What each look finds, in their order though all look at once; `until`: of the monotonic clock."""
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="doctor")
    try:
        with patience(QUOTA_PATIENCE):
            asked = [(part, pool.submit(copy_context().run, _look, look)) for part, look in looks]
        for part, answer in asked:
            yield from _found(part, answer, max(0.0, until - time.monotonic()))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _looks() -> list[tuple[str, Look]]:
    found: list[tuple[str, Look]] = [("credentials", accounts.own_identity)]
    for target, sample in accounts.targets():
        found.append((str(target), partial(accounts.examine, target, sample)))
        found.append((f"{target}, registry", partial(registries.examine_own, target, sample)))
    return found + [(f"registry {ref.registry}", partial(registries.examine, ref)) for ref in registries.streams()]


def _look(look: Look) -> list[Finding]:
    """In a thread of the pool, whose connection to the database goes with it."""
    try:
        return list(look())
    finally:
        connections.close_all()


def _found(part: str, answer: "Future[list[Finding]]", seconds: float) -> list[Finding]:
    try:
        return answer.result(seconds)
    except TooLate:
        words = "There was no time left to ask, or no answer yet."
        return [Finding(part, State.WARN, words, "Run python manage.py doctor, which takes as long as it needs.")]
    except DrydockError as error:
        return [Finding.of(part, State.BAD, "It could not be asked.", error.problem)]
    except Error as error:
        if not (trouble := database_state.trouble_of(error)):
            raise
        return [Finding.of(part, State.BAD, "It could not be asked.", trouble.problem)]
