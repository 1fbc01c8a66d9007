"""What `manage.py serve` and `manage.py demo` share."""

import os
import sys
import threading
from pathlib import Path

from django.conf import settings
from django.db import connections

from dashboard import broker
from dashboard.env import embedded_socket
from dashboard.serving.output import Output
from dashboard.serving.programs import Program
from dashboard.serving.supervision import keep_alive

MARK = ".drydock-demo"  # a file in the data directory of a demo, which may be emptied


def serve(programs: list[Program], output: Output, tell: threading.Thread) -> None:
    """Run the programs until a signal; the database is let go of before they start."""
    os.environ |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",  # in a container one may
        "DRYDOCK_DATA_DIR": str(settings.ENV.data_dir),
    }
    connections.close_all()
    tell.start()
    keep_alive(programs, _broker_is_there, output)


def _broker_is_there() -> bool:
    return not settings.ENV.embedded_redis or broker.answers(embedded_socket(settings.ENV.data_dir))
