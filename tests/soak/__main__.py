"""`make soak`: an hour, or as many minutes as are given, on SQLite."""

import argparse
import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """The command line's door."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", default="60")
    options = parser.parse_args()
    command = [sys.executable, "-m", "pytest", "-q", str(Path(__file__).with_name("soak.py"))]
    return subprocess.call(command, env={**os.environ, "SOAK_MINUTES": options.minutes})


if __name__ == "__main__":
    sys.exit(main())
