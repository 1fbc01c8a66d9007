"""`make demo`: the whole product beside an embedded AWS account, in one terminal, for trying it out.

Every start begins with an empty database, because the embedded account begins anew as well.
"""

import os
import secrets
import shutil
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TextIO, cast

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from django.db import connections

from dashboard import broker, env
from dashboard.serving import address, holding
from dashboard.serving.output import Output, WhileHeard
from dashboard.serving.programs import Program, of_installation
from functions_app import clock
from functions_app.management.serving import MARK, refuse_taken, refusing_plainly, serve
from functions_app.models import Account, Run
from functions_app.services.bases import overdue_policies, streams
from functions_app.services.bases.poll_schedule import submit_poll
from functions_app.services.bases.streams import seed_streams
from functions_app.services.people import access
from functions_app.services.people.actor import SCHEDULE, SHELL, Actor
from functions_app.services.sync import run

PASSWORD = "drydock-demo"  # noqa: S105 - printed on purpose; the demo listens on the loopback address alone
PEOPLE = {"operator": access.OPERATOR, "viewer": access.VIEWER}
ACCOUNTS = (
    ("production", "111111111111", "violet", ""),
    ("staging", "222222222222", "cyan", "arn:aws:iam::222222222222:role/drydock"),
)
REGIONS = ["eu-west-1", "us-east-1"]
STREAMS = ("python:3.12", "python:3.9", "nodejs:22", "provided:al2023")  # what the embedded public registry holds
GOLDEN = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/platform/python-golden:3.12"  # the company's own base
AWAY = (
    # An installation's own, which a demo beside it keeps away from: its data, its address, its logins, its queues.
    "DATABASE_URL", "REDIS_URL", "DRYDOCK_DATA_DIR", "DRYDOCK_SECRET_KEY", "DRYDOCK_HOST", "DRYDOCK_ALLOWED_HOSTS",
    "DRYDOCK_TRUSTED_ORIGINS", "DRYDOCK_HTTPS", "DRYDOCK_REGISTRY_AUTH_FILE", "DRYDOCK_EVENT_QUEUES",
    "DRYDOCK_ADMIN_NAME", "DRYDOCK_ADMIN_PASSWORD", "DRYDOCK_REGIONS",
)  # fmt: skip
KEPT = (MARK, holding.LOCK, "secret_key")  # of a folder that is emptied: this process holds the one, and read the other
LOOPBACK = "127.0.0.1"
APART = "DRYDOCK_DEMO_DIR=... DRYDOCK_PORT=... DRYDOCK_SANDBOX_PORT=... make demo"
PATIENCE = 5  # seconds that a process has to end: whatever a demo is doing may be cut off
YEARS = range(2000, 2200)  # that --today may lie in: further away dates end


