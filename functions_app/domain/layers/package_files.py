"""Package versions from the metadata that package managers leave in a file system: rpm, dpkg, apk, pip and npm.

Sources: deb-control(5) and dpkg's status file, apk-tools' installed database, Python's core metadata (PEP 566),
package.json. Everything comes from a layer, hence from outside: each reader is bounded, and DrydockError(INVALID) says
what is wrong with a file.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from functions_app.domain.json_fields import malformed, read_object
from functions_app.domain.layers.effort import Effort
from functions_app.domain.layers.rpm_database import MOST, read_packages
from functions_app.domain.text import visible

TEXT = 200  # characters of a name or a version
VALUE = 4 * TEXT  # bytes of a field that are looked at
MEGABYTE = 1024**2
HELD = 16 * MEGABYTE  # bytes of memory that the packages of one file may take
_OBJECT = 100  # bytes of memory that a package takes beside its texts

Data = bytes | bytearray
Found = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package. `kind` is rpm, deb, apk, python or npm; `path` the file that tells of it."""

    kind: str
    name: str
    version: str
    path: str

    @property
    def held_bytes(self) -> int:
        """The memory that it takes, without its path, which many share."""
        return _OBJECT + sys.getsizeof(self.name) + sys.getsizeof(self.version)

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
    parse: Callable[[Data, Effort], Found]
    head: bool = False

    def packages(self, data: Data, path: str, effort: Effort | None = None) -> list[Package]:
        """What the file tells; `data` may be emptied, since it is large. Raises DrydockError(INVALID)."""
        packages: list[Package] = []
        held = 0
        for name, version in islice(self.parse(data, effort or Effort()), MOST):
            package = Package(self.kind, visible(name, TEXT), visible(version, TEXT), path)
            if package.name and package.version:
                packages.append(package)
                held += package.held_bytes
            if held > HELD:
                raise malformed("file", f"its names take more than {HELD:,} bytes")
        return packages


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


def _dpkg(data: Data, effort: Effort) -> Found:
    for fields in _paragraphs(data, _DPKG_FIELDS, effort):
        status = fields.get("Status", "install ok installed").split()  # files of status.d have no such field
        if status[2:3] == ["installed"]:
            yield fields.get("Package", ""), fields.get("Version", "")


def _apk(data: Data, effort: Effort) -> Found:
    for fields in _paragraphs(data, _APK_FIELDS, effort):
        yield fields.get("P", ""), fields.get("V", "")


def _python(data: Data, effort: Effort) -> Found:
    for fields in _paragraphs(data, _PYTHON_FIELDS, effort):
        yield fields.get("Name", ""), fields.get("Version", "")
        return  # after the first empty line comes the description


def _paragraphs(data: Data, wanted: re.Pattern[bytes], effort: Effort) -> Iterator[dict[str, str]]:
    """The wanted fields of each paragraph of `Field: value` lines; lines that begin with a space belong to the last.

    The bytes are searched where they are: as text, or split into lines, they would take many times the memory.
    """
    start = 0
    while start < len(data):
        gap = _GAP.search(data, start)
        end, following = gap.span() if gap else (len(data), len(data))
        fields: dict[str, str] = {}
        effort.step()
        for match in wanted.finditer(data, start, end):
            effort.step()
            value = bytes(data[match.end() : min(match.end() + VALUE, _line_end(data, match.end(), end))])
            fields.setdefault(match[1].decode(), value.decode("utf-8", "backslashreplace").strip())
        if fields:
            yield fields
        start = following


def _line_end(data: Data, start: int, end: int) -> int:
    found = data.find(b"\n", start, end)
    return end if found < 0 else found


def _npm(data: Data, effort: Effort) -> Found:
    document = read_object(bytes(data), "package.json")
    name, version = document.get("name"), document.get("version")
    if isinstance(name, str) and isinstance(version, str):
        yield name, version


def _rpm(data: Data, effort: Effort) -> Found:
    return read_packages(data, effort)


_GAP = re.compile(rb"\n[ \t\r\n\f\v]*\n")  # lines with nothing in them
_DPKG_FIELDS = re.compile(rb"^(Package|Version|Status):", re.MULTILINE)
_APK_FIELDS = re.compile(rb"^(P|V):", re.MULTILINE)
_PYTHON_FIELDS = re.compile(rb"^(Name|Version):", re.MULTILINE)
_RPM = MetadataReader("rpm", 40 * MEGABYTE, _rpm)
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
