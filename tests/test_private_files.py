"""The data directory is for its owner alone: the database holds sessions, Valkey's files what waits."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dashboard.env import ROOT, read
from dashboard.private_files import keep_private

FILES = ("drydock.sqlite3", "drydock.sqlite3-wal", "beat-schedule", "valkey.log", "secret_key", "appendonlydir/1.aof")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data directory that others can look into, as one made by hand or by a volume is."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def filled(folder: Path) -> Path:
    (folder / "appendonlydir").mkdir(mode=0o755)
    for name in FILES:
        (folder / name).write_text("-")
        (folder / name).chmod(0o644)
    return folder


def test_a_directory_that_others_could_read_is_mended_with_all_its_files(folder: Path) -> None:
    read({"DRYDOCK_DATA_DIR": str(filled(folder))})
    assert {name: mode(folder / name) for name in FILES} == dict.fromkeys(FILES, 0o600)
    assert (mode(folder), mode(folder / "appendonlydir")) == (0o700, 0o700)


def test_a_directory_of_somebody_else_is_told_with_whose_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(0o700)
    owner = folder.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)  # whoever runs the tests owns it, or is root
    monkeypatch.setattr(os, "access", lambda *_: False)

    with pytest.raises(PermissionError, match=f"belongs to somebody else \\(user {owner}\\).*Start as that user"):
        keep_private(folder, None)


def test_a_database_outside_of_it_is_mended_too(folder: Path, tmp_path: Path) -> None:
    database = tmp_path / "elsewhere.sqlite3"
    for name in ("elsewhere.sqlite3", "elsewhere.sqlite3-wal"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    read({"DRYDOCK_DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{database}"})
    assert [mode(tmp_path / name) for name in ("elsewhere.sqlite3", "elsewhere.sqlite3-wal")] == [0o600, 0o600]


def test_a_file_of_a_moment_keeps_no_process_from_starting(folder: Path, tmp_path: Path) -> None:
    """SQLite's -wal comes and goes with the processes that use the database."""
    moments, over = tmp_path / "elsewhere.sqlite3-wal", threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            moments.touch()
            moments.unlink()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(300):
            keep_private(folder, tmp_path / "elsewhere.sqlite3")
    finally:
        over.set()
        thread.join()


def test_what_is_written_later_is_private_too(folder: Path) -> None:
    code = "from dashboard.env import read; read(); open('written-later', 'w').close()"
    environment = {**os.environ, "DRYDOCK_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True, umask=0o022)
    assert mode(folder / "written-later") == 0o600


def test_a_directory_with_other_peoples_things_is_not_closed_but_refused(folder: Path) -> None:
    (folder / "thesis.txt").touch()
    with pytest.raises(PermissionError, match=r"thesis\.txt.*DRYDOCK_DATA_DIR.*chmod 700"):
        read({"DRYDOCK_DATA_DIR": str(folder)})
    assert mode(folder) == 0o755


def test_a_private_directory_may_hold_whatever_it_likes(folder: Path) -> None:
    (folder / "thesis.txt").touch()
    (folder / "thesis.txt").chmod(0o640)
    folder.chmod(0o700)
    read({"DRYDOCK_DATA_DIR": str(folder)})
    assert mode(folder / "thesis.txt") == 0o640


def test_a_directory_that_everybody_may_write_into_is_refused_though_it_is_empty(folder: Path) -> None:
    folder.chmod(0o1777)
    with pytest.raises(PermissionError, match="everybody"):
        read({"DRYDOCK_DATA_DIR": str(folder)})


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_somebody_else_is_refused(folder: Path) -> None:
    os.chown(folder, 65534, -1)
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        read({"DRYDOCK_DATA_DIR": str(folder)})


def test_the_command_line_says_it_in_one_line(folder: Path) -> None:
    (folder / "thesis.txt").touch()
    environment = {**os.environ, "DRYDOCK_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "dashboard.settings"}
    answer = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"drydock: {folder} ")
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize("inside", ["", "/deeper"])
def test_a_directory_that_cannot_be_made_is_told_with_what_to_do(tmp_path: Path, inside: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PermissionError, match=r"file.* can't be a data directory: .*\. Set DRYDOCK_DATA_DIR to"):
        read({"DRYDOCK_DATA_DIR": f"{tmp_path}/file{inside}"})
