"""Live logs: 1,000 and 2,000 watchers of one run on one web process; every line to every watcher exactly once."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import django

from tests.benchmarks.figures import mark, percentile, table
from tests.benchmarks.watchers import Watchers

WATCHERS = (1_000, 2_000)
LINES, EVERY = 200, 0.05  # 20 lines a second for ten seconds
LIMIT_MS = 100.0
PATIENCE = 60.0  # seconds


def memory_kb(pid: int) -> int:
    """Resident memory of a process, in KB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processors so far (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(count: int, web: int, port: int, cookie: str, run_id: int) -> list[object]:
    """One row of the table."""
    before = memory_kb(web)
    watchers = Watchers(port, f"/events/runs/{run_id}", cookie, count)
    each, busy = (memory_kb(web) - before) / count, cpu_seconds(web)
    with subprocess.Popen([sys.executable, "-m", "tests.benchmarks.stream_writer", str(run_id)]):
        watchers.watch(PATIENCE)
    share = (cpu_seconds(web) - busy) / (LINES * EVERY)
    delays = watchers.understand(LINES)
    lost = "none" if not watchers.failures else f"{len(watchers.failures)}: {watchers.failures[0]}{mark(False)}"
    p50, p99 = percentile(delays, 0.5) * 1000, percentile(delays, 0.99) * 1000
    worst = f"{p99:.0f}{mark(p99 < LIMIT_MS)}"
    return [f"{count:,}", f"{len(delays):,}", lost, f"{p50:.0f}", worst, f"{each:.0f}", f"{share:.0%}"]


def main() -> None:
    """Start Valkey and one web process, watch, and print the table."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    django.setup()
    from django.core.management import call_command

    from tests.benchmarks import people
    from tests.benchmarks.web import serve

    call_command("migrate", verbosity=0)
    rows = []
    for count in WATCHERS:
        with serve() as (web, port):
            rows.append(measure(count, web, port, people.session_cookie(), people.active_run().pk))
    print("## Live logs\n")
    print(
        f"One web process; all watch the same run, {1 / EVERY:.0f} lines a second for {LINES * EVERY:.0f} s. "
        "The delay is from the log call in the worker's process to the watcher "
        f"(promised: p99 under {LIMIT_MS:.0f} ms, nothing lost or doubled).\n"
    )
    head = ["watchers", "lines received", "lost or doubled", "p50 ms", "p99 ms", "KB a watcher", "processor"]
    print(table(head, rows), "\n")


if __name__ == "__main__":
    main()
