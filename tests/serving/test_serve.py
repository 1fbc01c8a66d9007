"""`manage.py serve` as somebody meets it who starts Drydock on a machine of their own, or a new version of it."""

import os
import pty
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from dashboard.serving.programs import of_procfile
from functions_app.management.commands import serve
from tests.free_ports import free_port
from tests.processes import ROOT, eventually
from tests.serving.test_supervision import alive

OLDER = "0010"  # a migration of some time ago
PASSWORD = "quay-winch-hawser"
PARTS = ["valkey", *(program.name for program in of_procfile())]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """What a shell on a new machine holds: no credentials, no other variables of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DJANGO_", "DRYDOCK_"))}
    for name in ("DATABASE_URL", "REDIS_URL"):
        kept.pop(name, None)
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | nothing | {"AWS_EC2_METADATA_DISABLED": "true", "DRYDOCK_DATA_DIR": str(folder), **more}


def manage(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of `manage.py`."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)


def children(parent: int) -> list[int]:
    """The processes that a process started, from what each says of itself: the kernel's own list may leave some out."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


@dataclass
class Server:
    """A running `manage.py serve` in a terminal, and what it prints there."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"
    terminal: int
    output: Path

    @property
    def url(self) -> str:
        """The address that it should print."""
        return f"http://127.0.0.1:{self.port}"

    def says(self, text: str) -> bool:
        """Whether it said so."""
        self._listen()
        assert self.process.poll() is None, f"it ended:\n{self.text()}"
        return text in self.text()

    def text(self) -> str:
        """All it said."""
        return self.output.read_text(errors="replace").replace("\r\n", "\n")

    def parts(self) -> dict[str, int]:
        """Its processes by name."""
        found: dict[str, int] = {}
        for pid in children(self.process.pid):
            with suppress(OSError):
                variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                names = [each.partition(b"=")[2].decode() for each in variables if b"SUPERVISOR_PROCESS_NAME=" in each]
                found |= dict.fromkeys(names, pid)
        return found

    def _listen(self) -> None:
        with self.output.open("ab") as file:
            while True:
                try:
                    file.write(os.read(self.terminal, 65536))
                except OSError:  # nothing more for now, or for good
                    return


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Started in a data directory with a space in its path, open to others, with an older version's database in it."""
    folder = tmp_path_factory.mktemp("serve") / "d d"
    assert manage("migrate", "functions_app", OLDER, **environment(folder)).returncode == 0
    for path in (folder, folder / "drydock.sqlite3"):
        path.chmod(path.stat().st_mode | 0o055)
    port = free_port()
    terminal, its_end = pty.openpty()
    os.set_blocking(terminal, False)
    code = "import os, fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    code += f"os.execv({sys.executable!r}, [{sys.executable!r}, 'manage.py', 'serve'])"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(folder, DRYDOCK_PORT=str(port), DRYDOCK_ADMIN_NAME="ada", DRYDOCK_ADMIN_PASSWORD=PASSWORD),
        stdin=its_end, stdout=its_end, stderr=its_end, start_new_session=True,
    )  # fmt: skip
    os.close(its_end)
    server = Server(folder, port, process, terminal, folder.parent / "output")
    try:
        eventually(lambda: server.says("AWS can't be read yet"), "it is ready", 110)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGINT)
            process.wait(30)


def healthy(server: Server) -> bool:
    """Whether it serves pages, and finds its database and Redis."""
    return healthy_at(server.port)


def healthy_at(port: int) -> bool:
    """The same of whatever serves on a port."""
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
        return b"database ok\nredis ok" in answer.read()
    return False


def test_it_prints_its_address_and_what_is_missing(server: Server) -> None:
    assert f"Drydock is ready: {server.url}" in server.text()
    assert "AWS can't be read yet. There is no account yet, and the environment names no region" in server.text()
    assert "There is no administrator yet" not in server.text()
    assert "Traceback" not in server.text()


def test_every_process_of_the_procfile_runs_and_valkey(server: Server) -> None:
    # One that begins shows its name only once the system has replaced what it was forked from.
    eventually(lambda: sorted(server.parts()) == sorted(PARTS), "all parts run")
    assert healthy(server)
    eventually((server.folder / "beat-schedule.dat").exists, "beat keeps its schedule")


def test_an_older_database_is_brought_up_to_date(server: Server) -> None:
    assert re.search(r"Bringing the database up to date: \d+ migrations", server.text())
    newest = max(path.stem for path in (ROOT / "functions_app" / "migrations").glob("0*.py"))
    with closing(sqlite3.connect(server.folder / "drydock.sqlite3")) as database:
        applied = database.execute("SELECT name FROM django_migrations WHERE app = 'functions_app'").fetchall()
    assert (newest,) in applied


