"""A stack of layers as a tree of files, as a container runtime unpacks it; layers put upon one leave it as it is.

Source: OCI image-spec 1.1, layer.md, "Applying Changesets". Whiteouts of a layer hide what is below it, never what it
brings itself. As in containerd, a path leads through the symbolic links of the layers below: `lib/x` over a base whose
lib is a link to usr/lib is usr/lib/x.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.layers.entries import FileEntry

LINKS = 40  # symbolic links on the way to one path, as in Linux
STEPS = 20_000_000  # parts of paths walked for one stack: links that lead to long ways could cost hours
NAMES_BYTES = 128 * 1024**2
MADE = 200_000  # directories that no layer mentions: one long path makes 2,000, and a layer may have thousands of those
MADE_MODE = 0o755  # of a directory that no layer mentions, only what is in it


@dataclass(frozen=True, slots=True)
class PathChange:
    """A path that layers upon a stack write or hide: what it was, what it is (of which layer, by which entry)."""

    path: str
    before: FileEntry | None
    after: FileEntry | None
    layer: int = -1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads in the end, links followed: the path without links, its entry and the layer it came from."""

    path: str
    entry: FileEntry
    layer: int


class _Node:
    """A path of a tree: its entry, the layer it came from, and for a directory what is in it.

    It may be changed by its `owner` alone, the building that made it: others put a copy in its place.
    """

    __slots__ = ("children", "entry", "layer", "owner")

    def __init__(self, entry: FileEntry, layer: int, owner: object) -> None:
        self.entry = entry
        self.layer = layer
        self.owner = owner
        self.children: dict[str, _Node] | None = {} if entry.kind == "dir" else None

    def copied(self, owner: object) -> "_Node":
        node = _Node(self.entry, self.layer, owner)
        node.children = None if self.children is None else dict(self.children)
        return node


class FileTree:
    """What a stack of layers shows. Raises DrydockError(FAILED) for layers that were made to take for ever."""

    def __init__(self, root: _Node, layers: int) -> None:
        self._root, self._layers, self._steps = root, layers, 0

    @classmethod
    def of(cls, layers: Sequence[Sequence[FileEntry]]) -> "FileTree":
        """The tree of these layers, from the bottom up."""
        return cls(_Node(FileEntry("", "dir", mode=MADE_MODE), 0, None), 0).upon(layers)

    def upon(self, layers: Sequence[Sequence[FileEntry]]) -> "FileTree":
        """The tree of this one with these layers on top; what they don't touch, both share."""
        building = _Building(self._root)
        for number, entries in enumerate(layers, start=self._layers):
            building.apply(number, entries)
        return FileTree(building.root, self._layers + len(layers))

    def walk(self) -> Iterator[tuple[str, int, FileEntry]]:
        """Each path, with the layer it comes from and its entry there, sorted, parents first."""
        names = 0
        waiting = [("", self._root)]
        while waiting:
            path, node = waiting.pop()
            if path:
                names += len(path)
                if names > NAMES_BYTES:
                    raise _beyond("its paths together are too long")
                yield path, node.layer, node.entry
            if node.children:
                inside = sorted(node.children.items(), reverse=True)
                waiting += [(f"{path}/{name}" if path else name, child) for name, child in inside]

    def changes(self, below: "FileTree") -> Iterator[PathChange]:
        """What this tree changes of the one that it was put `upon`, whatever that one has."""
        names = 0
        waiting: list[tuple[str, _Node | None, _Node | None]] = [("", below._root, self._root)]
        while waiting:
            path, old, new = waiting.pop()
            names += len(path)
            if names > NAMES_BYTES:
                raise _beyond("its paths together are too long")
            if path and (old is None or new is None or new.layer >= below._layers):
                after, layer = (new.entry, new.layer) if new else (None, -1)
                yield PathChange(path, old.entry if old else None, after, layer)
            before, now = (old and old.children) or {}, (new and new.children) or {}
            for name in before.keys() | now.keys():
                one, two = before.get(name), now.get(name)
                if one is not two:
                    waiting.append((f"{path}/{name}" if path else name, one, two))

    def find(self, path: str) -> Place | None:
        """Where a path leads, through symbolic links, also the last one; None where there is nothing."""
        trail, names = [self._root], [""]
        parts, links = path.split("/")[::-1], 0
        while parts:
            self._steps += 1
            if self._steps > STEPS:
                raise _beyond("its links lead too long ways")
            part, here = parts.pop(), trail[-1].children
            if part in {"", "."}:
                continue
            if part == "..":
                if len(trail) > 1:
                    del trail[-1], names[-1]
                continue
            node = here.get(part) if here else None
            if node is None:
                return None
            if node.entry.kind != "symlink":
                trail.append(node)
                names.append(part)
                continue
            links += 1
            if links > LINKS:
                return None
            if node.entry.link.startswith("/"):
                del trail[1:], names[1:]
            parts += node.entry.link.split("/")[::-1]
        return Place("/".join(names[1:]), trail[-1].entry, trail[-1].layer)

    def holds(self, path: str) -> bool:
        """Whether the directory at a path has anything in it; the path has no links."""
        node: _Node | None = self._root
        for part in path.split("/") if path else ():
            node = node.children.get(part) if node and node.children else None
        return bool(node and node.children)


