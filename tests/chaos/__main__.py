"""`make chaos`: every fault so many times, on SQLite and then on PostgreSQL; a table for each, and what was wrong."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests import postgres

TEST = str(Path(__file__).with_name("test_chaos.py"))


def main() -> int:
    """The command line's door."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", default="5", help="of each fault")
    parser.add_argument("--seed", default="", help="the same seed makes the same choices")
    parser.add_argument("--faults", default="*", help="which, as in 'kill*'")
    options = parser.parse_args()
    given = {"CHAOS_TRIES": options.tries, "CHAOS_SEED": options.seed, "CHAOS_FAULTS": options.faults}
    codes = []
    with postgres.cluster() as url:
        for database in ({}, {"DATABASE_URL": url} if url else None):
            if database is not None:
                print("PostgreSQL" if database else "SQLite", flush=True)
                environment = {**os.environ, **given, **database}
                command = [sys.executable, "-m", "pytest", "-q", "-s", TEST]
                codes.append(subprocess.call(command, env=environment))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