class Command(BaseCommand):
    """Start everything, seed it, print the address, and end every process with Ctrl-C."""

    help = "Run Drydock beside an embedded AWS account, with a fleet to look at."

    def add_arguments(self, parser: CommandParser) -> None:
        """The one option."""
        parser.add_argument("--today", metavar="DATE", help="show the fleet as it is on another day (UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restart this process with the demo's environment, then prepare and run."""
        self.stdout = OutputWrapper(cast(TextIO, WhileHeard()))
        today = _day(options["today"]) if options["today"] else None
        with ExitStack() as until_the_end:
            with refusing_plainly(f"give this one a folder and ports of its own: {APART}"):
                port = address.port(os.environ, "DRYDOCK_PORT", 8000)
                sandbox_port = address.port(os.environ, "DRYDOCK_SANDBOX_PORT", 8600)
                if env.DEMO not in os.environ:
                    folder = _own_folder()
                    holding.refuse_held(folder)  # before the ports: another would not help
                    refuse_taken("demo", "DRYDOCK_PORT", LOOPBACK, port)
                    refuse_taken("demo", "DRYDOCK_SANDBOX_PORT", LOOPBACK, sandbox_port)
                    self.stdout.write("Starting Drydock's demo ...")
                    self.stdout.flush()
                    given = environment(port, sandbox_port, folder, today)
                    os.execve(sys.executable, [sys.executable, *sys.argv], given)  # noqa: S606 - ourselves again
                until_the_end.enter_context(holding.held(settings.ENV.data_dir))
                _empty(settings.ENV.data_dir)
                with broker.running(settings.ENV.data_dir):  # what is prepared is told to workers and pages, too
                    _prepare()
            programs = [_sandbox(sandbox_port), *of_installation(settings.ENV)]
            output = Output(max(len(each.name) for each in programs))
            tell = threading.Thread(target=_announce, args=(address.url(LOOPBACK, port), output), daemon=True)
            serve([replace(each, patience=PATIENCE) for each in programs], output, tell)


def _sandbox(port: int) -> Program:
    """The embedded AWS account: what goes on in the others stands on it."""
    ahead = settings.ENV.clock_ahead.total_seconds()  # not its day, which may have ended before the sandbox starts
    command = f"'{sys.executable}' -m sandbox --port {port} --fleet demo --clock ahead={ahead}"
    return Program("sandbox", command, beneath=True)


def _day(text: str) -> date:
    with suppress(ValueError):
        if (day := date.fromisoformat(text)).year in YEARS:
            return day
    raise CommandError(f"--today takes a day of {YEARS[0]} to {YEARS[-1]} such as 2028-02-29, not {text!r}.")


def _own_folder() -> Path:
    """The demo's data directory, made where it is missing; a folder that no demo made is refused."""
    folder = Path(os.environ.get("DRYDOCK_DEMO_DIR") or settings.BASE_DIR / "var" / "demo").resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise CommandError(f"{folder} holds something else. Set DRYDOCK_DEMO_DIR to a folder for the demo alone.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    return folder


def _empty(folder: Path) -> None:
    """Take away what the last demo left, once nobody works in it."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in KEPT:
            path.unlink(missing_ok=True)


def environment(port: int, sandbox_port: int, folder: Path, today: date | None) -> dict[str, str]:
    """The demo's own settings, and what its user has set to try it; AWS's credentials and profiles are shut out."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DJANGO_"))}
    kept = {name: value for name, value in given.items() if name not in AWAY}
    ahead = today - clock.now().date() if today else timedelta()
    endpoint = f"http://127.0.0.1:{sandbox_port}"
    return kept | {
        env.DEMO: "1",
        "DRYDOCK_CLOCK_AHEAD": str(ahead.total_seconds()),
        "DRYDOCK_PORT": str(port),
        "DRYDOCK_SANDBOX_PORT": str(sandbox_port),
        "DRYDOCK_DATA_DIR": str(folder),
        "DRYDOCK_REGISTRY_MIRRORS": f"public.ecr.aws={endpoint},*.amazonaws.com={endpoint}",
        "DRYDOCK_SYNC_EVERY": "60",
        "DRYDOCK_BASE_POLL_EVERY": "30",
        "DRYDOCK_BASE_STREAMS": ",".join(STREAMS),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "AKIADRYDOCKDEMO00000",
        "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
        "AWS_REGION": REGIONS[0],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _prepare() -> None:
    """Tables, people, accounts, base streams, and the first poll and sync as queued runs: the tick picks them up."""
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    users = get_user_model()
    users.objects.create_superuser("admin", password=PASSWORD)
    for name, group in PEOPLE.items():
        users.objects.create_user(name, password=PASSWORD).groups.add(Group.objects.get(name=group))
    for name, account_id, colour, role in ACCOUNTS:
        Account.objects.create(name=name, account_id=account_id, colour=colour, role_arn=role, regions=REGIONS)
    operator = Actor(users.objects.get(username="operator"), SHELL)
    _set_policies(operator)
    seed_streams()
    submit_poll(SCHEDULE)
    streams.add_stream(GOLDEN, [], operator)  # the poll that waits reads it as well
    run.submit(SCHEDULE)


def _set_policies(operator: Actor) -> None:
    """How long a stale base may stay: a month, which is shipped, and in staging two, or two releases."""
    staging = str(Account.objects.get(name="staging").pk)
    overdue_policies.save(overdue_policies.PolicyDraft(staging, "", "", "60", "2"), operator)


def _announce(url: str, output: Output) -> None:
    """Print the address once the page answers and the first sync has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.2)
        if address.answers(url) and Run.objects.filter(kind="sync", ended_at__isnull=False).exists():
            break
    else:
        output.say("Still starting after 60 s. What the processes print below may tell why.")
    connections.close_all()
    names = ", ".join(["admin", *PEOPLE])
    print(f"\n  Drydock is ready: {url}\n  Sign in as {names}; the password of each is {PASSWORD}", flush=True)
    print("  Ctrl-C ends everything. Nothing here touches a real AWS account.\n", flush=True)
