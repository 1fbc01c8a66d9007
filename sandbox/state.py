"""`--state DIR`: the account on disk, so that a restart finds it again (what is kept: sandbox/state_contents.py).

DIR/account holds one line of JSON (format, moto, the body's digest) and a pickled body; DIR/blobs one file per blob,
named by its digest. Blobs are there before an account names them, and every file is renamed into place when it is
whole: a process that dies while writing leaves the state before.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from sandbox import state_contents
from sandbox.core import pinned_moto
from sandbox.core.http_server import WSGIApp
from sandbox.store.content_store import STORE

FORMAT = 2
LEAST_SECONDS = 2.0
"""Between two writes; and ten times as long as the last one took, so that a large account is not always writing."""

_READS = ("BatchCheck", "BatchGet", "Describe", "Filter", "Get", "List")


class StateError(ValueError):
    """The directory's state cannot be read, or is in use."""


class _Unpickler(pickle.Unpickler):
    """Reads the sandbox's facts and moto's repositories, and no other class."""

    def find_class(self, module: str, name: str) -> Any:
        """See pickle. Raises UnpicklingError."""
        if module in ("collections", "datetime") or module.startswith(("sandbox.", "moto.ecr.")):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an account")


class State:
    """A directory that one sandbox process at a time keeps its account in."""

    def __init__(self, folder: Path) -> None:
        self._account, self._blobs = folder / "account", folder / "blobs"
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(f"another sandbox keeps its account in {folder}") from error
        self._on_disk: set[str] = set()
        self._writing = threading.Lock()
        self._changed = threading.Event()

    def load(self) -> bool:
        """Make the directory's account this process's; False when there is none yet. Raises StateError."""
        if not self._account.exists():
            return False
        head, _, body = self._account.read_bytes().partition(b"\n")
        self._check(head, body)
        try:
            kept = _Unpickler(BytesIO(body)).load()
        except (pickle.UnpicklingError, ImportError, AttributeError) as error:
            raise StateError(f"{self._account} cannot be read: {error}") from error
        for digest in {digest for contents in kept["store"].values() for digest in contents["blobs"]}:
            self._load_blob(digest)
        state_contents.put_back(kept)
        return True

    def _check(self, head: bytes, body: bytes) -> None:
        try:
            found = json.loads(head)
        except ValueError as error:
            raise StateError(f"{self._account} is not a sandbox's state") from error
        ours = _versions()
        if {name: found.get(name) for name in ours} != ours:
            theirs = {name: found.get(name) for name in ours}
            raise StateError(
                f"the state in {self._account.parent} was written by another version of the sandbox ({theirs}; this "
                f"one reads {ours}): start with an empty directory, or with the version that wrote it"
            )
        if found["sha256"] != hashlib.sha256(body).hexdigest():
            raise StateError(f"{self._account} is damaged: its digest is not the one written in it")

    def _load_blob(self, digest: str) -> None:
        path = self._blobs / digest.removeprefix("sha256:")
        try:
            found = STORE.add_blob(path.read_bytes())
        except FileNotFoundError as error:
            raise StateError(f"the blob {path} is missing") from error
        if found != digest:
            raise StateError(f"the blob {path} is damaged: its digest is {found}")
        self._on_disk.add(digest)

    def save(self) -> None:
        """Write the account as it is now. Raises OSError."""
        with self._writing:
            self._changed.clear()
            kept = state_contents.take()
            for contents in kept["store"].values():
                for digest in contents["blobs"] - self._on_disk:
                    _replace(self._blobs / digest.removeprefix("sha256:"), STORE.blob(digest))
                    self._on_disk.add(digest)
            body = pickle.dumps(kept, protocol=5)
            head = json.dumps({**_versions(), "sha256": hashlib.sha256(body).hexdigest()})
            _replace(self._account, head.encode() + b"\n" + body)

    def watch(self, app: WSGIApp) -> WSGIApp:
        """The application, noting which requests may have changed the account; writes follow in the background."""
        STORE.listeners.append(lambda _push: self._changed.set())
        threading.Thread(target=self._keep, name="state", daemon=True).start()

        def watched(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            try:
                return app(environ, start_response)
            finally:
                if _may_change(environ):
                    self._changed.set()

        return watched

    def _keep(self) -> None:
        while self._changed.wait():
            began = time.monotonic()
            try:
                self.save()
            except OSError as error:
                self._changed.set()
                print(f"sandbox: the state could not be written: {error}", file=sys.stderr, flush=True)
            time.sleep(max(LEAST_SECONDS, 10 * (time.monotonic() - began)))


def _versions() -> dict[str, Any]:
    return {"format": FORMAT, "moto": pinned_moto.MOTO, "shape": state_contents.shape()}


def _may_change(environ: dict[str, Any]) -> bool:
    operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).rsplit(".", 1)[-1]
    return environ["REQUEST_METHOD"] not in ("GET", "HEAD") and not operation.startswith(_READS)


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
