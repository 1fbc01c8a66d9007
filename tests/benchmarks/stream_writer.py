"""Write numbered, stamped lines into a run's log, as a worker would."""

import sys
import time

import django

from tests.benchmarks.streams import EVERY, LINES


def main(run_id: int) -> None:
    """One line each EVERY seconds; the watchers find the time and number in the text."""
    django.setup()
    from functions_app import runlog

    log = runlog.Logger(run_id)
    for number in range(LINES):
        log.info(f"at={time.time():.6f} n={number};")
        time.sleep(EVERY)
    log.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
