"""What differs between two stacks of layers: layers, config, build steps, packages and files. Nothing is fetched here.

Releases of a base are compared so, and images.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from functions_app.domain.errors import DrydockError, Problem
from functions_app.domain.layers.entries import FileEntry, LayerContents
from functions_app.domain.layers.overlay import FileChange, FileDiff, diff_files, overlay
from functions_app.domain.layers.package_files import Package
from functions_app.domain.layers.packages import PackageChange, PackageDiff, diff_packages, overlay_packages
from functions_app.domain.runs import ACTIVE, Kind
from functions_app.domain.text import storable
from functions_app.models import LayerFiles, Run
from functions_app.services.images.files import layer_contents

SHOWN_FILES = 500  # of each kind of change
SHOWN_STEPS = SHOWN_LINES = 200
SHOWN_TEXT = 2000  # characters of a value
ALIGNED = 400  # items of both that are put beside each other: that takes the cube of their number
LOOKED_AT = 300_000  # files of both together: about four seconds, the first time
TITLES = {"entrypoint": "Entry point", "command": "Command", "working_directory": "Working directory"}
KINDS = {"rpm": "RPM", "deb": "Debian", "apk": "Alpine", "python": "Python", "npm": "Node"}


@dataclass(frozen=True)
class Stack:
    """One of the two. `sizes`: of its layers, compressed, none where they were not kept.

    `facts`: groups of what its config says, by name as it is shown; the first group in its own order.
    """

    diff_ids: tuple[str, ...]
    sizes: tuple[int, ...]
    facts: tuple[Mapping[str, str | None], ...]
    steps: tuple[str, ...]


@dataclass(frozen=True)
class LayerLine:
    """A layer, from the bottom up: kept, added or removed. `size_bytes` compressed; None where it was not kept."""

    change: str
    diff_id: str
    size_bytes: int | None


@dataclass(frozen=True)
class ConfigLine:
    """A field of the config that differs; None where one of the two does not have it."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class StepLine:
    """A build step of the history: kept, added or removed."""

    change: str
    text: str


@dataclass(frozen=True)
class PackageGroup:
    """What changes among the packages of one kind."""

    kind: str
    changed: tuple[PackageChange, ...]
    added: tuple[Package, ...]
    removed: tuple[Package, ...]


@dataclass(frozen=True)
class Files:
    """Files that differ: how many match, and the first of them."""

    added: tuple[FileEntry, ...]
    removed: tuple[FileEntry, ...]
    changed: tuple[FileChange, ...]
    totals: Mapping[str, int]

    @property
    def cut(self) -> bool:
        """Whether more match than are shown."""
        return any(total > SHOWN_FILES for total in self.totals.values())


@dataclass(frozen=True)
class Differences:
    """What differs. `packages` and `files` are None until every layer of both has been read, and where `too_much`."""

    layers: tuple[LayerLine, ...]
    shared: int  # layers from the bottom up that both have, before the first that differs
    config: tuple[ConfigLine, ...]
    more_config: int  # that are not among them
    steps: tuple[StepLine, ...]
    more_steps: int
    packages: tuple[PackageGroup, ...] | None
    files: Files | None
    notes: tuple[str, ...]
    unread: frozenset[str]  # diff ids
    problem: Problem | None
    too_much: str  # why what was read is not compared
    reading: int | None  # the run that reads layers at this moment

    def size(self, change: str) -> int:
        """Compressed bytes of the layers that are kept, added or removed."""
        return sum(line.size_bytes or 0 for line in self.layers if line.change == change)


@dataclass(frozen=True)
class _Contents:
    """The differences in what the layers hold."""

    files: FileDiff
    packages: PackageDiff
    notes: tuple[str, ...]


def differences(old: Stack, new: Stack, search: str = "") -> Differences:
    """Compare two stacks; `search` narrows the files by a part of their paths. Three queries at most."""
    wanted = {*old.diff_ids, *new.diff_ids}
    rows = LayerFiles.objects.filter(diff_id__in=wanted).values_list("diff_id", "read_at", "problem", "file_count")
    read = {row[0]: row[1:] for row in rows}
    unread = frozenset(diff_id for diff_id in wanted if diff_id not in read or read[diff_id][1])
    found, too_much = (None, "") if unread else _contents(old, new, read)
    config, steps = _config(old.facts, new.facts), _steps(old.steps, new.steps)
    return Differences(
        layers=_layers(old, new),
        shared=_alike_at_first(old.diff_ids, new.diff_ids),
        config=config[:SHOWN_LINES],
        more_config=len(config[SHOWN_LINES:]),
        steps=steps[:SHOWN_STEPS],
        more_steps=len(steps[SHOWN_STEPS:]),
        packages=_packages(found.packages) if found else None,
        files=_files(found.files, search) if found else None,
        notes=found.notes if found else (),
        unread=unread,
        problem=next((Problem.from_json(row[1]) for row in read.values() if row[1]), None),
        too_much=too_much,
        reading=_reading() if unread else None,
    )