def test_the_first_administrator_is_there_and_their_password_nowhere(server: Server) -> None:
    with closing(sqlite3.connect(server.folder / "drydock.sqlite3")) as database:
        people = database.execute("SELECT username, is_superuser FROM auth_user").fetchall()
    assert people == [("ada", 1)]
    assert PASSWORD not in server.text()
    for pid in server.parts().values():
        assert PASSWORD.encode() not in Path(f"/proc/{pid}/environ").read_bytes()


def test_nothing_in_the_data_directory_can_be_read_by_others(server: Server) -> None:
    paths = [server.folder, *server.folder.iterdir(), *server.folder.glob("appendonlydir/*")]
    assert len(paths) > 8
    assert [path.name for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_second_one_in_the_same_directory_is_refused(server: Server, command: str, tmp_path: Path) -> None:
    (server.folder / ".drydock-demo").touch()  # even where a demo may empty it
    before = server.parts()
    ports = {"DRYDOCK_PORT": str(free_port()), "DRYDOCK_SANDBOX_PORT": str(free_port())}
    answer = manage(command, **environment(server.folder, DRYDOCK_DEMO_DIR=str(server.folder), **ports))
    (server.folder / ".drydock-demo").unlink()
    assert answer.returncode == 1
    assert f"CommandError: Another Drydock (process {server.process.pid}) works in {server.folder}." in answer.stderr
    assert (server.folder / "drydock.sqlite3").stat().st_size > 0
    assert server.parts() == before


def test_a_taken_port_is_refused(server: Server, tmp_path: Path) -> None:
    answer = manage("serve", **environment(tmp_path / "d", DRYDOCK_PORT=str(server.port)))
    assert (answer.returncode, answer.stderr) == (
        1,
        f"CommandError: Port {server.port} is taken. Choose another: DRYDOCK_PORT={server.port + 1} make serve\n",
    )


@pytest.fixture(scope="module")
def backup(server: Server) -> Path:
    """A backup that was made while everything runs."""
    file = server.folder.parent / "backup.sqlite3"
    answer = manage("backup", str(file), **environment(server.folder))
    assert answer.returncode == 0, answer.stderr
    return file


def test_a_backup_is_for_its_owner_alone_and_replaces_none(server: Server, backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    answer = manage("backup", str(backup), **environment(server.folder))
    assert answer.stderr == f"CommandError: {backup} is there already. Name another file.\n"


def test_a_backup_is_restored_where_there_is_no_database(backup: Path, tmp_path: Path) -> None:
    answer = manage("restore", str(backup), **environment(tmp_path / "d"))
    assert answer.returncode == 0, answer.stderr
    with closing(sqlite3.connect(tmp_path / "d" / "drydock.sqlite3")) as database:
        assert database.execute("SELECT username FROM auth_user").fetchall() == [("ada",)]


def test_a_restored_backup_takes_the_place_of_what_was_there_which_is_kept(backup: Path, tmp_path: Path) -> None:
    for since in ("first", "second"):  # a database of its own, with something in its write-ahead log
        assert manage("restore", str(backup), **environment(tmp_path / "d")).returncode == 0
        with closing(sqlite3.connect(tmp_path / "d" / "drydock.sqlite3", isolation_level=None)) as database:
            database.execute("UPDATE auth_user SET username = ?", (since,))
    answer = manage("restore", str(backup), **environment(tmp_path / "d"))
    with closing(sqlite3.connect(tmp_path / "d" / "drydock.sqlite3")) as database:
        assert database.execute("SELECT username FROM auth_user").fetchall() == [("ada",)]
    kept = Path(answer.stdout.partition("kept in ")[2].split(" ")[0].strip().rstrip("."))
    with closing(sqlite3.connect(kept)) as database:
        assert database.execute("SELECT username FROM auth_user").fetchall() == [("second",)]


def test_a_backup_takes_the_place_of_a_damaged_database_which_is_kept(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir(mode=0o700)
    for ending in ("", "-wal"):
        (tmp_path / "d" / f"drydock.sqlite3{ending}").write_bytes(b"not any more" * 500)
    answer = manage("restore", str(backup), **environment(tmp_path / "d"))
    assert answer.returncode == 0, answer.stderr
    with closing(sqlite3.connect(tmp_path / "d" / "drydock.sqlite3")) as database:
        assert database.execute("SELECT username FROM auth_user").fetchall() == [("ada",)]
    kept = Path(answer.stdout.partition("kept in ")[2].split(" ")[0])
    assert kept.read_bytes() == b"not any more" * 500


def test_a_session_that_may_have_been_ended_since_is_not_restored_nor_a_payload_that_may_have_been_sent(
    backup: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(backup, tmp_path / "copy"))
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        database.execute(
            "INSERT INTO functions_app_browsersession (session_key, session_data, expire_date, mark, since, seen, "
            "address, browser) VALUES ('key', '', '2999-01-01', 'mark', '2026-01-01', '2999-01-01', '', '')"
        )
        database.execute(
            "INSERT INTO functions_app_plan (id, kind, title, target, lock, confirmation, ticks, approval_asked, body, "
            "via, decided_by, reason, created_at, expires_at) "
            "VALUES (1, 'invocation', '', '', '', '', '[]', 0, ?, '', '', '', '2026-01-01', '2999-01-02')",
            ('{"mode": "sync", "payload": "{}"}',),
        )
    assert manage("restore", str(copy), **environment(tmp_path / "d")).returncode == 0
    with closing(sqlite3.connect(tmp_path / "d" / "drydock.sqlite3")) as database:
        assert database.execute("SELECT session_key FROM functions_app_browsersession").fetchall() == []
        assert database.execute("SELECT body FROM functions_app_plan").fetchall() == [('{"mode":"sync"}',)]


def test_a_backup_of_a_newer_version_is_not_restored(backup: Path, tmp_path: Path) -> None:
    newer = Path(shutil.copy(backup, tmp_path / "newer"))
    with closing(sqlite3.connect(newer, isolation_level=None)) as database:
        database.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('functions_app', '9999_new', '')")
    answer = manage("restore", str(newer), **environment(tmp_path / "d"))
    assert answer.stderr == (
        f"CommandError: {newer} is of a newer Drydock (it has 9999_new). Restore it with that version.\n"
    )


def test_where_standard_input_is_closed_nobody_is_asked_for_the_first_administrator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # as Python has it after `make serve <&-`
    serve.Command().make_administrator("ada", "")


def test_what_is_no_backup_is_not_restored(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").write_bytes(b"years of work" * 500)
    answer = manage("restore", str(tmp_path / "thesis"), **environment(tmp_path / "d"))
    assert (answer.returncode, answer.stderr) == (
        1,
        f"CommandError: {tmp_path / 'thesis'} is no backup of Drydock's.\n",
    )


def test_nothing_is_restored_under_a_running_drydock(server: Server, backup: Path) -> None:
    answer = manage("restore", str(backup), **environment(server.folder))
    assert answer.stderr.startswith(f"CommandError: Another Drydock (process {server.process.pid}) works in")


def test_where_there_is_no_database_yet_a_backup_says_so(tmp_path: Path) -> None:
    answer = manage("backup", str(tmp_path / "backup"), **environment(tmp_path / "d"))
    assert answer.stderr.startswith(f"CommandError: {tmp_path / 'd' / 'drydock.sqlite3'} can't be copied to")
    assert not (tmp_path / "backup").exists()


def test_backups_of_postgresql_are_for_its_own_tools(tmp_path: Path) -> None:
    team = environment(tmp_path / "d", DATABASE_URL="postgres://drydock:s3cret@127.0.0.1:1/drydock")
    answer = manage("backup", str(tmp_path / "backup"), **team)
    assert "pg_dump" in answer.stderr
    assert "s3cret" not in answer.stderr


@pytest.fixture
def valkey_server(server: Server) -> Callable[[], int]:
    """The number of Valkey itself, which a process of ours runs."""

    def find() -> int:
        return next(iter(children(server.parts()["valkey"])), 0)

    return find


def test_each_process_that_is_killed_comes_back(server: Server, valkey_server: Callable[[], int]) -> None:
    before, valkey = server.parts(), valkey_server()
    for pid in (valkey, *(pid for name, pid in before.items() if name != "valkey")):
        os.kill(pid, signal.SIGKILL)
    for name in PARTS:
        eventually(lambda name=name: server.says(f"{name} runs again after"), f"{name} is back", 110)  # type: ignore[misc]
    after = server.parts()
    assert sorted(after) == sorted(PARTS)
    assert set(after.values()) & set(before.values()) == set()
    assert not alive(valkey)
    eventually(lambda: healthy(server), "pages, database and Redis are there again", 110)
    assert "Traceback" not in server.text()


def test_a_closed_terminal_leaves_no_orphan(server: Server, valkey_server: Callable[[], int]) -> None:
    """The last of these tests: nothing runs after it."""
    processes = [*server.parts().values(), valkey_server()]
    os.close(server.terminal)
    server.process.wait(60)
    assert [pid for pid in processes if alive(pid)] == []
