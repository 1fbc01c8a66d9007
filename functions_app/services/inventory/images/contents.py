"""What an image's layers hold, as far as they were read: sizes, packages, and what stands out in the app's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from functions_app.domain.errors import DrydockError
from functions_app.domain.images.app_files import AppFiles, describe_app_files
from functions_app.domain.layers.overlay import overlay
from functions_app.domain.layers.package_files import Package
from functions_app.domain.layers.packages import diff_packages, overlay_packages
from functions_app.models import Image, LayerFiles
from functions_app.services.images.files import layer_contents

SHOWN_PACKAGES = 200
KEPT = 64  # images whose own files are kept in memory, digested: what a layer holds never changes
KEPT_BASES = 16
LOOKED_AT = 150_000  # files of one image: about two seconds, the first time


@dataclass(frozen=True)
class LayerRead:
    """What is known of one layer: its files and their uncompressed bytes, or why it could not be read."""

    files: int
    size_bytes: int
    problem: str


@dataclass(frozen=True)
class PackageRow:
    """A package that the app's own layers bring; `instead_of` is the base's version where that differs."""

    kind: str
    name: str
    version: str
    instead_of: str


@dataclass(frozen=True)
class Contents:
    """What is known of an image's layers. None: not all of the layers concerned were read.

    `packages` are those of the app's own layers that the base does not have just so, the first of `package_count`;
    `names` all names of packages that are known, in lower case.
    """

    layers: Mapping[str, LayerRead]
    unread: int
    total_bytes: int | None
    own_bytes: int | None
    app: AppFiles | None
    packages: tuple[PackageRow, ...] | None
    package_count: int
    names: frozenset[str] | None
    base_packages: frozenset[tuple[str, str]] | None
    base_read: bool
    problem: str


def read_contents(image: Image, base_layers: int) -> Contents:
    """What was read of an image whose lowest `base_layers` layers belong to a base. Two queries, or one."""
    diff_ids: list[str] = [str(diff_id) for diff_id in image.diff_ids]
    rows = LayerFiles.objects.filter(diff_id__in=diff_ids).values_list(
        "diff_id", "file_count", "size_bytes", "packages", "problem"
    )
    layers: dict[str, LayerRead] = {}
    packages: dict[str, list[Package]] = {}
    for diff_id, files, size_bytes, held, problem in rows:
        layers[diff_id] = LayerRead(files, size_bytes, str((problem or {}).get("message", "")))
        if not problem:
            packages[diff_id] = [Package.from_json(package) for package in held]
    base, own = diff_ids[:base_layers], diff_ids[base_layers:]
    own_read = bool(diff_ids) and all(one in packages for one in own)
    base_read = bool(base) and all(one in packages for one in base)
    whole = own_read and (base_read or not base)
    own_files = sum(layers[one].files for one in own) if own_read else 0
    summary, problem = _summary(tuple(own), own_files) if own_read else (None, "")
    held_by_base = _topmost([packages[one] for one in base]) if base_read else None
    rows_shown = _changes(summary.packages, held_by_base) if summary else None
    return Contents(
        layers=layers,
        unread=sum(one not in packages for one in diff_ids),
        total_bytes=sum(layers[one].size_bytes for one in diff_ids) if whole else None,
        own_bytes=sum(layers[one].size_bytes for one in own) if own_read else None,
        app=summary.files if summary else None,
        packages=rows_shown[:SHOWN_PACKAGES] if rows_shown is not None else None,
        package_count=len(rows_shown or ()),
        names=_names(summary.packages, held_by_base or ()) if summary else None,
        base_packages=frozenset((one.name, one.version) for one in held_by_base) if held_by_base is not None else None,
        base_read=base_read,
        problem=problem
        or next((f"A layer could not be read: {one.problem}" for one in layers.values() if one.problem), ""),
    )


@dataclass(frozen=True)
class _Summary:
    """The app's own layers, digested: small enough to keep."""

    files: AppFiles
    packages: tuple[Package, ...]


def _summary(diff_ids: tuple[str, ...], files: int) -> tuple[_Summary | None, str]:
    """Layers that were all read, digested; or why they can't be."""
    if files > LOOKED_AT:
        return None, f"The app's own layers hold {files:,} files; a page looks through {LOOKED_AT:,} at most."
    try:
        return _digested(diff_ids), ""
    except DrydockError as error:
        return None, str(error)


@lru_cache(maxsize=KEPT)
def _digested(diff_ids: tuple[str, ...]) -> _Summary:
    held = layer_contents(diff_ids)
    contents = [layer for one in diff_ids if (layer := held[one]) is not None]
    files = overlay([layer.entries for layer in contents])
    return _Summary(describe_app_files(files), overlay_packages(contents))


def paths_of(contents: Contents, diff_ids: tuple[str, ...]) -> frozenset[str] | None:
    """The paths of files that some layers of an image show; None where not all were read, or there are too many.

    One query, the first time.
    """
    read = [layer for one in diff_ids if (layer := contents.layers.get(one)) and not layer.problem]
    if len(read) < len(diff_ids) or sum(layer.files for layer in read) > LOOKED_AT:
        return None
    try:
        return _paths(diff_ids)
    except DrydockError:
        return None  # layers made to take for ever: the page tells of it where it looks through the app's own


@lru_cache(maxsize=KEPT_BASES)
def _paths(diff_ids: tuple[str, ...]) -> frozenset[str]:
    held = layer_contents(diff_ids)
    files = overlay([layer.entries for one in diff_ids if (layer := held[one]) is not None])
    return frozenset(path for path, entry in files.items() if entry.kind != "dir")


def _topmost(layers: Sequence[Sequence[Package]]) -> tuple[Package, ...]:
    """The packages of a stack of layers by the topmost metadata file of each path."""
    by_path: dict[str, list[Package]] = {}
    for packages in layers:
        fresh: dict[str, list[Package]] = {}
        for package in packages:
            fresh.setdefault(package.path, []).append(package)
        by_path |= fresh
    return tuple(package for packages in by_path.values() for package in packages)


def _changes(own: Sequence[Package], base: Sequence[Package] | None) -> tuple[PackageRow, ...]:
    """What the app's own layers add or change; all that they tell of, where the base was not read."""
    if base is None:
        return tuple(PackageRow(one.kind, one.name, one.version, "") for one in own)
    difference = diff_packages(base, own)
    changed = [PackageRow(one.kind, one.name, ", ".join(one.new), ", ".join(one.old)) for one in difference.changed]
    added = [PackageRow(one.kind, one.name, one.version, "") for one in difference.added]
    return (*changed, *added)


def _names(*groups: Sequence[Package]) -> frozenset[str]:
    return frozenset(package.name.lower() for packages in groups for package in packages)
