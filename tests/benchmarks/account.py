"""The sandbox itself: how fast it starts, seeds a fleet and answers."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config

from tests.benchmarks.figures import mark, percentile, table

THREADS, SECONDS, RATE = 16, 10.0, 400
START_SECONDS = 1.0
FLEET, FLEET_SECONDS, FLEET_BYTES = "10000", 20.0, 1.5 * 2**30
STARTS = 5


@contextmanager
def sandbox(*arguments: str) -> Iterator[tuple[str, float, int]]:
    """A sandbox process: its address, the seconds until it was ready, its process id."""
    began = time.monotonic()
    command = [sys.executable, "-m", "sandbox", "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if "ready on" not in line:
            raise RuntimeError("the sandbox did not start")
        yield line.split()[-1], time.monotonic() - began, process.pid
    finally:
        process.terminate()
        process.wait(20)


def start_seconds() -> list[float]:
    """How long each of some starts without a fleet took."""
    taken = []
    for _ in range(STARTS):
        with sandbox() as (_, seconds, _):
            taken.append(seconds)
    return taken


def peak_bytes(pid: int) -> int | None:
    """The process's largest resident size; None where there is no /proc."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def get_function(url: str) -> list[float]:
    """The delays of GetFunction, asked by plain boto3 clients in so many threads for some seconds."""
    session = boto3.Session(aws_access_key_id="AKIABENCH00000000000", aws_secret_access_key="bench")
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=THREADS)
    client = session.client("lambda", region_name="eu-west-1", endpoint_url=url, config=config)
    end = time.monotonic() + SECONDS

    def ask(number: int) -> list[float]:
        delays = []
        while time.monotonic() < end:
            began = time.perf_counter()
            client.get_function(FunctionName=f"fn-{number:05d}")
            delays.append(time.perf_counter() - began)
            number = (number + THREADS) % int(FLEET)
        return delays

    with ThreadPoolExecutor(THREADS) as pool:
        return [delay for delays in pool.map(ask, range(THREADS)) for delay in delays]


def list_functions(url: str) -> list[float]:
    """The delay of each page of ListFunctions over the whole fleet, in the order of the pages."""
    session = boto3.Session(aws_access_key_id="AKIABENCH00000000000", aws_secret_access_key="bench")
    client = session.client("lambda", region_name="eu-west-1", endpoint_url=url)
    pages = iter(client.get_paginator("list_functions").paginate(FunctionVersion="ALL"))
    delays: list[float] = []
    while True:
        began = time.perf_counter()
        if next(pages, None) is None:
            return delays
        delays.append(time.perf_counter() - began)


def in_ms(delays: Sequence[float]) -> list[str]:
    """p50 and p95."""
    return [f"{percentile(delays, share) * 1000:.1f}" for share in (0.5, 0.95)]


def main() -> None:
    """Start, seed, ask, print."""
    os.environ.pop("AWS_ENDPOINT_URL", None)
    starts = start_seconds()
    with sandbox("--fleet", FLEET) as (url, ready, pid):
        peak = peak_bytes(pid)
        delays = get_function(url)
        pages = list_functions(url)
    seeding, typical = ready - percentile(starts, 0.5), percentile(starts, 0.5)
    rate = len(delays) / SECONDS
    print("## The sandbox\n")
    print(
        f"Ready in {typical:.2f} s without a fleet, the median of {STARTS} starts (promised: under {START_SECONDS:.0f} "
        f"s{mark(typical < START_SECONDS)}). Seeding {int(FLEET):,} functions of 10 versions and 2 aliases over 200 "
        f"repositories takes {seeding:.1f} s (promised: under {FLEET_SECONDS:.0f} s{mark(seeding < FLEET_SECONDS)})"
        + (f" and {peak / 2**20:,.0f} MiB (promised: under 1.5 GiB{mark(peak < FLEET_BYTES)})" if peak else "")
        + f". GetFunction is asked by {THREADS} threads of one boto3 client for {SECONDS:.0f} s (promised: {RATE} a "
        f"second{mark(rate >= RATE)}); ListFunctions page by page, with every version.\n"
    )
    rows = [["GetFunction", f"{rate:.0f}", *in_ms(delays)]]
    tenth = len(pages) // 10
    for name, part in (("ListFunctions, first tenth", pages[:tenth]), ("ListFunctions, last tenth", pages[-tenth:])):
        rows.append([name, f"{len(part) / sum(part):.0f}", *in_ms(part)])
    print(table(["operation", "calls/s", "p50 ms", "p95 ms"], rows), "\n")


if __name__ == "__main__":
    main()
