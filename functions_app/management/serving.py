"""What `manage.py serve` and `manage.py demo` share."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db import Error, connections

from dashboard import broker
from dashboard.env import embedded_socket
from dashboard.serving import address, holding
from dashboard.serving.output import Output
from dashboard.serving.programs import Program
from dashboard.serving.supervision import keep_alive
from functions_app.services.engine.database_state import trouble_of

MARK = ".drydock-demo"  # a file in the data directory of a demo, which may be emptied


@contextmanager
def refusing_plainly(instead: str) -> Iterator[None]:
    """Say in a sentence why nothing was started, and what to do; `instead` of ending what runs."""
    try:
        yield
    except address.PortError as error:
        raise CommandError(str(error)) from error
    except holding.HeldError as error:
        raise CommandError(f"{error} End it first, or {instead}") from error
    except Error as error:
        trouble = trouble_of(error)
        step = f" {trouble.next_step}" if trouble else ""
        raise CommandError(f"The database can't be used: {str(error).strip()} (DATABASE_URL).{step}") from error
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise CommandError(
            f"{place}{error.strerror or error}. Look at the disk of {settings.ENV.data_dir}, and at who owns what is "
            "there; then start again."
        ) from error


def refuse_taken(command: str, variable: str, host: str, port: int) -> None:
    """Raises CommandError where the port can't be had, with the variable that moves it."""
    try:
        address.refuse_taken(host, port)
    except address.TakenError as error:
        raise CommandError(f"{error} Choose another: {variable}={port + 1} make {command}") from None
    except address.HostError as error:
        raise CommandError(f"{error} Choose another: DRYDOCK_HOST=... make {command}") from None


def serve(programs: list[Program], output: Output, tell: threading.Thread) -> None:
    """Run the programs until a signal; the database is let go of before they start."""
    os.environ |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",  # in a container one may
        "DRYDOCK_DATA_DIR": str(settings.ENV.data_dir),
    } | {name: path for name, path in _paths().items() if os.environ.get(name)}
    connections.close_all()
    tell.start()
    keep_alive(programs, _broker_is_there, output)


def _paths() -> dict[str, str]:
    """Variables whose paths are meant from here: the processes work in Drydock's own directory."""
    return {
        "DATABASE_URL": settings.ENV.database_url,
        "DRYDOCK_REGISTRY_AUTH_FILE": settings.ENV.registry_auth_file,
    }


def _broker_is_there() -> bool:
    return not settings.ENV.embedded_redis or broker.answers(embedded_socket(settings.ENV.data_dir))
