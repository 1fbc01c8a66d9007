"""`manage.py serve` where it can't start: each time a plain sentence, no traceback, nothing secret, nothing left."""

import os
import resource
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dashboard.env import read
from tests.free_ports import free_port
from tests.processes import ROOT
from tests.serving.test_serve import environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sets limits of a process as Linux has them")


def refused(folder: Path, variables: dict[str, str] | None = None, limit: int = resource.RLIM_INFINITY) -> str:
    """What it says as it refuses to start; no file may have more than `limit` bytes."""
    answer = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=environment(folder, **{"DRYDOCK_PORT": str(free_port())} | (variables or {})),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=110,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr + answer.stdout
    assert "s3cret" not in answer.stderr + answer.stdout
    return answer.stderr


def made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True)
    return folder


def circle(folder: Path) -> None:
    folder.symlink_to(folder)


def key_without_a_key(folder: Path) -> None:
    (made(folder) / "secret_key").touch()


def directory_for_a_key(folder: Path) -> None:
    made(folder / "secret_key")


def directory_for_a_lock(folder: Path) -> None:
    made(folder / "drydock.lock")


def thesis_for_a_database(folder: Path) -> None:
    (made(folder) / "drydock.sqlite3").write_bytes(b"years of work" * 500)


def file_for_static_files(folder: Path) -> None:
    (made(folder) / "staticfiles").touch()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (circle, "leads nowhere"),
        (key_without_a_key, "secret_key is empty. Delete it"),
        (directory_for_a_key, "Is a directory"),
        (directory_for_a_lock, "drydock.lock: Is a directory. Look at the disk of"),
        (thesis_for_a_database, "The database can't be used: file is not a database"),
        (file_for_static_files, "staticfiles"),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_a_data_directory_that_can_not_be_used_is_told(
    tmp_path: Path, spoil: Callable[[Path], None], told: str
) -> None:
    spoil(tmp_path / "d")
    assert told in refused(tmp_path / "d")


def test_a_disk_that_is_full_is_told_with_what_to_do(tmp_path: Path) -> None:
    said = refused(tmp_path / "d", limit=300_000)
    assert "The database can't be used" in said
    assert "Look at the disk" in said or "Make room on the disk" in said


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DRYDOCK_HOST", "192.0.2.1"),
        ("DRYDOCK_SYNC_EVERY", "often"),
        ("DRYDOCK_SYNC_EVERY", "nan"),
        ("DRYDOCK_SYNC_EVERY", "0"),
        ("DRYDOCK_BASE_POLL_EVERY", "-1"),
        ("DRYDOCK_QUOTA_SHARE", "0"),
        ("DRYDOCK_KEEP_LOGS_DAYS", "-1"),
        ("DRYDOCK_KEEP_PLANS_DAYS", "inf"),
        ("DRYDOCK_WEB_THREADS", "0"),
        ("DRYDOCK_STREAMS_PER_PERSON", "many"),
        ("DATABASE_URL", "mysql://drydock:s3cret@h/x"),
        ("DATABASE_URL", "postgres://drydock:s3cret#s3cret@h/x"),
        ("REDIS_URL", "drydock:s3cret@h"),
    ],
)
def test_a_variable_that_can_not_be_is_named(tmp_path: Path, variable: str, value: str) -> None:
    assert variable in refused(tmp_path / "d", {variable: value})


def test_a_path_of_what_can_not_be_printed_is_named(tmp_path: Path) -> None:
    for name in ("a\nb", os.fsdecode(b"\xff")):
        with pytest.raises(ValueError, match="DRYDOCK_DATA_DIR"):
            read({"DRYDOCK_DATA_DIR": str(tmp_path / name)})


@pytest.mark.parametrize(
    "name", ["what?", "a#b", "100%", "%41", "a b", "ü&é", "a;b=c", "[x]", "~", "$HOME", "'\"", "@:"]
)
def test_what_a_path_may_hold_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    """As a query, a fragment or an escape of an address it would: the database beside its directory, Redis away."""
    folder = tmp_path / name
    code = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "from django.db import connection\n"
        "import redis\n"
        "from dashboard import broker\n"
        "from dashboard.celery import app\n"
        "connection.cursor().execute('CREATE TABLE here (x)')\n"
        "with broker.running(settings.ENV.data_dir) as url, app.connection_for_write() as queue:\n"
        "    redis.Redis.from_url(url).ping(), redis.Redis.from_url(settings.ENV.redis_url).ping()\n"
        "    queue.ensure_connection(max_retries=1)\n"
    )
    variables = environment(folder, DJANGO_SETTINGS_MODULE="dashboard.settings")
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert answer.stderr == ""
    assert sorted(tmp_path.iterdir()) == [folder]
    with closing(sqlite3.connect(folder / "drydock.sqlite3")) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("here",)]


def test_a_port_that_somebody_else_has_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        assert f"Port {port} is taken." in refused(tmp_path / "d", {"DRYDOCK_PORT": port})


def test_what_can_not_be_restored_for_want_of_room_leaves_all_as_it_was(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "backup")) as database, database:
        database.execute("CREATE TABLE django_migrations (app, name)")
        database.execute("INSERT INTO django_migrations VALUES ('functions_app', '0001_initial')")
        database.execute("CREATE TABLE rows AS SELECT zeroblob(200000) AS more")
    thesis_for_a_database(tmp_path / "d")
    answer = subprocess.run(
        [sys.executable, "manage.py", "restore", str(tmp_path / "backup")],
        cwd=ROOT, env=environment(tmp_path / "d"), capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )  # fmt: skip
    assert answer.returncode == 1
    assert "can't be copied to" in answer.stderr
    assert {path.name for path in (tmp_path / "d").iterdir()} == {"drydock.sqlite3", "drydock.lock", "secret_key"}
