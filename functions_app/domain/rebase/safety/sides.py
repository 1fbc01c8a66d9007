"""What a verdict is made from: two bases, the app's layers and settings, and how they lie on each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from functions_app.domain.layers.elves import ElfFacts
from functions_app.domain.layers.entries import FileEntry, LayerContents
from functions_app.domain.layers.package_files import Package
from functions_app.domain.layers.tree import FileTree, PathChange
from functions_app.domain.rebase.safety.paths import content


@dataclass(frozen=True)
class SideFiles:
    """A base: its layers from the bottom up, and what is known of its stream.

    `runtime` and `version` as in "python" and "3.12" of python:3.12; `os` such as "al2023"; '' where not known. What
    is worked out from the layers is kept: one object serves many verdicts.
    """

    layers: tuple[LayerContents, ...]
    runtime: str = ""
    version: str = ""
    os: str = ""

    @cached_property
    def tree(self) -> FileTree:
        """Its files as a tree, which paths can be looked up in."""
        return FileTree.of([layer.entries for layer in self.layers])

    @cached_property
    def _shown(self) -> tuple[dict[str, FileEntry], tuple[Package, ...]]:
        told = {(number, one.path) for number, layer in enumerate(self.layers) for one in layer.packages}
        files, kept = {}, set()
        for path, number, entry in self.tree.walk():
            files[path] = entry
            if (number, entry.path) in told:
                kept.add((number, entry.path))
        packages = (
            one for number, layer in enumerate(self.layers) for one in layer.packages if (number, one.path) in kept
        )
        return files, tuple(packages)

    @property
    def files(self) -> Mapping[str, FileEntry]:
        """Path to entry, as its layers have it."""
        return self._shown[0]

    @cached_property
    def elves(self) -> dict[tuple[int, str], ElfFacts]:
        """Its programs and libraries, by the number of their layer and the path of their entry."""
        return {(number, elf.path): elf for number, layer in enumerate(self.layers) for elf in layer.elves}

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages whose metadata shows."""
        return self._shown[1]


@dataclass(frozen=True)
class AppSide:
    """An app: its own layers and the `created_by` of its own build steps, from the bottom up.

    `entrypoint`, `command`, `workdir` and `environment` are those that the result will have;
    `environment_before` what the image has now (empty: the same). `signatures` and `boms`
    name what was made for the image as it is.
    """

    layers: tuple[LayerContents, ...]
    steps: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    workdir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    environment_before: Mapping[str, str] = field(default_factory=dict)
    signatures: tuple[str, ...] = ()
    boms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """What is known of the new base as a release: since when there is it (None: not known), and how long to wait."""

    released: datetime | None = None
    now: datetime | None = None
    soak: timedelta = timedelta()
    withdrawn: bool = False


class Case:
    """An app between two bases. Everything is worked out once, and as much as a rule asks for."""

    def __init__(self, old: SideFiles, new: SideFiles, app: AppSide) -> None:
        self.old, self.new, self.app = old, new, app
        self.entries = [tuple(layer.entries) for layer in app.layers]  # a table makes its entries at each look

    @cached_property
    def on_old(self) -> FileTree:
        """The app on the old base, as it was built."""
        return self.old.tree.upon(self.entries)

    @cached_property
    def on_new(self) -> FileTree:
        """The app on the new base, as it would be."""
        return self.new.tree.upon(self.entries)

    @cached_property
    def differences(self) -> dict[str, tuple[FileEntry | None, FileEntry | None]]:
        """Where the bases differ: path to what the old and the new one have. Modes alone are no difference."""
        before, after = self.old.files, self.new.files
        differ: dict[str, tuple[FileEntry | None, FileEntry | None]] = {}
        for path, entry in before.items():
            other = after.get(path)
            if other is None or (entry is not other and content(entry) != content(other)):
                differ[path] = entry, other
        differ.update((path, (None, after[path])) for path in after.keys() - before.keys())
        return differ

    @cached_property
    def touched(self) -> tuple[PathChange, ...]:
        """What the app writes and hides on the old base."""
        return tuple(self.on_old.changes(self.old.tree))

    @cached_property
    def touched_anew(self) -> tuple[PathChange, ...]:
        """What it would write and hide on the new base."""
        return tuple(self.on_new.changes(self.new.tree))

    @cached_property
    def written(self) -> dict[str, FileEntry]:
        """The app's files and links, by where they lie on the old base."""
        return {one.path: one.after for one in self.touched if one.after is not None and one.after.kind != "dir"}

    @cached_property
    def hidden(self) -> dict[str, FileEntry]:
        """What the old base has and the app's layers take away."""
        return {one.path: one.before for one in self.touched if one.after is None and one.before is not None}

    def same_as_new(self, path: str) -> bool:
        """Whether the app has at this path what the new base has there, so that it makes no difference."""
        mine, theirs = self.written.get(path), self.new.files.get(path)
        return (mine and content(mine)) == (theirs and content(theirs))
