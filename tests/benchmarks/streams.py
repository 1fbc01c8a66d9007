"""Live logs: 1,000 and 2,000 watchers of one run on one web process; every line to every watcher exactly once."""

import asyncio
import re
import resource
import sys
import time
from pathlib import Path

import django

from tests.benchmarks.figures import percentile, table

WATCHERS = (1_000, 2_000)
LINES, EVERY = 200, 0.05  # 20 lines a second for ten seconds
STAMP = re.compile(rb"at=(\d+\.\d+) n=(\d+);")


def memory_kb(pid: int) -> int:
    """Resident memory of a process, in KB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


async def watch(
    port: int, path: str, cookie: str, ready: asyncio.Semaphore, got: list[float], wrong: list[str]
) -> None:
    """Read one stream until its EOF event; note the delay of each line and any lost or doubled one."""
    async with ready:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nAccept: text/event-stream\r\n\r\n"
        writer.write(request.encode())
        status = await reader.readline()
        if b" 200 " not in status:
            wrong.append(status.decode())
            return
    seen: list[int] = []
    event = b""
    while line := await reader.readline():
        if line.startswith(b"event:"):
            event = line[6:].strip()
        now = time.time()
        for at, number in STAMP.findall(line):
            seen.append(int(number))
            got.append(now - float(at))
        if event == b"eof" and line.startswith(b"data:"):
            break
    writer.close()
    if seen != list(range(LINES)):
        wrong.append(f"{len(seen)} lines, expected {LINES}")


async def measure(watchers: int, web: int, port: int, path: str, cookie: str, run_id: int) -> list[object]:
    """One row of the table."""
    before = memory_kb(web)
    got: list[float] = []
    wrong: list[str] = []
    gate = asyncio.Semaphore(100)
    tasks = [asyncio.create_task(watch(port, path, cookie, gate, got, wrong)) for _ in range(watchers)]
    await asyncio.sleep(watchers / 250)  # all connected before the first line
    during = memory_kb(web)
    writer = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.benchmarks.stream_writer", str(run_id))
    await asyncio.gather(*tasks)
    await writer.wait()
    lost = "none" if not wrong else f"{len(wrong)} watchers: {wrong[0]}"
    p50, p99 = percentile(got, 0.5) * 1000, percentile(got, 0.99) * 1000
    each = (during - before) / watchers
    return [f"{watchers:,}", f"{len(got):,}", lost, f"{p50:.0f}", f"{p99:.0f}", f"{each:.0f}"]


def main() -> None:
    """Start Valkey and one web process, watch, and print the table."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    django.setup()
    from django.core.management import call_command

    from tests.benchmarks import people
    from tests.benchmarks.web import serve

    call_command("migrate", verbosity=0)
    rows = []
    for watchers in WATCHERS:
        with serve() as (web, port):
            cookie = people.session_cookie()
            run = people.active_run()
            rows.append(asyncio.run(measure(watchers, web, port, f"/events/runs/{run.pk}", cookie, run.pk)))
    print("## Live logs\n")
    print(
        f"One web process; all watch the same run, {1 / EVERY:.0f} lines a second for {LINES * EVERY:.0f} s. "
        "The delay is from the log call in the worker's process to the watcher.\n"
    )
    head = ["watchers", "lines received", "lost or doubled", "p50 ms", "p99 ms", "KB a watcher"]
    print(table(head, rows), "\n")


if __name__ == "__main__":
    main()