class _Building:
    """A tree while layers are put on it."""

    def __init__(self, root: _Node) -> None:
        self._owner = object()
        self._steps, self._missing = 0, 0
        self._folders: dict[str, _Node] = {}  # by the path that led there, while the way is the same
        self.root = root.copied(self._owner)

    def apply(self, number: int, entries: Sequence[FileEntry]) -> None:
        """Hide first, then add: the order of whiteouts within a layer has no meaning."""
        self._folders.clear()
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
        parent = self._folders.get(folder)
        if parent is None:
            parent = self._folders[folder] = self._made(folder, number)
        inside = parent.children
        if inside is None:
            raise AssertionError("unreachable: a directory that is missing is made")
        known = inside.get(name)
        if entry.kind == "dir" and known is not None and known.children is not None:
            known = inside[name] = self._own(known)
            known.entry, known.layer = entry, number
            return
        linked = self._linked(entry)
        if known is not None and (known.children is not None or known.entry.kind == "symlink"):
            self._folders.clear()
        inside[name] = _Node(linked, number, self._owner)

    def _linked(self, entry: FileEntry) -> FileEntry:
        """A hard link with the size and digest of what it is a link to at this moment."""
        if entry.kind != "hardlink":
            return entry
        folder, _, name = entry.link.rpartition("/")
        parent = self._directory(folder)
        target = parent.children.get(name) if parent is not None and parent.children else None
        return replace(entry, size=target.entry.size, digest=target.entry.digest) if target else entry

    def _made(self, path: str, number: int) -> _Node:
        node = self._directory(path, make_for=number)
        if node is None:
            raise AssertionError("unreachable: a directory that is missing is made")
        return node

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
                del trail[max(1, len(trail) - 1) :]
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
                if node is not None:
                    self._folders.clear()
                self._count_made()
                node = _Node(FileEntry(part, "dir", mode=MADE_MODE), make_for, self._owner)
            here[part] = node = self._own(node)
            trail.append(node)
        return trail[-1]

    def _own(self, node: _Node) -> _Node:
        return node if node.owner is self._owner else node.copied(self._owner)

    def _count_made(self) -> None:
        self._missing += 1
        if self._missing > MADE:
            raise _beyond("it has too many directories that it does not name")

    def _step(self) -> None:
        self._steps += 1
        if self._steps > STEPS:
            raise _beyond("its links lead too long ways")


def _beyond(why: str) -> DrydockError:
    return DrydockError(Code.FAILED, f"The layers are beyond what Drydock reads: {why}.")
