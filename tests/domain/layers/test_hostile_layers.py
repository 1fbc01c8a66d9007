"""One layer never takes more than 256 MB of memory, whatever it holds: each read in a process of its own."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.domain.layers.hostile import CROWDED, LARGE, MEGABYTE
from tests.processes import ROOT

MOST = 256 * MEGABYTE
SHARE = 8  # of what a layer may have: what it takes grows with the entries, and so does the test

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its own peak")


def measured(name: str, share: int = 1, within: float = 100) -> dict[str, Any]:
    """What reading a layer took, in a process that has so many seconds."""
    program = [sys.executable, "-m", "tests.domain.layers.hostile"]
    with subprocess.Popen([*program, name, str(share)], cwd=ROOT, stdout=subprocess.PIPE) as maker:
        command = [*program, str(share)]
        done = subprocess.run(command, cwd=ROOT, stdin=maker.stdout, capture_output=True, check=True, timeout=within)
        if maker.stdout:
            maker.stdout.close()  # a layer that is refused is not read to its end
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", CROWDED)
def test_a_layer_of_very_many_entries_takes_little_memory_for_each(name: str) -> None:
    found = measured(name, SHARE)

    assert found["grown"] < MOST / SHARE, found


@pytest.mark.parametrize("name", LARGE)
def test_metadata_that_was_made_to_fill_the_memory_is_read_in_bounds_or_told_as_not_read(name: str) -> None:
    found = measured(name)

    assert found["grown"] < MOST / 2, found  # the rest is for the entries and for unpacking
