"""What the two bases are as a whole: operating system, C library, interpreters, and what was compiled for those."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from functions_app.domain.layers.entries import FileEntry
from functions_app.domain.layers.package_files import Package
from functions_app.domain.rebase.safety.findings import Finding, found
from functions_app.domain.rebase.safety.sides import Case, SideFiles

# The packages that carry a distribution's release, and what it is called.
_RELEASES = {
    ("rpm", "system-release"): "Amazon Linux",
    ("rpm", "redhat-release"): "Red Hat Enterprise Linux",
    ("rpm", "centos-stream-release"): "CentOS Stream",
    ("rpm", "centos-release"): "CentOS",
    ("rpm", "rocky-release"): "Rocky Linux",
    ("rpm", "almalinux-release"): "AlmaLinux",
    ("rpm", "oraclelinux-release"): "Oracle Linux",
    ("rpm", "fedora-release-common"): "Fedora",
    ("deb", "base-files"): "Debian",
    ("apk", "alpine-release"): "Alpine",
    ("apk", "wolfi-baselayout"): "Wolfi",
}
_ROLLING = {"Wolfi"}
_LIBRARIES = {("rpm", "glibc"), ("deb", "libc6"), ("apk", "musl"), ("apk", "glibc")}
_LOADER = re.compile(r"(?:^|/)(?:ld-linux[\w.-]*|ld-musl[\w.-]*|libc)\.so(?:\.\d+)?$")
_HINTS = ("bin/python", "/ruby/", "Microsoft.NETCore.App/", "usr/lib/jvm/")
_INTERPRETERS = (
    ("python", re.compile(r"(?:^|/)bin/python(\d+\.\d+)$")),
    ("ruby", re.compile(r"(?:^|/)lib(?:64)?/ruby/(\d+\.\d+)\.\d+$")),
    ("dotnet", re.compile(r"(?:^|/)shared/Microsoft\.NETCore\.App/(\d+\.\d+)\.[^/]+$")),
    ("java", re.compile(r"^usr/lib/jvm/(?:java|jdk|jre)-(?:1\.)?(\d+)[^/]*$")),
)
_NODE = {("rpm", "nodejs"), ("deb", "nodejs"), ("apk", "nodejs")}
_EXTENSION = re.compile(r"\.cpython-(\d)(\d+)[a-z]*(?:-[\w-]+)?\.so$")
_GEM_EXTENSION = re.compile(r"/extensions/[^/]+/(\d+\.\d+)\.[^/]+/")
_NODE_API = re.compile(r"napi|n-api", re.IGNORECASE)  # an addon of Node-API fits every later Node


@dataclass(frozen=True)
class System:
    """An operating system: its family, its major release, and the whole version; '' where not told."""

    family: str
    major: str
    version: str

    def __str__(self) -> str:
        return f"{self.family} {self.major or self.version}".strip()


def system_of(packages: Iterable[Package]) -> System | None:
    """The operating system that the packages tell of."""
    for one in packages:
        if family := _RELEASES.get((one.kind, one.name)):
            family = "Ubuntu" if "ubuntu" in one.version else family
            numbers = re.findall(r"\d+", one.version.partition(":")[2] or one.version)
            depth = 0 if family in _ROLLING else 2 if family == "Alpine" else 1
            return System(family, ".".join(numbers[:depth]), one.version)
    return None


def older(one: str, other: str) -> bool:
    """Whether the version `one` is below `other`: number by number, as package managers compare them."""
    return _order(one) < _order(other)


def _order(version: str) -> list[tuple[int, int, str]]:
    """Sorts: "~" before the end, the end before letters, letters before numbers. An epoch goes before all."""
    epoch, colon, rest = version.partition(":")
    epoch, rest = (epoch, rest) if colon else ("0", version)
    parts = re.findall(r"\d+|[A-Za-z]+|~", rest)
    keys = [(-1, 0, "") if part == "~" else (2, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
    return [(2, int(epoch) if epoch.isdigit() else 0, ""), *keys, (0, 0, "")]


def system_findings(case: Case) -> Iterator[Finding]:
    """Another operating system or an older one, and an older C library."""
    old, new = system_of(case.old.packages), system_of(case.new.packages)
    if old is None or new is None:
        if case.old.os and case.new.os:
            if case.old.os != case.new.os:
                yield Finding("os-changed", detail=f"{case.old.os} → {case.new.os}")
        elif any(case.entries) and (_has_libc(case.old) or _has_libc(case.new)):
            sides = [name for name, side in (("old", old), ("new", new)) if side is None]
            yield Finding("os-unknown", detail=f"no package of the {' and the '.join(sides)} base names it")
    elif (old.family, old.major) != (new.family, new.major):
        yield Finding("os-changed", detail=f"{old} → {new}")
        return  # C libraries of two systems say nothing about each other
    elif older(new.version, old.version):
        yield Finding("os-older", detail=f"{old.family} {old.version} → {new.version}")
    before, after = _libraries(case.old), _libraries(case.new)
    for name in sorted(before.keys() & after.keys()):
        if older(after[name], before[name]):
            yield Finding("libc-older", detail=f"{name} {before[name]} → {after[name]}")


def _has_libc(side: SideFiles) -> bool:
    """Whether programs of the base use a C library of its own: without one there is nothing to differ."""
    return any(path.endswith((".so", ".1", ".2", ".6")) and _LOADER.search(path) for path in side.files)


def _libraries(side: SideFiles) -> dict[str, str]:
    """The C libraries; of several of one name the oldest counts."""
    held: dict[str, str] = {}
    for one in side.packages:
        if (one.kind, one.name) in _LIBRARIES and (one.name not in held or older(one.version, held[one.name])):
            held[one.name] = one.version
    return held


def interpreter_findings(case: Case) -> Iterator[Finding]:
    """Interpreters of the old base that the new one lacks, and the app's extensions that were compiled for those."""
    old, new = _interpreters(case.old), _interpreters(case.new)
    gone = old.keys() - new.keys()
    if case.old.runtime not in ("", "provided") and case.new.runtime:
        was, becomes = (case.old.runtime, _leading(case.old.version)), (case.new.runtime, _leading(case.new.version))
        if was != becomes and was[1] and becomes[1]:
            gone |= {was}
            new = {**new, becomes: ""}
    if gone:
        names = {name for name, _ in gone}
        now = sorted(f"{name} {version}" for name, version in new.keys() - old.keys() if name in names)
        lost = ", ".join(f"{name} {version}" for name, version in sorted(gone))
        detail = f"{lost} → {', '.join(now) or 'none'}"
        yield from found("interpreter-changed", (path for key in gone if (path := old.get(key))), detail) or [
            Finding("interpreter-changed", detail=detail)
        ]
        own = _in(case.written)
        yield from found("native-abi", _compiled_for(gone - own.keys(), case.written), f"compiled for {lost}")


