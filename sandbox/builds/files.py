"""Files of a build: its context, what an image's layers add up to, and what COPY picks from them."""

from __future__ import annotations

import fnmatch
import io
import posixpath
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.images.making import Entry, Executable, Layer, SymlinkTo


class BuildError(Exception):
    """What `docker build` refuses, in its words."""


@dataclass
class Files:
    """Files by path without a leading slash, and the directories that are there, empty ones too."""

    entries: dict[str, Entry] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)

    def put(self, path: str, entry: Entry) -> None:
        """Add or replace a file, with its parents."""
        self.entries[path] = entry
        parts = path.split("/")
        self.directories.update("/".join(parts[:depth]) for depth in range(1, len(parts)))

    def drop(self, path: str) -> None:
        """Take away a file, or a directory with all that is in it."""
        under = f"{path}/"
        self.entries = {
            name: entry for name, entry in self.entries.items() if name != path and not name.startswith(under)
        }
        self.directories = {name for name in self.directories if name != path and not name.startswith(under)}


def flatten(layers: Iterable[Layer]) -> Files:
    """What a container of these layers sees, whiteouts applied."""
    files = Files()
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer.tar)) as archive:
            for member in archive:
                _apply(files, archive, member)
    return files


def _apply(files: Files, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    path = posixpath.normpath(member.name).lstrip("/")
    parent, name = posixpath.split(path)
    if name == ".wh..wh..opq":
        files.drop(parent)
        files.directories.add(parent)
    elif name.startswith(".wh."):
        files.drop(posixpath.join(parent, name.removeprefix(".wh.")))
    elif member.isdir():
        files.directories.add(path)
    elif member.issym():
        files.put(path, SymlinkTo(member.linkname))
    elif member.isreg() or member.islnk():
        content = archive.extractfile(member)
        data = content.read() if content else b""
        files.put(path, Executable(data) if member.mode & 0o111 else data)


def pick(source: Files, patterns: Sequence[str], target: str, there: Iterable[str]) -> Mapping[str, Entry]:
    """What COPY puts where: the new layer's files. `there` are the directories that the image has already.

    Raises BuildError for a pattern that matches nothing.
    """
    matched = [(pattern, match) for pattern in patterns for match in _matches(source, pattern)]
    into = posixpath.normpath(target).strip("/").removeprefix(".")
    is_directory = target.endswith(("/", "/.")) or len(matched) > 1 or into in set(there) or not into
    if len(matched) > 1 and not target.endswith(("/", "/.")) and into not in set(there):
        raise BuildError(
            "When using COPY with more than one source file, the destination must be a directory and end with a /"
        )
    found: dict[str, Entry] = {}
    for _pattern, path in matched:
        if path in source.entries:
            name = posixpath.join(into, posixpath.basename(path)) if is_directory else into
            found[name] = source.entries[path]
            continue
        # Of a directory its contents are copied, not itself.
        under = f"{path}/" if path else ""
        inside = {name: entry for name, entry in source.entries.items() if name.startswith(under)}
        found |= {posixpath.join(into, name.removeprefix(under)): entry for name, entry in inside.items()}
        if not inside:
            found[f"{into}/"] = b""
    return found


def _matches(source: Files, pattern: str) -> list[str]:
    wanted = posixpath.normpath(posixpath.join("/", pattern)).strip("/")
    if wanted == "" or wanted in source.entries or wanted in source.directories:
        return [wanted]
    depth = wanted.count("/")
    names = sorted(name for name in (*source.entries, *source.directories) if name.count("/") == depth)
    # Docker's wildcards stay within a directory, and "no match" is an error only when the pattern has none.
    found = [name for name in names if fnmatch.fnmatchcase(name, wanted)] if any(c in wanted for c in "*?[") else []
    if not found:
        raise BuildError(f'failed to compute cache key: failed to calculate checksum of ref: "/{wanted}": not found')
    return found
