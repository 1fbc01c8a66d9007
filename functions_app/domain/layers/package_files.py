"""Package versions from the metadata that package managers leave in a file system: rpm, dpkg, apk, pip and npm.

Sources: deb-control(5) and dpkg's status file, apk-tools' installed database, Python's core metadata (PEP 566),
package.json. Everything comes from a layer, hence from outside: each reader is bounded, and DrydockError(INVALID) says
what is wrong with a file.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from functions_app.domain.json_fields import malformed
from functions_app.domain.layers.rpm_database import MOST, read_packages
from functions_app.domain.text import visible

TEXT = 200  # characters of a name or a version
MEGABYTE = 1024**2

Found = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package. `kind` is rpm, deb, apk, python or npm; `path` the file that tells of it."""

    kind: str
    name: str
    version: str
    path: str

    def as_json(self) -> dict[str, str]:
        """Plain values for a JSON column; `from_json` reads them back."""
        return {"kind": self.kind, "name": self.name, "version": self.version, "path": self.path}

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> "Package":
        """Read what `as_json` wrote."""
        return cls(value["kind"], value["name"], value["version"], value["path"])


@dataclass(frozen=True)
class MetadataReader:
    """How to read a file of metadata; `head`: of a file longer than `limit` bytes the beginning will do."""

    kind: str
    limit: int
    parse: Callable[[bytes], Found]
    head: bool = False

    def packages(self, data: bytes, path: str) -> list[Package]:
        """What the file tells. Raises DrydockError(INVALID)."""
        named = ((visible(name, TEXT), visible(version, TEXT)) for name, version in islice(self.parse(data), MOST))
        return [Package(self.kind, name, version, path) for name, version in named if name and version]


def reader_of(path: str) -> MetadataReader | None:
    """The reader for the file at this path (no leading slash); None for a file that is no metadata."""
    if known := _BY_PATH.get(path):
        return known
    folder, _, name = path.rpartition("/")
    if name == "package.json":
        return _NPM if _is_npm_package(folder) else None
    if (name == "METADATA" and folder.endswith(".dist-info")) or (name == "PKG-INFO" and folder.endswith(".egg-info")):
        return _PYTHON
    if name.endswith(".egg-info"):
        return _PYTHON
    return _STATUS_FILE if folder == "var/lib/dpkg/status.d" and not name.endswith(".md5sums") else None


def unread_changes(path: str, size: int) -> bool:
    """Whether this is sqlite's log of changes that are not in the rpm database yet, and there are some."""
    return size > 0 and path.endswith("-wal") and _BY_PATH.get(path.removesuffix("-wal")) is _RPM


def _is_npm_package(folder: str) -> bool:
    """Whether it is node_modules/NAME or node_modules/@SCOPE/NAME: deeper package.json files only set options."""
    parts = folder.split("/")
    return parts[-2:-1] == ["node_modules"] or (parts[-3:-2] == ["node_modules"] and parts[-2].startswith("@"))


def _dpkg(data: bytes) -> Found:
    for fields in _paragraphs(data, ("Package", "Version", "Status")):
        status = fields.get("Status", "install ok installed").split()  # files of status.d have no such field
        if status[2:3] == ["installed"]:
            yield fields.get("Package", ""), fields.get("Version", "")


def _apk(data: bytes) -> Found:
    for fields in _paragraphs(data, ("P", "V")):
        yield fields.get("P", ""), fields.get("V", "")


def _python(data: bytes) -> Found:
    for fields in _paragraphs(data, ("Name", "Version")):
        yield fields.get("Name", ""), fields.get("Version", "")
        return  # after the first empty line comes the description


def _paragraphs(data: bytes, wanted: tuple[str, ...]) -> Iterable[dict[str, str]]:
    """The wanted fields of each paragraph of `Field: value` lines; lines that begin with a space belong to the last."""
    fields: dict[str, str] = {}
    for line in data.decode("utf-8", "backslashreplace").split("\n"):
        if not line.strip():
            if fields:
                yield fields
            fields = {}
            continue
        name, _, value = line.partition(":")
        if name in wanted:
            fields.setdefault(name, value.strip())
    if fields:
        yield fields


def _npm(data: bytes) -> Found:
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise malformed("package.json", f"it is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise malformed("package.json", "it is not an object")
    name, version = document.get("name"), document.get("version")
    if isinstance(name, str) and isinstance(version, str):
        yield name, version


_RPM = MetadataReader("rpm", 64 * MEGABYTE, read_packages)
_DPKG = MetadataReader("deb", 32 * MEGABYTE, _dpkg)
_STATUS_FILE = MetadataReader("deb", MEGABYTE, _dpkg)
_APK = MetadataReader("apk", 32 * MEGABYTE, _apk)
_PYTHON = MetadataReader("python", 64 * 1024, _python, head=True)
_NPM = MetadataReader("npm", 512 * 1024, _npm)
_BY_PATH: dict[str, MetadataReader] = {
    **{
        f"{folder}/{name}": _RPM
        for folder in ("var/lib/rpm", "usr/lib/sysimage/rpm")
        for name in ("rpmdb.sqlite", "Packages", "Packages.db")
    },
    "var/lib/dpkg/status": _DPKG,
    "usr/lib/apk/db/installed": _APK,
    "lib/apk/db/installed": _APK,
}
