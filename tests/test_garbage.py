"""Collections of garbage hold every thread of a process up: what is loaded for good is left out of them."""

import subprocess
import sys
from collections.abc import Mapping

from tests.processes import ROOT

WORKER = """
import gc, django
django.setup()
from celery.signals import celeryd_after_setup
from dashboard.celery import app
celeryd_after_setup.send(sender="reading@test", instance=None, conf=app.conf)
"""
WEB = "import gc, dashboard.asgi"
LOOKED_THROUGH = "print(len(gc.get_objects()) < gc.get_freeze_count() / 5)"


def told_by(program: str, environment: Mapping[str, str]) -> str:
    command = [sys.executable, "-c", f"{program}\n{LOOKED_THROUGH}"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def test_a_worker_does_not_look_through_what_it_has_loaded(process_environment: dict[str, str]) -> None:
    assert told_by(WORKER, process_environment) == "True\n"


def test_nor_does_the_web_server(process_environment: dict[str, str]) -> None:
    assert told_by(WEB, process_environment) == "True\n"
