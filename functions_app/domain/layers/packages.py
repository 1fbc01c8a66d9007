"""Package versions of whole images: what a stack of layers leaves of each layer's packages, and how two sets differ."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.overlay import merged
from functions_app.domain.layers.package_files import Package


@dataclass(frozen=True)
class PackageChange:
    """A package that both have, in other versions; more than one where it is installed more than once."""

    kind: str
    name: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class PackageDiff:
    """How two sets of packages differ, each part sorted by kind and name."""

    added: tuple[Package, ...]
    removed: tuple[Package, ...]
    changed: tuple[PackageChange, ...]


def overlay_packages(layers: Sequence[LayerContents]) -> tuple[Package, ...]:
    """The packages of a stack of layers, from the bottom up: those whose metadata file still shows, as it last was.

    So the topmost database of a path counts alone, and a whiteout takes a Python or npm package away.
    """
    shown = {
        (layer, entry.path): path
        for path, layer, entry in merged([contents.entries for contents in layers])
        if entry.kind in {"file", "hardlink"}
    }
    found = (
        replace(package, path=shown[layer, package.path])
        for layer, contents in enumerate(layers)
        for package in contents.packages
        if (layer, package.path) in shown
    )
    return tuple(sorted(found, key=lambda package: (*_key(package), package.version, package.path)))


def diff_packages(old: Iterable[Package], new: Iterable[Package]) -> PackageDiff:
    """How the packages `new` differ from `old`: by kind and name, wherever they are installed."""
    before, after = _by_name(old), _by_name(new)
    return PackageDiff(
        added=tuple(package for key in sorted(after.keys() - before.keys()) for package in after[key]),
        removed=tuple(package for key in sorted(before.keys() - after.keys()) for package in before[key]),
        changed=tuple(
            PackageChange(key[0], after[key][0].name, _versions(before[key]), _versions(after[key]))
            for key in sorted(before.keys() & after.keys())
            if _versions(before[key]) != _versions(after[key])
        ),
    )


def _by_name(packages: Iterable[Package]) -> dict[tuple[str, str], list[Package]]:
    found: dict[tuple[str, str], list[Package]] = defaultdict(list)
    for package in packages:
        found[_key(package)].append(package)
    return found


def _key(package: Package) -> tuple[str, str]:
    """Kind and name, Python's as PEP 503 has it: PyYAML, pyyaml and py.yaml are one."""
    if package.kind != "python":
        return package.kind, package.name
    return package.kind, re.sub(r"[-_.]+", "-", package.name).lower()


def _versions(packages: Iterable[Package]) -> tuple[str, ...]:
    return tuple(sorted({package.version for package in packages}))
