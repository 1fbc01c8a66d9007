"""The engine: 1,501 due runs, deploys beside readings of a slow registry, runs whose worker is killed."""

import os
import signal
import sys
import tempfile
from pathlib import Path

import django

SETTINGS = "tests.benchmarks.engine_settings"


def main() -> None:
    """Tick first, while no worker is there to take what it tells; then start the workers."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whatever ends us, no process of ours stays
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from dashboard import broker
    from tests.benchmarks import engine_tick, engine_workers, slow_registry

    broker.ensure()
    call_command("migrate", verbosity=0)
    print(f"## Runs, {connection.vendor}\n")
    engine_tick.measure()
    seconds = engine_workers.ANSWER_SECONDS
    with tempfile.TemporaryDirectory(prefix="drydock-bench-") as name, slow_registry.serving(seconds) as slow:
        folder = Path(name)
        environment = {
            **os.environ,
            "PROCESS_SETTINGS": SETTINGS,
            "DRYDOCK_REGISTRY_MIRRORS": f"{engine_workers.HOST}={slow.url}",
        }
        with engine_workers.product(environment, folder):
            engine_workers.deploys(slow, folder)
            engine_workers.kills(environment, folder)


if __name__ == "__main__":
    main()
