"""The embedded Valkey: started once per data directory, attached to, never left behind, never in anybody's way."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from dashboard import broker
from dashboard.env import embedded_socket
from tests.processes import ROOT, eventually


@pytest.fixture
def folder() -> Iterator[Path]:
    # pytest's own folders have names too long for a socket's path
    with tempfile.TemporaryDirectory(prefix="drydock-broker-") as name:
        yield Path(name)


def process_id(folder: Path) -> int:
    with redis.Redis(unix_socket_path=str(embedded_socket(folder))) as client:
        return int(client.info("server")["process_id"])


def start(folder: Path) -> "subprocess.Popen[bytes]":
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    command = [sys.executable, "-m", "dashboard.broker"]
    return subprocess.Popen(command, cwd=ROOT, env={**environment, "DRYDOCK_DATA_DIR": str(folder)})


def test_a_server_is_started_and_ends_with_the_block(folder: Path) -> None:
    with broker.running(folder) as url:
        assert redis.Redis.from_url(url).ping()
    assert not broker.answers(embedded_socket(folder))


def test_its_socket_is_for_its_owner_alone(folder: Path) -> None:
    with broker.running(folder):
        assert embedded_socket(folder).stat().st_mode & 0o077 == 0


def test_a_second_start_attaches_and_leaves_the_first_alone(folder: Path) -> None:
    with broker.running(folder):
        first = process_id(folder)
        with broker.running(folder):
            assert process_id(folder) == first
        assert process_id(folder) == first


def test_several_starts_at_once_make_one_server(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [process for process in pool.map(lambda _: broker.start_or_attach(folder), range(4)) if process]
        assert len(made) == 1
        broker.stop(made[0])


def test_a_socket_left_behind_is_replaced(folder: Path) -> None:
    process = broker.start_or_attach(folder)
    assert process is not None
    process.kill()
    process.wait()
    assert embedded_socket(folder).exists()
    with broker.running(folder) as url:
        assert redis.Redis.from_url(url).ping()


def test_what_was_stored_is_there_after_a_restart(folder: Path) -> None:
    with broker.running(folder) as url:
        redis.Redis.from_url(url).set("kept", "yes")
    with broker.running(folder) as url:
        assert redis.Redis.from_url(url).get("kept") == b"yes"


def test_its_file_does_not_grow_with_what_is_long_over(folder: Path) -> None:
    def size() -> int:
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    with broker.running(folder) as url, redis.Redis.from_url(url) as client:
        for _ in range(12):
            client.set("the same", "x" * 1_000_000)
        eventually(lambda: size() < 8_000_000, "it is written anew")
        assert client.strlen("the same") == 1_000_000


def test_a_folder_that_cannot_be_used_gives_valkeys_own_reason(folder: Path) -> None:
    socket = folder / "missing" / "valkey.sock"
    with pytest.raises(broker.BrokerError, match="Valkey did not start"):
        broker.start_or_attach(folder, socket)


def test_a_path_too_long_for_a_socket_names_the_setting(folder: Path) -> None:
    with pytest.raises(broker.BrokerError, match="DRYDOCK_DATA_DIR"):
        broker.start_or_attach(folder, folder / ("x" * 120))


class Test_in_the_foreground:
    def test_it_serves_until_it_is_told_to_stop(self, folder: Path) -> None:
        process = start(folder)
        eventually(lambda: broker.answers(embedded_socket(folder)), "the server answers")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert not broker.answers(embedded_socket(folder))

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process to its parent")
    def test_the_server_dies_with_it_even_when_it_is_killed(self, folder: Path) -> None:
        process = start(folder)
        eventually(lambda: broker.answers(embedded_socket(folder)), "the server answers")
        process.kill()
        process.wait()
        eventually(lambda: not broker.answers(embedded_socket(folder)), "the server is gone")

    def test_a_second_one_takes_over_when_the_first_ends(self, folder: Path) -> None:
        first, second = start(folder), None
        try:
            eventually(lambda: broker.answers(embedded_socket(folder)), "the server answers")
            before = process_id(folder)
            second = start(folder)
            first.terminate()
            first.wait(10)
            eventually(
                lambda: broker.answers(embedded_socket(folder)) and process_id(folder) != before, "another serves"
            )
        finally:
            for process in (first, second):
                if process and process.poll() is None:
                    process.terminate()
                    process.wait(10)
