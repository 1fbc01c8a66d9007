"""Five days on which what shows dates works as on any other: `python -m tests.days` runs what is marked on each.

What is marked `shows_dates` runs, on SQLite. With --browser: the browser's tests of dates, on the last of the days.
"""

import calendar
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MARK = "pytest.mark.shows_dates"
AT_ONCE = 2  # passes; one process each, which costs less than workers
BROWSER = tuple(f"tests/e2e/test_{name}.py" for name in ("golden_image", "overview", "base_release", "main_job"))


@dataclass(frozen=True)
class Day:
    """A day by the words that name it: the moment on which a pass begins, worked out from now, and the time zone."""

    name: str
    after: Callable[[datetime], datetime]
    zone: str = "UTC"

    def environment(self, now: datetime) -> dict[str, str]:
        """What a test process gets handed in; tests.settings reads it."""
        kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        ahead = (self.after(now) - now).total_seconds()
        return kept | {"DRYDOCK_CLOCK_AHEAD": str(ahead), "TZ": self.zone}


def next_turn_of_the_year(now: datetime) -> datetime:
    """Half a minute before midnight of the next 31 December: the year turns while the pass runs."""
    return _first_after(now, (datetime(year, 12, 31, 23, 59, 30, tzinfo=UTC) for year in _years(now)))


def next_leap_day(now: datetime) -> datetime:
    """Noon of the next 29 February."""
    return _first_after(now, (datetime(year, 2, 29, 12, tzinfo=UTC) for year in _years(now) if calendar.isleap(year)))


def next_dst_night(now: datetime) -> datetime:
    """Half a minute before Europe's clocks go forward: 01:00 UTC on the last Sunday of March."""
    ends_of_march = (datetime(year, 3, 31, 0, 59, 30, tzinfo=UTC) for year in _years(now))
    return _first_after(now, (end - timedelta(days=end.isoweekday() % 7) for end in ends_of_march))


DAYS = (
    Day("The turn of the year", next_turn_of_the_year),
    Day("A leap day", next_leap_day),
    Day("A DST night", next_dst_night, "Europe/Berlin"),
    Day("In 45 days", lambda now: now + timedelta(days=45)),
    Day("In 400 days", lambda now: now + timedelta(days=400)),
)


def _years(now: datetime) -> range:
    return range(now.year, now.year + 10)  # of which at least one is a leap year


def _first_after(now: datetime, moments: Iterable[datetime]) -> datetime:
    return next(moment for moment in moments if moment > now)


def marked() -> list[str]:
    """The test modules in which something is marked."""
    return sorted(str(path) for path in HERE.rglob("test_*.py") if MARK in path.read_text(encoding="utf-8"))


def run(arguments: Sequence[str] = ()) -> int:
    """Run the marked modules on each of the days and answer with the first failure's exit code."""
    paths = marked()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = list(pool.map(lambda day: _pass(day, ["-m", "shows_dates", *arguments, *paths]), DAYS))
    return next(filter(None, codes), 0)


def _pass(day: Day, arguments: Sequence[str]) -> int:
    now = datetime.now(UTC)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=HERE.parent,
        env=day.environment(now),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    failed = done.returncode not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    last = done.stdout if failed else done.stdout.strip().rpartition("\n")[2]
    print(f"{day.name} ({day.after(now):%F %T} UTC, TZ={day.zone}): {last}", flush=True)
    return done.returncode if failed else 0


def main(arguments: Sequence[str]) -> int:
    """The five passes, or with --browser one in the browser."""
    if "--browser" in arguments:
        return _pass(DAYS[-1], [*(each for each in arguments if each != "--browser"), *BROWSER])
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
