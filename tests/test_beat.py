"""Beat's own scheduler: what it does when its clock is put back or forward."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings

from dashboard.beat import Scheduler
from dashboard.celery import app as ours
from tests.processes import eventually

JUMPS = [timedelta(hours=1), timedelta(days=1), timedelta(days=4000)]


class Moved(Celery):
    """An application whose clock a test moves."""

    ahead = timedelta()

    def now(self) -> datetime:
        now: datetime = super().now()
        return now + self.ahead


class Told(Scheduler):
    """Notes what it would send."""

    producer = None  # type: ignore[assignment]  # nobody is connected to

    def __init__(self, folder: Path, app: Moved) -> None:
        self.told: list[str] = []
        super().__init__(app, schedule_filename=str(folder / "schedule"))
        self.app.conf.beat_max_loop_interval = 1

    def apply_async(self, entry: Any, *args: Any, **options: Any) -> None:
        """Beat's own way of sending."""
        self.told.append(entry.name)

    def tells(self, name: str) -> Callable[[], bool]:
        """Whether it has come to tell this, after what it does in one look."""

        def told() -> bool:
            self.tick()
            return name in self.told

        return told


@pytest.fixture
def moved() -> Iterator[Moved]:
    app = Moved("moved", set_as_current=False)
    schedule = {"tick": {"task": "tick", "schedule": 0.2}, "tidy": {"task": "tidy", "schedule": 3600.0}}
    app.conf.update(timezone="UTC", beat_schedule=schedule)
    app.set_current()  # entries that come from the file ask the current one for the time
    yield app
    ours.set_current()


def test_it_is_the_one_that_beat_runs() -> None:
    assert settings.CELERY_BEAT_SCHEDULER == "dashboard.beat:Scheduler"
    assert ours.conf.beat_scheduler == settings.CELERY_BEAT_SCHEDULER


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_put_back_stops_no_tick(jump: timedelta, moved: Moved, tmp_path: Path) -> None:
    scheduler = Told(tmp_path, moved)
    eventually(scheduler.tells("tick"), "a tick before")

    moved.ahead = -jump
    scheduler.told.clear()

    eventually(scheduler.tells("tick"), "a tick after", within=10)


@pytest.mark.parametrize("jump", JUMPS)
def test_nor_where_beat_is_started_after_it(jump: timedelta, moved: Moved, tmp_path: Path) -> None:
    moved.ahead = jump
    before = Told(tmp_path, moved)
    eventually(before.tells("tick"), "a tick before")
    before.close()

    moved.ahead = timedelta()
    scheduler = Told(tmp_path, moved)

    eventually(scheduler.tells("tick"), "a tick after", within=10)
    scheduler.close()


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_put_forward_starts_what_is_due_once(jump: timedelta, moved: Moved, tmp_path: Path) -> None:
    scheduler = Told(tmp_path, moved)
    eventually(scheduler.tells("tick"), "a tick before")

    moved.ahead = jump
    eventually(scheduler.tells("tidy"), "what is due by the new time")
    for _ in range(50):
        scheduler.tick()

    assert scheduler.told.count("tidy") == 1
