"""What a stack of layers shows, as a container runtime unpacks it, and how two such file systems differ.

Source: OCI image-spec 1.1, layer.md, "Applying Changesets". Whiteouts of a layer hide what is below it, never what it
brings itself. As in containerd, a path leads through the symbolic links of the layers below: `lib/x` over a base whose
lib is a link to usr/lib is usr/lib/x.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.layers.entries import FileEntry

LINKS = 40  # symbolic links on the way to one path, as in Linux
STEPS = 20_000_000  # parts of paths walked for one stack: links that lead to long ways could cost hours
NAMES_BYTES = 256 * 1024**2
MADE_MODE = 0o755  # of a directory that no layer mentions, only what is in it


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


class _Node:
    """A path of the merged file system: its entry, the layer it came from, and for a directory what is in it."""

    __slots__ = ("children", "entry", "layer")

    def __init__(self, entry: FileEntry, layer: int) -> None:
        self.entry = entry
        self.layer = layer
        self.children: dict[str, _Node] | None = {} if entry.kind == "dir" else None


class _Stack:
    """Layers applied one upon the other."""

    def __init__(self) -> None:
        self.root = _Node(FileEntry("", "dir", mode=MADE_MODE), 0)
        self.steps = 0

    def apply(self, number: int, entries: Sequence[FileEntry]) -> None:
        """Hide first, then add: the order of whiteouts within a layer has no meaning."""
        for entry in entries:
            if entry.kind == "opaque":
                node = self._directory(entry.path)
                if node is not None and node.children:
                    node.children.clear()
        for entry in entries:
            if entry.kind == "whiteout":
                folder, _, name = entry.path.rpartition("/")
                parent = self._directory(folder)
                if parent is not None and parent.children:
                    parent.children.pop(name, None)
        for entry in entries:
            if entry.kind not in {"opaque", "whiteout"}:
                self._place(number, entry)

    def _place(self, number: int, entry: FileEntry) -> None:
        folder, _, name = entry.path.rpartition("/")
        parent = self._directory(folder, make_for=number)
        if parent is None or parent.children is None:
            raise AssertionError("unreachable: a directory that is missing is made")
        known = parent.children.get(name)
        if entry.kind == "dir" and known is not None and known.children is not None:
            known.entry, known.layer = entry, number
            return
        parent.children[name] = _Node(self._linked(entry), number)

    def _linked(self, entry: FileEntry) -> FileEntry:
        """A hard link with the size and digest of what it is a link to at this moment."""
        if entry.kind != "hardlink":
            return entry
        folder, _, name = entry.link.rpartition("/")
        parent = self._directory(folder)
        target = parent.children.get(name) if parent is not None and parent.children else None
        return replace(entry, size=target.entry.size, digest=target.entry.digest) if target else entry

    def _directory(self, path: str, *, make_for: int | None = None) -> _Node | None:
        """The directory at a path, through symbolic links; where it is missing it is made for a layer, or None."""
        trail, parts, links = [self.root], path.split("/")[::-1], 0
        while parts:
            self._step()
            part = parts.pop()
            here = trail[-1].children
            if part in {"", "."} or here is None:
                continue
            if part == "..":
                trail = trail[:-1] or trail
                continue
            node = here.get(part)
            if node is not None and node.entry.kind == "symlink" and links < LINKS:
                links += 1
                trail = [self.root] if node.entry.link.startswith("/") else trail
                parts += node.entry.link.split("/")[::-1]
                continue
            if node is None or node.children is None:
                if make_for is None:
                    return None
                node = here[part] = _Node(FileEntry(part, "dir", mode=MADE_MODE), make_for)
            trail.append(node)
        return trail[-1]

    def _step(self) -> None:
        self.steps += 1
        if self.steps > STEPS:
            raise _beyond("its links lead too long ways")


def merged(layers: Sequence[Sequence[FileEntry]]) -> Iterator[tuple[str, int, FileEntry]]:
    """Each path that a stack of layers shows, with the layer it comes from and its entry there, parents first."""
    stack = _Stack()
    for number, entries in enumerate(layers):
        stack.apply(number, entries)
    names = 0
    waiting = [("", stack.root)]
    while waiting:
        path, node = waiting.pop()
        if path:
            names += len(path)
            if names > NAMES_BYTES:
                raise _beyond("its paths together are too long")
            yield path, node.layer, node.entry
        inside = sorted((node.children or {}).items(), key=lambda item: item[0], reverse=True)
        waiting += [(f"{path}/{name}" if path else name, child) for name, child in inside]


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
        if _facts(old[path]) != _facts(new[path])
    )
    return FileDiff(
        added=tuple(new[path] for path in sorted(new.keys() - old.keys())),
        removed=tuple(old[path] for path in sorted(old.keys() - new.keys())),
        changed=tuple(changed),
    )


def _facts(entry: FileEntry) -> tuple[str, ...]:
    """What must be equal. A hard link is a file like any other: how a tar stores it says nothing."""
    if entry.kind == "symlink":
        return entry.kind, entry.link
    if entry.kind in {"file", "hardlink"}:
        return "file", entry.digest or entry.link, oct(entry.mode)
    return entry.kind, oct(entry.mode)


def _beyond(why: str) -> DrydockError:
    return DrydockError(Code.FAILED, f"The layers are beyond what Drydock reads: {why}.")
