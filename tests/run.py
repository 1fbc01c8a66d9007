"""`make test`: every test on SQLite, then what touches the database once more on PostgreSQL.

Skips for a missing system package are failures where CI=true (tests/packages.py).
"""

import os
import subprocess
import sys

from tests import postgres

ON_BOTH = ["tests/services", "tests/web"]


def main(arguments: list[str]) -> int:
    """Run both passes and answer with the first failure's exit code."""
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *arguments]
    print("Every test, on SQLite:", flush=True)
    first = subprocess.run(pytest, check=False).returncode
    with postgres.cluster() as url:
        if url is None:
            return first
        print("Once more on PostgreSQL: services and web", flush=True)

        second = subprocess.run([*pytest, *ON_BOTH], env={**os.environ, "DATABASE_URL": url}, check=False).returncode
    return first or second


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
