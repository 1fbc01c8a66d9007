"""Run the benchmarks, each in a process of its own, and write docs/benchmarks.md.

`python -m tests.benchmarks` runs all; names after it run only those. Each part is printed as soon as it is there; the
file is written of all of them.
"""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from tests import postgres
from tests.benchmarks import soaked

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = (
    "pages", "large", "lighthouse", "http", "waiting", "api", "sync", "far_sync", "bases", "layers", "rebase", "patch",
    "hostile", "engine", "streams", "account",
)  # fmt: skip
HOW_TO_READ = """\
How to read them: a promise that was not kept is marked **MISSED**. p50 and p95 are what half and 95 % of the turns
stayed below. On a machine that is busy with other things all times grow; memory and counts of calls and queries don't.
So compare two versions in the same minute. Peaks are those of a process of its own, above what it had before it began.
"Unheard" is the longest time between two looks for a cancel: so long a reading goes on after it was stopped.

"""
ON_BOTH = {"pages", "large", "api", "bases", "engine"}


def machine() -> str:
    """The machine in one line: processor, cores, memory, system, Python."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}, Python {platform.python_version()}"


def run(scenario: str, extra: Mapping[str, str]) -> str:
    """Run one scenario in a fresh data directory and return the Markdown it prints."""
    with tempfile.TemporaryDirectory(prefix="drydock-bench-") as folder:
        environment = {
            **os.environ,
            "DRYDOCK_DATA_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            **extra,
        }
        command = [sys.executable, "-m", f"tests.benchmarks.{scenario}"]
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(names: list[str]) -> None:
    """Run the named scenarios, or all of them and write the report."""
    parts = []
    for scenario in names or SCENARIOS:
        print(f"{scenario} ...", file=sys.stderr, flush=True)
        with postgres.cluster() if scenario in ON_BOTH else nullcontext() as url:
            for extra in ({}, {"DATABASE_URL": url}) if url else ({},):
                parts.append(run(scenario, extra))
                print(parts[-1], flush=True)
    if names:
        return
    head = (
        "# Benchmarks\n\n`make bench` measures these and writes this file. "
        f"Last run {datetime.now(UTC):%Y-%m-%d} on: {machine()}. Other machines differ; the counts don't.\n\n"
        + HOW_TO_READ
    )
    soak = soaked.kept(soaked.REPORT.read_text(encoding="utf-8")) if soaked.REPORT.exists() else ""
    soaked.REPORT.write_text(soaked.with_soak(head + "\n".join(parts), soak), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
