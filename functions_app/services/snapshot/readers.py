"""Threads that read AWS for one scope, while one thread, their maker's, takes what they read and asks on.

What depends on what was read (a version on its alias) is asked as soon as that is known.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self, TypeVar

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.services.snapshot.scope_reading import GIVE_UP, Failures, ScopeRead, blame

T = TypeVar("T")


@dataclass
class Subject:
    """One kind of question, `what` of so many names; `counted` is called after each. Where nearly all of it fails, the
    rest would fail as well and is not asked any more.
    """

    what: str
    pool: ThreadPoolExecutor
    counted: Callable[[], None] = lambda: None
    answers: int = 0
    failures: Failures = field(default_factory=dict)
    given_up: DrydockError | None = None

    def tell(self, scope: ScopeRead) -> None:
        """Tell of what could not be read, once all was asked."""
        blame(scope, self.what, self.failures, 0 if self.given_up else self.answers)


class Readers:
    """Reads with threads by subject; every answer is taken by the thread that made this, one after another."""

    def __init__(self, scope: ScopeRead) -> None:
        self._scope = scope
        self._pools: list[ThreadPoolExecutor] = []
        self._done: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._open = 0  # asked, and not taken yet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Also when the maker stops half-way: nothing more is asked of AWS."""
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in self._pools:
            pool.shutdown()

    def pool(self, threads: int, name: str) -> ThreadPoolExecutor:
        """Threads for subjects that share a quota: those of another never wait behind them."""
        pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._pools.append(pool)
        return pool

    def ask(self, subject: Subject, name: str, call: Callable[[], T], take: Callable[[datetime, T], None]) -> None:
        """Call in a thread, then `take` in the maker's: when the reading began, and the answer.

        A name that is gone meanwhile is left out. Any other error is kept in the subject's failures.
        """
        self._open += 1
        asked = subject.pool.submit(_read, subject, call)
        asked.add_done_callback(lambda done: self._done.put(partial(self._hand_over, subject, name, done, take)))

    def take(self) -> None:
        """Take what was read until nothing is asked any more."""
        while self._open and not self._scope.stopped():
            try:
                done = self._done.get(timeout=1.0)
            except Empty:
                continue
            self._open -= 1
            done()

    def take_ready(self) -> None:
        """Take what is read by now, and wait for nothing."""
        with suppress(Empty):
            while True:
                done = self._done.get_nowait()
                self._open -= 1
                done()

    def _hand_over(
        self, subject: Subject, name: str, asked: Future[tuple[datetime, T]], take: Callable[[datetime, T], None]
    ) -> None:
        subject.counted()
        try:
            read_at, answer = asked.result()
        except DrydockError as error:
            if error.problem.code is Code.NOT_FOUND:
                return
            subject.failures[name] = self._scope.now, error.problem
            if len(subject.failures) >= GIVE_UP and len(subject.failures) > subject.answers:
                subject.given_up = error
        else:
            subject.answers += 1
            take(read_at, answer)


def _read(subject: Subject, call: Callable[[], T]) -> tuple[datetime, T]:
    if subject.given_up:
        raise subject.given_up
    return clock.now(), call()
