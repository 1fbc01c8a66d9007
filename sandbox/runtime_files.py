"""Root file systems of images: layers unpacked into a temporary folder that goes when the sandbox ends."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


def unpack(layers: Iterable[bytes], root: Path) -> None:
    """Apply layer tars (gzip or plain) in order, with whiteouts. Raises tarfile.FilterError for one that escapes.

    Source: OCI image-spec, "Applying Changesets".
    """
    for data in layers:
        tar = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                if path.name == _OPAQUE:
                    _empty(root / path.parent)
                elif path.name.startswith(_WHITEOUT):
                    _remove(root / path.parent / path.name.removeprefix(_WHITEOUT))
                else:
                    if not member.isdir():
                        _remove(root / path)
                    archive.extract(member, root, set_attrs=False, filter="tar")
                    if member.isfile():
                        (root / path).chmod(member.mode | 0o600)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _empty(folder: Path) -> None:
    for child in folder.iterdir() if folder.is_dir() else ():
        _remove(child)


class Roots:
    """Unpacked images by digest, shared by all environments as Lambda's read-only root is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._ready: dict[str, Path] = {}

    def root(self, digest: str, layers: Callable[[], Iterable[bytes]]) -> Path:
        """The root of an image, unpacked at its first use."""
        with self._lock:
            if digest not in self._ready:
                root = self._parent() / digest.removeprefix("sha256:")[:16]
                root.mkdir()
                unpack(layers(), root)
                self._ready[digest] = root
            return self._ready[digest]

    def scratch(self) -> Path:
        """A new folder that stands for one environment's /tmp."""
        with self._lock:
            return Path(tempfile.mkdtemp(prefix="tmp-", dir=self._parent()))

    def clear(self) -> None:
        """Remove everything that was unpacked."""
        with self._lock:
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            self._ready.clear()

    def _parent(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="drydock-sandbox-"))
        return self._folder


ROOTS = Roots()
