"""What changes from one release of a base to another: layers, config, packages and files. Nothing is fetched here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.layers.entries import FileEntry, LayerContents
from functions_app.domain.layers.overlay import FileChange, FileDiff, diff_files, overlay
from functions_app.domain.layers.package_files import Package
from functions_app.domain.layers.packages import PackageChange, PackageDiff, diff_packages, overlay_packages
from functions_app.domain.redaction import redact_value
from functions_app.domain.runs import ACTIVE, Kind
from functions_app.models import BaseRelease, BaseStream, LayerFiles, Run
from functions_app.services.images.files import layer_contents

SHOWN_FILES = 500  # of each kind of change
SHOWN_STEPS = 200
KINDS = {"rpm": "RPM", "deb": "Debian", "apk": "Alpine", "python": "Python", "npm": "Node"}


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
class Comparison:
    """The whole page. `packages` and `files` are None until every layer of both has been read."""

    stream: BaseStream
    old: BaseRelease
    new: BaseRelease
    choices: tuple[BaseRelease, ...]
    layers: tuple[LayerLine, ...]
    config: tuple[ConfigLine, ...]
    steps: tuple[StepLine, ...]
    packages: tuple[PackageGroup, ...] | None
    files: Files | None
    notes: tuple[str, ...]
    unread: int
    problem: Problem | None
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


def compare(stream_id: int, old_id: int | None, new_id: int | None, search: str = "") -> Comparison:
    """Compare two releases of a stream; without ids the current one with the one before. Five queries at most.

    An old one alone is compared with the current one for its platform.

    Raises NOT_FOUND for a stream or a release that is not there.
    """
    stream = BaseStream.objects.filter(pk=stream_id).first()
    if stream is None:
        raise DrydockError(Code.NOT_FOUND, "Drydock knows no such base image.", next_step="Look in Base images.")
    choices = tuple(stream.releases.defer("config", "layers", "diff_ids").order_by("-created_at", "pk"))
    old, new = _pair(stream, choices, old_id, new_id)
    read = {row[0]: row[1:] for row in _read_layers({*old.diff_ids, *new.diff_ids})}
    unread = [diff_id for diff_id in {*old.diff_ids, *new.diff_ids} if diff_id not in read or read[diff_id][1]]
    found = None if unread else _differences(tuple(old.diff_ids), tuple(new.diff_ids), _stamp(read.values()))
    problem = next((Problem.from_json(row[1]) for row in read.values() if row[1]), None)
    return Comparison(
        stream=stream,
        old=old,
        new=new,
        choices=choices,
        layers=_layers(old, new),
        config=_config(old.config, new.config),
        steps=_steps(old.config, new.config),
        packages=_packages(found.packages) if found else None,
        files=_files(found.files, search) if found else None,
        notes=found.notes if found else (),
        unread=len(unread),
        problem=problem,
        reading=_reading() if unread else None,
    )


def _reading() -> int | None:
    active = Run.objects.filter(kind=Kind.READ_FILES, status__in=sorted(ACTIVE))
    return active.order_by("pk").values_list("pk", flat=True).first()


def _pair(
    stream: BaseStream, choices: Sequence[BaseRelease], old_id: int | None, new_id: int | None
) -> tuple[BaseRelease, BaseRelease]:
    if not choices:
        raise DrydockError(Code.NOT_FOUND, f"No release of {stream.name} is known yet.", next_step="Poll it first.")
    before = next((row for row in choices if row.pk == old_id), None)
    if new_id is None:
        alike = [row for row in choices if before is None or row.platform == before.platform]
        new_id = next((row for row in alike if row.current), (*alike, choices[0])[0]).pk
    if old_id is None:
        after = next((row for row in choices if row.pk == new_id), choices[0])
        earlier = [row for row in choices if row.platform == after.platform and row.created_at < after.created_at]
        old_id = (earlier[0] if earlier else after).pk
    rows = stream.releases.in_bulk([old_id, new_id])
    if old_id not in rows or new_id not in rows:
        raise DrydockError(
            Code.NOT_FOUND,
            f"{stream.name} has no such release.",
            next_step="Choose two releases on the base image's page.",
        )
    return rows[old_id], rows[new_id]


def _read_layers(diff_ids: Iterable[str]) -> Iterable[tuple[str, datetime, dict[str, Any] | None]]:
    return LayerFiles.objects.filter(diff_id__in=list(diff_ids)).values_list("diff_id", "read_at", "problem")


def _stamp(rows: Iterable[tuple[datetime, Any]]) -> tuple[datetime, ...]:
    return tuple(sorted(row[0] for row in rows))


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


def _layers(old: BaseRelease, new: BaseRelease) -> tuple[LayerLine, ...]:
    sizes = {
        diff_id: int(layer["size"])
        for release in (old, new)
        for diff_id, layer in zip(release.diff_ids, release.layers, strict=False)
        if len(release.layers) == len(release.diff_ids)
    }
    return tuple(
        LayerLine(change, diff_id, sizes.get(diff_id)) for change, diff_id in _merged(old.diff_ids, new.diff_ids)
    )


def _merged(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Both lists as one, in order, each item kept, removed or added."""
    for kind, start, end, from_new, to_new in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from (("kept", item) for item in old[start:end])
            continue
        yield from (("removed", item) for item in old[start:end])
        yield from (("added", item) for item in new[from_new:to_new])


def _config(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[ConfigLine, ...]:
    """Fields that differ. A company's base may carry a secret in ENV: values whose name or look says so are masked."""
    titles = {"entrypoint": "Entry point", "command": "Command", "working_directory": "Working directory"}
    lines = [ConfigLine(title, _text(old.get(name)), _text(new.get(name))) for name, title in titles.items()]
    for title, before, after in (
        ("ENV", _pairs(old.get("env")), _pairs(new.get("env"))),
        ("Label", _pairs(old.get("labels")), _pairs(new.get("labels"))),
    ):
        lines += [
            ConfigLine(f"{title} {name}", before.get(name), after.get(name)) for name in sorted({*before, *after})
        ]
    return tuple(line for line in lines if line.old != line.new)


def _text(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in value) or None
    return str(value) if value else None


def _pairs(value: Any) -> dict[str, str]:
    found = dict(value or {})
    return {str(name): str(text) for name, text in redact_value(found).items()}


def _steps(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[StepLine, ...]:
    before, after = ([str(step[0]) for step in config.get("history") or ()] for config in (old, new))
    if before == after:
        return ()
    return tuple(StepLine(change, text) for change, text in _merged(before, after))[:SHOWN_STEPS]


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
