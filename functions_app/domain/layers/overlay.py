"""What a stack of layers shows, path by path (layers.tree unpacks it), and how two such file systems differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from functions_app.domain.layers.entries import FileEntry
from functions_app.domain.layers.tree import FileTree


@dataclass(frozen=True)
class FileChange:
    """A path that both have, with other contents, another kind, target or mode."""

    path: str
    old: FileEntry
    new: FileEntry


@dataclass(frozen=True)
class FileDiff:
    """How two file systems differ, each part sorted by path."""

    added: tuple[FileEntry, ...]
    removed: tuple[FileEntry, ...]
    changed: tuple[FileChange, ...]


def merged(layers: Sequence[Sequence[FileEntry]]) -> Iterator[tuple[str, int, FileEntry]]:
    """Each path that a stack of layers shows, with the layer it comes from and its entry there, parents first."""
    return FileTree.of(layers).walk()


def overlay(layers: Sequence[Sequence[FileEntry]]) -> dict[str, FileEntry]:
    """What a stack of layers shows, from the bottom up: path to entry, each hard link with what it is a link to.

    Raises DrydockError(FAILED) for layers that were made to take for ever.
    """
    return {path: entry if entry.path == path else replace(entry, path=path) for path, _, entry in merged(layers)}


def diff_files(old: Mapping[str, FileEntry], new: Mapping[str, FileEntry]) -> FileDiff:
    """How the file system `new` differs from `old`, both as `overlay` gives them."""
    changed = (
        FileChange(path, old[path], new[path])
        for path in sorted(old.keys() & new.keys())
        if old[path] is not new[path] and _facts(old[path]) != _facts(new[path])
    )
    return FileDiff(
        added=tuple(new[path] for path in sorted(new.keys() - old.keys())),
        removed=tuple(old[path] for path in sorted(old.keys() - new.keys())),
        changed=tuple(changed),
    )


def _facts(entry: FileEntry) -> tuple[str | int, ...]:
    """What must be equal. A hard link is a file like any other: how a tar stores it says nothing."""
    if entry.kind == "symlink":
        return entry.kind, entry.link
    if entry.kind in {"file", "hardlink"}:
        return "file", entry.digest or entry.link, entry.mode
    return entry.kind, entry.mode
