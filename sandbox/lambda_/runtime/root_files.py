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
    """Apply layer tars (gzip or plain) in order, with whiteouts. Raises tarfile.ExtractError for one that escapes.

    Source: OCI image-spec, "Applying Changesets".
    """
    root = root.resolve()
    for data in layers:
        tar = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            # The check is our own: tarfile has filters only since Python 3.11.4, and Debian 12 comes with 3.11.2.
            archive.extraction_filter = lambda member, _: member
            for member in archive:
                path = _inside(root, member.name)
                if path.name == _OPAQUE:
                    _empty(root / path.parent)
                elif path.name.startswith(_WHITEOUT):
                    _remove(root / _inside(root, str(path.parent / path.name.removeprefix(_WHITEOUT))))
                else:
                    if not member.isdir():
                        _remove(root / path)
                    member.name = str(path)
                    if member.islnk():
                        member.linkname = str(_inside(root, member.linkname))
                    archive.extract(member, root, set_attrs=False)
                    if member.isfile():
                        (root / path).chmod(member.mode | 0o600)


def _inside(root: Path, name: str) -> PurePosixPath:
    """The path below root that a tar's entry names. Raises tarfile.ExtractError for one outside."""
    path = PurePosixPath(name.lstrip("/"))
    if ".." in path.parts or not (root / path.parent).resolve().is_relative_to(root):
        raise tarfile.ExtractError(f"{name!r} leads out of the image")
    return path


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
                shutil.rmtree(root, ignore_errors=True)  # what an unpacking that failed has left
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
