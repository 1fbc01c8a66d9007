"""`make fuzz`: rounds of every fuzzer, each with another seed, until the time is over or something is found.

With the first round the API is asked by its schema, for each scope by itself, three minutes long (tests/contract).

`python -m tests.fuzz [--minutes 10] [--seed N]`; the seed of a round alone makes the same inputs again.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.running import FAILED, SEED

HERE = Path(__file__).parent
CONTRACT = HERE.parent / "contract"
WORKERS = min(os.cpu_count() or 2, 4)


def main(arguments: list[str]) -> int:
    """Run rounds, and answer with the exit code of the first that fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    options = parser.parse_args(arguments)
    ends, rounds = time.monotonic() + 60 * options.minutes, 0
    while not rounds or time.monotonic() < ends:
        seed = options.seed + rounds
        print(f"Round {rounds + 1}, seed {seed}:", flush=True)
        if code := fuzz(seed, *([] if rounds else [CONTRACT])):
            print(f"Found something. Again: python -m tests.fuzz --minutes 0 --seed {seed}")
            print(f"Its smallest inputs are kept in {FAILED}: every further run begins with them.")
            return code
        rounds += 1
    print(f"Nothing found in {rounds} rounds.")
    return 0


def fuzz(seed: int, *more: Path) -> int:
    """One round of all fuzzers; pytest's exit code."""
    shared_out = ["-n", str(WORKERS), "--dist", "worksteal"]
    command = [sys.executable, "-m", "pytest", "-q", "--timeout", "900", *shared_out, *map(str, more), str(HERE)]
    return subprocess.run(command, env={**os.environ, SEED: str(seed)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
