"""Small bases and apps, as the tests of verdicts write them."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from functions_app.domain.layers.entries import FileEntry, FileKind, LayerContents
from functions_app.domain.layers.package_files import Package
from functions_app.domain.rebase.safety.findings import Finding, Verdict
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide, SideFiles

SITE = "var/lang/lib/python3.12/site-packages"
RPM = "var/lib/rpm/rpmdb.sqlite"


def file(path: str, text: str = "", *, mode: int = 0o644, size: int = 1) -> FileEntry:
    """A file with this content."""
    return FileEntry(path, "file", size, sha256(text.encode()).hexdigest(), mode=mode)


def folder(path: str) -> FileEntry:
    return FileEntry(path, "dir", mode=0o755)


def link(path: str, target: str) -> FileEntry:
    return FileEntry(path, "symlink", link=target)


def hard(path: str, target: str) -> FileEntry:
    return FileEntry(path, "hardlink", link=target, mode=0o644)


def hides(path: str, kind: FileKind = "whiteout") -> FileEntry:
    return FileEntry(path, kind)


def rpm(name: str, version: str) -> Package:
    return Package("rpm", name, version, RPM)


AL2023 = (rpm("glibc", "2.34-196.amzn2023.0.1"), rpm("system-release", "2023.8.20260510-0.amzn2023"))


def base(
    *entries: FileEntry,
    packages: Sequence[Package] = AL2023,
    runtime: str = "python",
    version: str = "3.12",
    **facts: Any,
) -> SideFiles:
    """A base of one layer on Amazon Linux 2023; `facts` are those of its layer."""
    held = LayerContents((file(RPM), *entries), tuple(packages), **facts)
    return SideFiles((held,), runtime, version)


def app(*entries: FileEntry, **settings: Any) -> AppSide:
    """An app of one layer."""
    return AppSide((LayerContents(entries),), **settings)


def verdict(old: Iterable[FileEntry], new: Iterable[FileEntry], *own: FileEntry, **settings: Any) -> Verdict:
    """The verdict on an app's entries between two bases of these files."""
    return judge(base(*old), base(*new), app(*own, **settings))


def codes(judged: Verdict) -> list[str]:
    return [finding.code for finding in judged.findings]


def the(judged: Verdict, code: str) -> Finding:
    """The one finding of this code."""
    (finding,) = (finding for finding in judged.findings if finding.code == code)
    return finding
