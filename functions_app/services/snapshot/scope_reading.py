"""What the parts of a sync share: the scope they read, where they tell what they do, what went wrong."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from functions_app import clock
from functions_app.aws.session import Target
from functions_app.domain.causes import by_cause, key_of
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.models import Account
from functions_app.services.snapshot.reading_progress import ReadingProgress

T = TypeVar("T")
Row = TypeVar("Row")

READERS = 16  # calls of one scope at a time; the quota decides the speed, this only covers AWS's latency
CHUNK = 500  # rows per transaction
TOLD = 5  # names that one line of the log names
GIVE_UP = 10  # errors, where there are more of them than answers: it would be the same for all the rest


@dataclass
class ScopeRead:
    """One account in one region being read since `now`; `full`: all details and aliases, due or not.

    `problems`: what could not be read; `notes`: what could not be, and the sync is whole without; `images`: rows read
    anew.
    """

    account: Account
    region: str
    target: Target
    now: datetime
    full: bool
    stopped: Callable[[], bool]
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    images: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)  # repositories whose images or tags are not what they were
    progress: ReadingProgress = field(default_factory=ReadingProgress)
    missed: Counter[str] = field(default_factory=Counter)  # of how many functions or repositories what was not read
    images_since: datetime | None = None  # when the reading of repositories began, once they are listed
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As the log names it."""
        return f"{self.account.name} {self.region}"

    def fail(self, error: DrydockError) -> None:
        """Keep what went wrong, each cause once."""
        _add(self.problems, error.problem)

    def note(self, problem: Problem) -> None:
        """Keep what went wrong with something that the sync is whole without, each cause once."""
        _add(self.notes, problem)


def _add(problems: list[Problem], new: Problem) -> None:
    if key_of(new) not in map(key_of, problems):
        problems.append(new)


def chunks(rows: Sequence[Row], size: int = CHUNK) -> Iterator[Sequence[Row]]:
    """Rows in portions, each of which is written in a short transaction of its own."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


Failures = dict[str, tuple[datetime, Problem]]  # by name: when its reading began, and why it failed


def read_each(
    scope: ScopeRead,
    what: str,
    call: Callable[[str], T],
    names: Sequence[str],
    failures: Failures,
    counted: Callable[[], None] = lambda: None,
) -> Iterator[tuple[str, datetime, T]]:
    """Call for `what` of every name in parallel; as answers arrive: name, when its reading began, answer.

    Threads read AWS, never rows. A name that is gone meanwhile is left out. Any other error is kept in `failures`; the
    rest is read all the same, since a policy may close a single function or repository. The scope itself is blamed
    where nothing at all was read, or nearly all fails: then the rest is given up, for the same reason. `counted` is
    called after each name.
    """

    def read(name: str) -> tuple[datetime, T]:
        return clock.now(), call(name)

    with ThreadPoolExecutor(READERS, thread_name_prefix="sync") as pool:
        asked: dict[Future[tuple[datetime, T]], str] = {pool.submit(read, name): name for name in names}
        answers = 0
        try:
            for future in as_completed(list(asked)):
                name = asked.pop(future)  # an answer that is stored need not be kept
                try:
                    read_at, answer = future.result()
                except DrydockError as error:
                    if error.problem.code is not Code.NOT_FOUND:
                        failures[name] = scope.now, error.problem
                else:
                    answers += 1
                    yield name, read_at, answer
                counted()
                if scope.stopped() or (len(failures) >= GIVE_UP and len(failures) > answers):
                    break
        finally:
            # Also when the reader of this stops half-way: nothing more is asked of AWS.
            for future in asked:
                future.cancel()
    blame(scope, what, failures, answers, asked.values())


def blame(scope: ScopeRead, what: str, failures: Failures, answers: int, unasked: Iterable[str] = ()) -> None:
    """Tell of failures: as the scope's own problem where they are more than the matter of single names."""
    if not failures:
        return
    given_up = [] if scope.stopped() else list(unasked)
    if given_up:
        failures.update(dict.fromkeys(given_up, next(reversed(failures.values()))))
    scope.missed[what] += len(failures)
    for cause in by_cause((name, problem) for name, (_, problem) in failures.items()):
        if answers and not given_up:
            more = f" and {cause.count - TOLD} more" if cause.count > TOLD else ""
            named = f"{what} of {', '.join(cause.names[:TOLD])}{more}"
            scope.note(replace(cause.problem, message=f"{named} could not be read. {cause.problem.message}"))
        else:
            _add(scope.problems, cause.problem)