def start_of(settings: Mapping[str, Any]) -> dict[str, str | None]:
    """How a config says that a container of it starts, by the names that are shown."""
    return {title: _text(settings.get(name)) for name, title in TITLES.items()}


def _text(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in value) or None
    return str(value) if value else None


def _contents(old: Stack, new: Stack, read: Mapping[str, Sequence[Any]]) -> tuple[_Contents | None, str]:
    """What differs in what the layers hold; or why that can't be told."""
    files = sum(read[diff_id][2] for diff_id in (*old.diff_ids, *new.diff_ids))
    if files > LOOKED_AT:
        return None, f"Their layers hold {files:,} files; a page looks through {LOOKED_AT:,} at most."
    stamp = tuple(sorted(row[0] for row in read.values()))
    try:
        return _differences(old.diff_ids, new.diff_ids, stamp), ""
    except DrydockError as error:  # layers that were made to take for ever
        return None, str(error)


def _reading() -> int | None:
    active = Run.objects.filter(kind=Kind.READ_FILES, status__in=sorted(ACTIVE))
    return active.order_by("pk").values_list("pk", flat=True).first()


@lru_cache(maxsize=8)
def _differences(old: tuple[str, ...], new: tuple[str, ...], stamp: tuple[datetime, ...]) -> _Contents | None:
    """Worked out once for two stacks of layers: a stack never changes. `stamp` tells another reading of them."""
    known = layer_contents({*old, *new})
    before = [contents for diff_id in old if (contents := known.get(diff_id))]
    after = [contents for diff_id in new if (contents := known.get(diff_id))]
    if len(before) < len(old) or len(after) < len(new):
        return None
    files = diff_files(_overlay(before), _overlay(after))
    packages = diff_packages(overlay_packages(before), overlay_packages(after))
    notes = dict.fromkeys(note for contents in (*before, *after) for note in contents.notes)
    return _Contents(files, packages, tuple(notes))


def _overlay(layers: Sequence[LayerContents]) -> Mapping[str, FileEntry]:
    return overlay([contents.entries for contents in layers])


def _layers(old: Stack, new: Stack) -> tuple[LayerLine, ...]:
    sizes = dict(pair for stack in (old, new) for pair in zip(stack.diff_ids, stack.sizes, strict=False))
    return tuple(
        LayerLine(change, diff_id, sizes.get(diff_id)) for change, diff_id in _merged(old.diff_ids, new.diff_ids)
    )


def _alike_at_first(old: Sequence[str], new: Sequence[str]) -> int:
    """How many items from the first one on are the same."""
    both = zip(old, new, strict=False)
    return next((at for at, (one, other) in enumerate(both) if one != other), min(len(old), len(new)))


def _merged(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Both lists as one, in order, each item kept, removed or added."""
    same = _alike_at_first(old, new)
    if max(len(old), len(new)) - same > ALIGNED:
        yield from (("kept", item) for item in old[:same])
        yield from (("removed", item) for item in old[same:])
        yield from (("added", item) for item in new[same:])
        return
    for kind, start, end, from_new, to_new in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from (("kept", item) for item in old[start:end])
            continue
        yield from (("removed", item) for item in old[start:end])
        yield from (("added", item) for item in new[from_new:to_new])


def _config(old: Sequence[Mapping[str, str | None]], new: Sequence[Mapping[str, str | None]]) -> tuple[ConfigLine, ...]:
    """What differs of each group; all but the first by name."""
    lines = []
    for at, (before, after) in enumerate(zip(old, new, strict=True)):
        names = {**before, **after}
        lines += [ConfigLine(name, before.get(name), after.get(name)) for name in (sorted(names) if at else names)]
    return tuple(replace(line, old=_cut(line.old), new=_cut(line.new)) for line in lines if line.old != line.new)


def _cut(value: str | None) -> str | None:
    return None if value is None else storable(value, SHOWN_TEXT)


def _steps(old: Sequence[str], new: Sequence[str]) -> tuple[StepLine, ...]:
    if old == new:
        return ()
    return tuple(StepLine(change, text) for change, text in _merged(old, new))


def _packages(found: PackageDiff) -> tuple[PackageGroup, ...]:
    kinds = {change.kind for change in found.changed} | {each.kind for each in (*found.added, *found.removed)}
    return tuple(
        PackageGroup(
            KINDS.get(kind, kind),
            tuple(change for change in found.changed if change.kind == kind),
            tuple(package for package in found.added if package.kind == kind),
            tuple(package for package in found.removed if package.kind == kind),
        )
        for kind in sorted(kinds)
    )


def _files(found: FileDiff, search: str) -> Files:
    word = search.strip().lower()
    added = [entry for entry in found.added if word in entry.path.lower()]
    removed = [entry for entry in found.removed if word in entry.path.lower()]
    changed = [change for change in found.changed if word in change.path.lower()]
    totals = {"added": len(added), "removed": len(removed), "changed": len(changed)}
    return Files(tuple(added[:SHOWN_FILES]), tuple(removed[:SHOWN_FILES]), tuple(changed[:SHOWN_FILES]), totals)
