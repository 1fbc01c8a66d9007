"""The overview's sentences: what was looked at where nothing needs attention, and what it judges by."""

from dataclasses import replace

from functions_app.services.inventory.overview.findings import Sources
from functions_app.web.overview.findings import all_clear
from functions_app.web.overview.sources import Source, sources
from tests.factories import NOW

READ = Sources(
    streams=2,
    streams_failing=0,
    streams_polled_at=NOW,
    forecasts=1,
    forecasts_failing=0,
    forecasts_read_at=NOW,
)
LOOKED = "for broken images, failed updates, moved tags, inactivity, policies and ends of life"


def test_without_a_forecast_that_is_said() -> None:
    assert all_clear(1, 0, 0) == f"Looked at: 1 function {LOOKED}. No lifecycle forecast was read yet."


def test_forecasts_are_counted() -> None:
    what = "for what their lifecycle policies would delete."
    assert all_clear(3, 1, 0) == f"Looked at: 3 functions {LOOKED}; 1 repository {what}"
    assert all_clear(3, 2, 0) == f"Looked at: 3 functions {LOOKED}; 2 repositories {what}"


def test_what_is_stale_all_the_same_is_said() -> None:
    assert all_clear(3, 2, 1).endswith(" 1 runs on a stale base, for no longer than the policy allows.")
    assert all_clear(3, 2, 2).endswith(" 2 run on a stale base, for no longer than the policy allows.")


def test_sources_are_counted_with_their_age() -> None:
    assert sources(READ) == (
        Source("2 base streams", NOW, failing=False),
        Source("1 lifecycle forecast", NOW, failing=False),
    )


def test_sources_that_fail_are_said() -> None:
    streams, forecasts = sources(replace(READ, streams_failing=1, forecasts_failing=1))
    assert (streams.words, streams.failing) == ("2 base streams, 1 not readable", True)
    assert (forecasts.words, forecasts.failing) == ("1 lifecycle forecast, 1 not readable", True)


def test_a_forecast_that_is_late_counts_as_failing() -> None:
    assert sources(replace(READ, forecasts_late=True))[1] == Source("1 lifecycle forecast", NOW, failing=True)
