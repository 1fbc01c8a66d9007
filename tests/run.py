"""`make test`: every test on SQLite, what shows dates on other days, then the database's tests on PostgreSQL.

Skips for a missing system package are failures where CI=true (tests/packages.py).
"""

import os
import subprocess
import sys
from pathlib import Path

from tests import days, postgres

ON_BOTH = ["tests/services", "tests/web", "tests/streams"]
SLOW = ("e2e", "services", "web", "streams", "registry")  # first, so that no worker is left with them at the end


def everything() -> list[str]:
    """Every folder and file of tests, the slow ones first."""
    here = Path(__file__).parent
    found = [path for path in here.iterdir() if path.name.startswith("test_") or any(path.rglob("test_*.py"))]
    ranks = {name: rank for rank, name in enumerate(SLOW)}
    return [str(path) for path in sorted(found, key=lambda path: (ranks.get(path.name, len(SLOW)), path.name))]


def main(arguments: list[str]) -> int:
    """Run the passes and answer with the first failure's exit code."""
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    pytest += arguments
    print("Every test, on SQLite:", flush=True)
    first = subprocess.run([*pytest, *everything()], check=False).returncode
    print("Once more on five other days: what shows dates", flush=True)
    first = days.run(arguments) or first
    with postgres.cluster() as url:
        if url is None:
            return first
        print("Once more on PostgreSQL: services, web and streams", flush=True)

        second = subprocess.run([*pytest, *ON_BOTH], env={**os.environ, "DATABASE_URL": url}, check=False).returncode
    return first or second


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
