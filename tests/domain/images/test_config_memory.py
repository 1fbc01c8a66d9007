"""Configs and manifests made to fill the memory of who reads them, each read in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.processes import ROOT

MEGABYTE = 1024**2
MOST = 256 * MEGABYTE
SHIP = "\U0001f6a2"  # four bytes

READ = """
import sys, time
from functions_app.domain.errors import DrydockError
from functions_app.domain.images.manifests import parse_config, parse_manifest

def most():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM:"))

data = sys.stdin.buffer.read()
before, told, began = most() - len(data), "read", time.process_time()
try:
    {"config": parse_config, "manifest": parse_manifest}[sys.argv[1]](data)
except DrydockError as error:
    told = str(error)
print(most() - before, time.process_time() - began, told)
"""


def cost(what: str, data: bytes) -> tuple[int, float, str]:
    """By how many bytes the reading process grew, the document with it; the CPU seconds it took, and what it said."""
    command = [sys.executable, "-c", READ, what]
    done = subprocess.run(command, cwd=ROOT, input=data, capture_output=True, check=True, timeout=60)
    grown, seconds, told = done.stdout.decode().strip().split(" ", 2)
    return int(grown), float(seconds), told


def measured(what: str, data: bytes) -> tuple[int, str]:
    """By how many bytes the reading process grew, and what it said."""
    grown, _, told = cost(what, data)
    return grown, told


def config(place: str, *, close: str) -> Callable[[str], bytes]:
    """8 MB of the same thing again and again, at some place of a config."""

    def filled(one: str) -> bytes:
        head = '{"os": "linux", "rootfs": {"diff_ids": []}, ' + place
        count = (8 * MEGABYTE - len(head) - len(close)) // (len(one.encode()) + 1)
        return (head + ",".join([one] * count) + close).encode()

    return filled


ODD = config('"odd": [', close="]}")
ENV = config('"config": {"Env": [', close="]}}")
COMMAND = config('"config": {"Cmd": [', close="]}}")
LABELS = b'{"os": "linux", "rootfs": {"diff_ids": []}, "config": {"Labels": {%s}}}'
LAST = f'"{"a" * 3 * MEGABYTE}{SHIP}"'

HOSTILE = {
    "objects of nothing": ODD('{"":0}'),
    "empty objects": ODD("{}"),
    "empty lists": ODD("[]"),
    "lists in lists": ODD("[[[]]]"),
    "numbers": ODD("1.5"),
    "texts": ODD('"ab"'),
    "texts of four-byte letters": ODD(f'"{SHIP}a"'),
    "variables": ENV('"ab"'),
    "words of a command": COMMAND('"ab"'),
    "labels": LABELS % ",".join(f'"{number}":""' for number in range(700_000)).encode(),
    "many objects and one long text": ODD('{"":0}')[: 4 * MEGABYTE].rpartition(b",")[0] + f",{LAST}]}}".encode(),
    "UTF-16": ODD('{"":0}').decode()[: 4 * MEGABYTE].rpartition(",")[0].encode("utf-16") + "]}".encode("utf-16-le"),
    "one text": ODD(f'"{"a" * 7 * MEGABYTE}{SHIP}"'),
}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its own peak: /proc/self/status")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_config_of_eight_megabytes_is_read_or_refused_in_less_than_256_of_memory(name: str) -> None:
    grown, told = measured("config", HOSTILE[name])

    assert grown < MOST, told


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its own peak: /proc/self/status")
@pytest.mark.parametrize("key", ["layers", "manifests"])
@pytest.mark.parametrize("one", ["{}", '{"":0}', "[]"])
def test_a_manifest_of_four_megabytes_too(key: str, one: str) -> None:
    data = (f'{{"{key}": [' + ",".join([one] * (4 * MEGABYTE // (len(one) + 1))) + "]}").encode()

    grown, told = measured("manifest", data)

    assert grown < MOST, told


def test_what_real_configs_hold_is_far_from_the_limits() -> None:
    steps = [{"created_by": f"RUN echo {{{number}}}", "created": "2026-10-03T00:00:00Z"} for number in range(500)]
    label = json.dumps({"buildpacks": [{"id": number, "layers": [1, 2, {}]} for number in range(5000)]})
    document = {
        "os": "linux",
        "rootfs": {"diff_ids": []},
        "history": steps,
        "config": {"Env": [f"NAME_{number}=x" for number in range(2000)], "Labels": {"metadata": label}},
    }

    assert measured("config", json.dumps(document).encode())[1] == "read"
