"""`make test`: every test on SQLite, what touches the database once more on PostgreSQL, what shows dates on five days.

Three passes go on at once, since many tests wait: for a lease to run out, for the next poll. The browser's are a pass
of their own in one process, so that one demo serves them all. Skips for a missing system package are failures where
CI=true (tests/packages.py).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests import days, postgres
from tests.passes import FAILED

HERE = Path(__file__).parent
BROWSER = "e2e"
ON_BOTH = ("services", "web", "streams")
# Of the API what asks a database in its own way: lists that are searched, cut into pages, written as tables.
LISTS = tuple(
    f"api/test_{name}.py" for name in ("plans", "query_counts", "reads", "same_facts", "short_lists", "tables")
)
SLOW = ("chaos", "contract", *ON_BOTH, "registry")  # first, so that no worker is left with them at the end
CORES = min(os.cpu_count() or 2, 8)
AT_ONCE = 3  # passes; each has workers of its own
SLOWEST = 25
WIDTH = 20  # of a title
# The caller's own database is no matter of these tests: a pass that wants another than SQLite names it.
SURROUNDINGS = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
NO_TESTS = 5  # pytest's exit code where none is selected


@dataclass(frozen=True)
class Pass:
    """Some files of tests, how they are shared out, and on what they run."""

    title: str
    files: Sequence[str]
    workers: int = 0  # 0: in pytest's own process
    options: Sequence[str] = ()
    environment: Callable[[], Mapping[str, str]] = dict  # asked when it begins

    def command(self, outcome: Path, arguments: Sequence[str]) -> list[str]:
        """How pytest is started for it."""
        shared_out = ["-n", str(self.workers), "--dist", "loadfile", "--no-loadscope-reorder"] if self.workers else []
        plugin = ["-p", "tests.passes", "--outcome-to", str(outcome)]
        return [sys.executable, "-m", "pytest", "-q", *plugin, *shared_out, *self.options, *arguments, *self.files]


@dataclass(frozen=True)
class Finished:
    """What came of a pass."""

    title: str
    code: int
    seconds: float
    output: str
    times: Mapping[str, float]  # seconds by test
    failed: Sequence[str]  # tests


def passes(postgres_url: str | None) -> Iterator[Pass]:
    """Every pass there is."""
    browser, others = files((BROWSER,)), [file for file in files() if file not in files((BROWSER,))]
    yield Pass("the browser", browser)
    yield Pass("SQLite", others, CORES + 1)
    if postgres_url:
        url = {"DATABASE_URL": postgres_url}
        yield Pass("PostgreSQL", files((*ON_BOTH, *LISTS)), CORES, ["--only-database"], lambda: url)
    for day in days.DAYS:
        environment = partial(lambda day: day.environment(datetime.now(UTC)), day)
        yield Pass(day.name, days.marked(), 0, ["-m", "shows_dates"], environment)


def files(folders: Sequence[str] = ()) -> list[str]:
    """All files of tests, those in these folders, or these: first those that wait longest, then the slow folders.

    pytest-django sorts what comes of them: tests in one transaction before those that flush, and those without a
    database last.
    """

    def rank(path: Path) -> tuple[bool, int, str]:
        folder = path.relative_to(HERE).parts[0]
        survives = "_survive" in path.name
        return not survives, SLOW.index(folder) if folder in SLOW else len(SLOW), str(path)

    found = (HERE / folder for folder in folders) if folders else (HERE,)
    return [
        str(path)
        for path in sorted(
            (file for each in found for file in ([each] if each.is_file() else each.rglob("test_*.py"))), key=rank
        )
    ]


def carry_out(each: Pass, folder: Path, arguments: Sequence[str]) -> Finished:
    """Run a pass to its end; its progress is shown meanwhile, and kept is what else it says."""
    outcome, begun, output = folder / f"{each.title}.json", time.monotonic(), ""
    with subprocess.Popen(
        each.command(outcome, arguments),
        env={**SURROUNDINGS, **each.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            if line.endswith("%]\n") or line.startswith(FAILED):
                print(f"{each.title:<{WIDTH}}  {line}", end="", flush=True)
            else:
                output += line
    came: dict[str, Any] = (
        json.loads(outcome.read_text()) if outcome.exists() else {"seconds": {}, "failed": ["itself"]}
    )
    seconds = time.monotonic() - begun
    return Finished(each.title, process.returncode, seconds, output.strip(), came["seconds"], came["failed"])


def report(finished: Sequence[Finished]) -> None:
    """The slowest tests of all passes, how long each pass took, and at the end, where it is found, what failed."""
    slowest = sorted(
        ((seconds, each.title, test) for each in finished for test, seconds in each.times.items()), reverse=True
    )
    print(f"\nThe {SLOWEST} slowest tests:")
    for seconds, title, test in slowest[:SLOWEST]:
        print(f"{seconds:7.1f} s  {title:<{WIDTH}}  {test}")
    print("\nThe passes:")
    for each in finished:
        outcome = {0: "passed", NO_TESTS: "none selected"}.get(each.code, "FAILED")
        print(f"{each.seconds:7.0f} s  {each.title:<{WIDTH}}  {len(each.times)} tests: {outcome}")
    for title, test in ((each.title, test) for each in finished for test in each.failed):
        print(f"FAILED on {title}: {test}")


def exit_code(finished: Sequence[Finished], arguments: Sequence[str]) -> int:
    """The first failure's; that a pass has none of the tests asked for is none, unless no pass has."""
    codes = [each.code for each in finished]
    if arguments and set(codes) > {NO_TESTS}:
        codes = [code for code in codes if code != NO_TESTS]
    return next((code for code in codes if code), 0)


def main(arguments: list[str]) -> int:
    """Run all passes, say what each said when it ends, and answer with the first failure's exit code."""
    finished = []
    with postgres.cluster() as url, tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        every = list(passes(url))
        print(f"{AT_ONCE} at once: {', '.join(each.title for each in every)}", flush=True)
        running = [pool.submit(carry_out, each, Path(folder), arguments) for each in every]
        for future in as_completed(running):
            finished.append(future.result())
            print(f"\n{finished[-1].title}:\n{finished[-1].output}", flush=True)
    report(finished)
    return exit_code(finished, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
