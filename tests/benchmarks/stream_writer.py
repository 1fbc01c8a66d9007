"""Write numbered, stamped lines into a run's log, and end the run, as a worker would."""

import sys
import time

import django

from tests.benchmarks.streams import EVERY, LINES


def main(run_id: int) -> None:
    """One line each EVERY seconds; the watchers find the time and number in the text."""
    django.setup()
    from django.db.models import F

    from functions_app import runlog
    from functions_app.domain.runs import Status
    from functions_app.models import Run

    log = runlog.Logger(run_id)
    for number in range(LINES):
        log.info(f"at={time.time():.6f} n={number};")
        time.sleep(EVERY)
    log.flush()
    Run.objects.filter(pk=run_id).update(status=Status.SUCCEEDED, revision=F("revision") + 1)
    runlog.announce(run_id)


if __name__ == "__main__":
    main(int(sys.argv[1]))