def _compiled_for(gone: Iterable[tuple[str, str]], written: Mapping[str, FileEntry]) -> Iterator[str]:
    lost = set(gone)
    names = {name for name, _ in lost}
    for path in written:
        if (
            ((match := _EXTENSION.search(path)) and ("python", f"{match[1]}.{match[2]}") in lost)
            or ((match := _GEM_EXTENSION.search(path)) and ("ruby", match[1]) in lost)
            or (path.endswith(".node") and "nodejs" in names and not _NODE_API.search(path))
        ):
            yield path


def _interpreters(side: SideFiles) -> dict[tuple[str, str], str]:
    held = _in(side.files)
    for one in side.packages:
        if (one.kind, one.name) in _NODE:
            held["nodejs", _leading(one.version.partition(":")[2] or one.version).partition(".")[0]] = ""
    return held


def _in(files: Mapping[str, FileEntry]) -> dict[tuple[str, str], str]:
    """The interpreters among files: name and minor version, with a path that shows each."""
    held: dict[tuple[str, str], str] = {}
    for path in files:
        if any(hint in path for hint in _HINTS):
            for name, pattern in _INTERPRETERS:
                if match := pattern.search(path):
                    held.setdefault((name, match[1]), path)
    return held


def _leading(version: str) -> str:
    """The numbers that a version begins with: 17 of "17.al2023"."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    return match[0] if match else ""
