"""The hub's feeds, where one of them breaks by a defect."""

import asyncio
from typing import Any

import pytest

from functions_app.streams.hub import Hub
from functions_app.streams.run_feed import Watcher


async def broken(*_: Any) -> Any:
    """A reading with a defect."""
    raise KeyError("a defect")


async def silent(_: dict[str, Any]) -> None:
    """A connection that nobody reads and nobody closes."""


@pytest.mark.parametrize("run_id", [None, 7])
def test_whoever_comes_back_to_a_feed_that_broke_gets_another_although_somebody_still_hangs_on_the_old_one(
    run_id: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def come_back() -> tuple[bool, bool]:
        hub = Hub()
        monkeypatch.setattr(hub, "read", broken)  # the defect that is not known yet

        def join() -> Any:
            watcher = Watcher(silent, 0, "session", 1)
            return hub.join_fleet(watcher) if run_id is None else hub.join(run_id, watcher)

        first = join()
        same = first is join()
        await asyncio.wait([first.task])
        other = join()
        hub.close()
        return same, first is other

    assert asyncio.run(come_back()) == (True, False)
