"""Read the tar of a layer as it streams by: constant memory, nothing on disk, everything in it distrusted.

Names are taken as containerd takes them: cleaned as if the layer's root were the file system's, so that neither
`/etc/passwd` nor `../../etc/passwd` leads anywhere else. Source: OCI image-spec 1.1, layer.md.
"""

import hashlib
import posixpath
import struct
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, Protocol, cast

from functions_app.domain.errors import DrydockError
from functions_app.domain.layers.code_reading import CodeReading
from functions_app.domain.layers.effort import Effort
from functions_app.domain.layers.entries import FileEntry, LayerContents, Limits
from functions_app.domain.layers.entry_table import EntryTable
from functions_app.domain.layers.package_files import MetadataReader, Package, reader_of, unread_changes
from functions_app.domain.layers.tar_headers import HEADER_BYTES, beyond, broken, forget, members_within
from functions_app.domain.text import visible

CHUNK = 256 * 1024
ENDS = 16  # readings beyond the end: tarfile goes on for as long as an entry claims to
SEGMENTS = 10_000  # of a sparse file: tarfile joins them piece by piece
NOTES = 20
WHITEOUT, OPAQUE, AUFS = ".wh.", ".wh..wh..opq", ".wh..wh."


class Readable(Protocol):
    """All that is asked of a stream."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


def read_tar(
    stream: Readable, *, limits: Limits | None = None, watch: Callable[[], None] | None = None
) -> LayerContents:
    """Read an uncompressed layer to the end of the stream; an empty one has no entries.

    `watch` is called several times a second, whatever the layer holds; it may raise. Raises DrydockError: FAILED beyond
    a limit, INVALID for what is no tar, and what the stream and `watch` raise.
    """
    source = _Source(stream, limits or Limits(), watch or _nobody)
    reading = _Reading(source.limits, source.watch, CodeReading(source.limits, source.watch))
    try:
        source.expect_headers()
        with (
            closing(reading.code),
            tarfile.open(
                fileobj=cast(IO[bytes], source),  # only ever read
                mode="r|",
                bufsize=CHUNK,
                tarinfo=members_within(source.limits.size_bytes),
                encoding="utf-8",
                errors="backslashreplace",
            ) as archive,
        ):
            while (member := archive.next()) is not None:
                source.left = None
                reading.take(archive, member)
                forget(archive)
                source.expect_headers()
    except (tarfile.TarError, ValueError, OverflowError, IndexError, struct.error, RecursionError) as error:
        if source.read_bytes:
            raise broken(str(error) or type(error).__name__) from error
    source.drain()  # whoever checks the digest of the stream has to see all of it
    return reading.contents()


def _nobody() -> None:
    """Nobody will say that it is not wanted any more."""


class _Source:
    """The stream, with a bound on all of it and on what is read for the headers of one entry."""

    def __init__(self, stream: Readable, limits: Limits, watch: Callable[[], None]) -> None:
        self.limits, self.watch = limits, watch
        self.read_bytes = 0
        self.left: int | None = None
        self._stream = stream
        self._ends = 0

    def expect_headers(self) -> None:
        self.left = HEADER_BYTES + CHUNK

    def read(self, size: int) -> bytes:
        self.watch()
        data = self._stream.read(size)
        self.read_bytes += len(data)
        self._ends += not data
        if self._ends > ENDS:
            raise broken("it ends early")
        if self.read_bytes > self.limits.size_bytes:
            raise beyond(f"it is larger than {self.limits.size_bytes:,} bytes")
        if self.left is not None:
            self.left -= len(data)
            if self.left < 0:
                raise beyond(f"the headers of one entry are longer than {HEADER_BYTES:,} bytes")
        return data

    def drain(self) -> None:
        self.left = None
        while self.read(CHUNK):
            pass


@dataclass
class _Reading:
    limits: Limits
    watch: Callable[[], None]
    code: CodeReading
    entries: EntryTable = field(default_factory=EntryTable)
    packages: dict[str, list[Package]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    count: int = 0
    package_count: int = 0
    packages_bytes: int = 0
    size_bytes: int = 0
    names_bytes: int = 0

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Keep one entry of the archive; the last of a path wins, and comes last in order."""
        path = self._path(member.name)
        link = self._link(member)
        self.count += 1
        self.names_bytes += _bytes_of(path) + _bytes_of(link)
        if self.count > self.limits.entries:
            raise beyond(f"it has more than {self.limits.entries:,} entries")
        if self.names_bytes > self.limits.names_bytes:
            raise beyond(f"its paths together are longer than {self.limits.names_bytes:,} bytes")
        folder, name = posixpath.split(path)
        if not path:
            return  # the root itself
        if name.startswith(WHITEOUT):
            self._hide(folder, name)
        else:
            self._keep(archive, member, path, link)

    def contents(self) -> LayerContents:
        packages = tuple(package for path in sorted(self.packages) for package in self.packages[path])
        return LayerContents(
            self.entries,
            packages,
            self.size_bytes,
            tuple(self.notes),
            elves=tuple(self.code.elves.values()),
            imports=self.code.imports,
            marks=self.code.marks,
            gaps=tuple(self.code.gaps),
        )

    def _path(self, name: str) -> str:
        if _bytes_of(name) > self.limits.path_length:
            raise beyond(f"a path is longer than {self.limits.path_length:,} bytes: {name[:60]}...")
        return posixpath.normpath("/" + visible(name)).lstrip("/")

    def _link(self, member: tarfile.TarInfo) -> str:
        if member.islnk():
            return self._path(member.linkname)
        if not member.issym():
            return ""
        if _bytes_of(member.linkname) > self.limits.path_length:
            raise beyond(f"the target of a link is longer than {self.limits.path_length:,} bytes")
        return visible(member.linkname)

    def _hide(self, folder: str, name: str) -> None:
        if name == OPAQUE:
            self.entries.put(FileEntry(folder, "opaque"))
        elif not name.startswith(AUFS):  # aufs's own notes, which mean nothing elsewhere
            hidden = name.removeprefix(WHITEOUT)
            if hidden in {"", ".", ".."}:
                raise broken(f"the whiteout {folder}/{name} hides no name")
            self.entries.put(FileEntry(posixpath.join(folder, hidden), "whiteout"))

    def _keep(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, link: str) -> None:
        mode = member.mode & 0o7777
        self.packages.pop(path, None)
        self.code.replace(path, member.pax_headers)
        if member.isreg() and member.type in tarfile.SUPPORTED_TYPES:
            digest = self._read_file(archive, member, path)
            self.entries.put(FileEntry(path, "file", member.size, digest, mode=mode))
        elif member.isdir():
            self.entries.put(FileEntry(path, "dir", mode=mode))
        elif member.issym():
            self.entries.put(FileEntry(path, "symlink", link=link))
        elif member.islnk():
            if (known := self.packages.get(link)) and reader_of(path):
                self._keep_packages(path, [Package(one.kind, one.name, one.version, path) for one in known])
            self.entries.put(FileEntry(path, "hardlink", link=link, mode=mode))
        elif member.isdev():
            self.entries.put(FileEntry(path, "device", mode=mode))
        else:
            raise broken(f"{path} is of the unknown type {member.type!r}")

    def _read_file(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> str:
        self.size_bytes += member.size
        if self.size_bytes > self.limits.size_bytes:
            raise beyond(f"its files are larger than {self.limits.size_bytes:,} bytes")
        if len(member.sparse or ()) > SEGMENTS:
            raise beyond(f"{path} is sparse, in more than {SEGMENTS:,} pieces")
        file = archive.extractfile(member)
        if file is None:
            raise broken(f"{path} has no contents")
        if unread_changes(path, member.size):
            self._note(f"{path} holds changes that its database does not have yet: they are not known.")
        reader = reader_of(path)
        wanted = self._wanted(reader, member.size, path)
        kept, digest, size = bytearray(), hashlib.sha256(), 0
        sight = None
        while chunk := file.read(CHUNK):
            self.watch()  # here too: a hole of gigabytes is read from nowhere
            digest.update(chunk)
            if not size:
                sight = self.code.sight(path, member.size, chunk)
            if sight:
                sight.take(chunk)
            size += len(chunk)
            kept += chunk[: max(0, wanted - len(kept))]
        if size != member.size:
            raise broken(f"{path} ends early")
        if sight:
            sight.end()
        if reader and wanted:
            self._read_metadata(reader, kept, path)
        return digest.hexdigest()

    def _wanted(self, reader: MetadataReader | None, size: int, path: str) -> int:
        """How many bytes of a file to keep for reading."""
        if reader is None:
            return 0
        if size > reader.limit and not reader.head:
            self._note(f"{path} is larger than {reader.limit:,} bytes: its packages are not known.")
            return 0
        return min(size, reader.limit)

    def _read_metadata(self, reader: MetadataReader, data: bytearray, path: str) -> None:
        try:
            packages = reader.packages(data, path, Effort(self.watch))
        except DrydockError as error:
            self._note(f"{path}: {error.problem.message}")
            return
        self._keep_packages(path, packages)

    def _keep_packages(self, path: str, packages: list[Package]) -> None:
        count = self.package_count + len(packages)
        held = self.packages_bytes + sum(package.held_bytes for package in packages) + sys.getsizeof(path)
        if count > self.limits.packages:
            self._note(f"It has more than {self.limits.packages:,} packages: not all are known.")
        elif held > self.limits.packages_bytes:
            self._note(f"Its packages take more than {self.limits.packages_bytes:,} bytes: not all are known.")
        elif packages:
            self.packages[path], self.package_count, self.packages_bytes = packages, count, held

    def _note(self, text: str) -> None:
        if len(self.notes) < NOTES and text not in self.notes:
            self.notes.append(text[:300])


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
