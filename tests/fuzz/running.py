"""How many inputs a fuzzer makes, and which: the same each time in `make test`, others in each round of `make fuzz`."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase

SEED = "FUZZ_SEED"  # and not DRYDOCK_…: tests.settings takes all those away, so that no round had a seed of its own
FAILED = Path(__file__).parents[2] / "var" / "fuzz"  # inputs that failed; the next run begins with them
LONGER = 2  # times as many inputs in a round of `make fuzz`
_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)

Test = TypeVar("Test", bound=Callable[..., Any])


def fuzzed(inputs: int) -> Callable[[Test], Test]:
    """Mark a property that is tried with so many inputs."""

    def mark(test: Test) -> Test:
        if given := os.environ.get(SEED):
            kept = settings(
                max_examples=LONGER * inputs,
                deadline=None,
                database=DirectoryBasedExampleDatabase(FAILED),
                suppress_health_check=_SLOW,
                print_blob=True,
            )
            return seed(int(given))(kept(test))
        same = settings(max_examples=inputs, deadline=None, derandomize=True, suppress_health_check=_SLOW)
        return same(test)

    return mark
