"""What the overview judges by beside functions, with its age: base streams and lifecycle forecasts."""

from dataclasses import dataclass
from datetime import datetime

from functions_app.domain.text import counted
from functions_app.services.inventory.overview.findings import Sources


@dataclass(frozen=True)
class Source:
    """How many there are of a kind, since when, and whether some could not be read."""

    words: str
    at: datetime | None
    failing: bool


def sources(found: Sources) -> tuple[Source, Source]:
    """Base streams, then lifecycle forecasts."""
    return (
        Source(
            _words(found.streams, "base stream", found.streams_failing),
            found.streams_polled_at,
            failing=bool(found.streams_failing),
        ),
        Source(
            _words(found.forecasts, "lifecycle forecast", found.forecasts_failing),
            found.forecasts_read_at,
            failing=bool(found.forecasts_failing) or found.forecasts_late,
        ),
    )


def _words(count: int, noun: str, failing: int) -> str:
    return counted(count, noun) + (f", {failing} not readable" if failing else "")
