"""Scans of images: which state one is in, and which findings stand in the base and which in the app's own layers.

ECR's basic scan names packages; Inspector's (enhanced) names the layer and the path too. All of it comes from outside.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from enum import StrEnum
from typing import Any

from functions_app.domain.json_fields import read_text

NOT_SCANNED = "NOT_SCANNED"  # ours: ECR's answer is ScanNotFoundException
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")
KEPT = 1000  # findings per image, the worst
APP_PREFIX = "var/task/"  # AWS's bases leave it empty: it is where an app's code goes
DATABASES = ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm", "var/lib/dpkg", "lib/apk/db", "usr/lib/apk/db")


class ScanState(StrEnum):
    """What is known of the findings of an image. Only CLEAN and FOUND say anything about its safety."""

    NOT_ASKED = "not_asked"
    NOT_SCANNED = "not_scanned"
    IN_PROGRESS = "in_progress"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"
    UNAVAILABLE = "unavailable"
    EXPIRED = "expired"
    CLEAN = "clean"
    FOUND = "found"
    OTHER = "other"


_STATES = {
    "": ScanState.NOT_ASKED,
    NOT_SCANNED: ScanState.NOT_SCANNED,
    "IN_PROGRESS": ScanState.IN_PROGRESS,
    "PENDING": ScanState.IN_PROGRESS,
    "FAILED": ScanState.FAILED,
    "LIMIT_EXCEEDED": ScanState.FAILED,
    "UNSUPPORTED_IMAGE": ScanState.UNSUPPORTED,
    "IMAGE_SIZE_EXCEEDED": ScanState.UNSUPPORTED,
    "FINDINGS_UNAVAILABLE": ScanState.UNAVAILABLE,
    "IMAGE_ARCHIVED": ScanState.UNAVAILABLE,
    "SCAN_ELIGIBILITY_EXPIRED": ScanState.EXPIRED,
}


def state(status: str, severities: Mapping[str, int], findings: int = 0) -> ScanState:
    """The state behind ECR's ScanStatus ('' where nobody asked), its counts and the number of findings read.

    COMPLETE and, for scans that go on for ever, ACTIVE are the two that bring findings.
    """
    if status in ("COMPLETE", "ACTIVE"):
        return ScanState.FOUND if findings or any(severities.values()) else ScanState.CLEAN
    return _STATES.get(status, ScanState.OTHER)


@dataclass(frozen=True)
class FindingPlace:
    """Where a finding is: a package, the file it was found by, the layer (digest of the compressed layer)."""

    package: str = ""
    version: str = ""
    fixed_in: str = ""
    path: str = ""
    layer: str = ""


@dataclass(frozen=True)
class Finding:
    """A finding with the packages it is about, as far as they are kept."""

    name: str
    severity: str
    title: str = ""
    uri: str = ""
    places: tuple[FindingPlace, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values for ImageScan.findings."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Finding":
        """Read what `as_json` wrote; an address is looked at again, since it will be linked to."""
        places = tuple(FindingPlace(**place) for place in value["places"])
        return cls(**{**value, "places": places, "uri": https(value.get("uri"))})


def severity_rank(severity: str) -> int:
    """0 for CRITICAL; severities that are not known come last."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order they are shown and kept in."""
    return sorted(
        findings,
        key=lambda finding: (
            severity_rank(finding.severity),
            finding.name,
            [astuple(each) for each in finding.places],
            (finding.title, finding.uri, finding.severity),
        ),
    )


def https(value: Any) -> str:
    """An address that may be linked to; '' for every other scheme, and where there is anything but printable ASCII."""
    text = read_text(value).strip()
    plain = text.isascii() and text.isprintable() and " " not in text
    return text if plain and len(text) <= 500 and text.lower().startswith("https://") else ""


class Side(StrEnum):
    """Where a finding is fixed: by another base, in the app, or nobody can tell."""

    BASE = "base"
    APP = "app"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class BaseContents:
    """What is known of an image's layers.

    `base_layers`: digests of the compressed layers, with the base that each belongs to; `app_layers`: the others.
    `base_paths`, `app_paths`: files in them, without a leading slash; None where those layers were not all read.
    `base_packages`: (name, version) in the base; None where its layers were not all read.
    """

    base_layers: Mapping[str, str] = field(default_factory=dict)
    app_layers: Collection[str] = ()
    base_paths: Collection[str] | None = None
    app_paths: Collection[str] | None = None
    base_packages: Collection[tuple[str, str]] | None = None
    has_base: bool = True
    _versions: dict[str, set[str]] = field(default_factory=dict, repr=False, compare=False)

    def versions(self, package: str) -> set[str]:
        """The versions of a package in the base, without their epochs; by its name in lower case."""
        if not self._versions and self.base_packages:
            for name, version in self.base_packages:
                self._versions.setdefault(name.lower(), set()).add(_plain(version))
        return self._versions.get(package.lower(), set())


@dataclass(frozen=True)
class Placed:
    """A finding with the side it stands on, and how that is known."""

    finding: Finding
    side: Side
    reason: str


@dataclass(frozen=True)
class ScanSplit:
    """Counts by severity for each side, and the findings with their sides in the order they came."""

    base: Mapping[str, int]
    app: Mapping[str, int]
    unknown: Mapping[str, int]
    placed: tuple[Placed, ...]


def split(findings: Sequence[Finding], contents: BaseContents, severities: Mapping[str, int]) -> ScanSplit:
    """Tell base from app. What `severities` counts beyond the findings at hand is counted as unknown."""
    placed = tuple(_placed(finding, contents) for finding in findings)
    counts: dict[Side, Counter[str]] = {side: Counter() for side in Side}
    for each in placed:
        counts[each.side][each.finding.severity] += 1
    seen = Counter(finding.severity for finding in findings)
    for severity, count in severities.items():
        if count > seen[severity]:
            counts[Side.UNKNOWN][severity] += count - seen[severity]
    return ScanSplit(counts[Side.BASE], counts[Side.APP], counts[Side.UNKNOWN], placed)


def _placed(finding: Finding, contents: BaseContents) -> Placed:
    if not contents.has_base:
        return Placed(finding, Side.UNKNOWN, "The image's base is not known.")
    if not finding.places:
        return Placed(finding, Side.UNKNOWN, "The scan names neither a layer nor a package.")
    sides = [_side(place, contents) for place in finding.places]
    # In both is the app's: another base alone would not remove it.
    for wanted in (Side.APP, Side.UNKNOWN, Side.BASE):
        for side, reason in sides:
            if side is wanted:
                also = " The base has it too." if wanted is Side.APP and (Side.BASE in dict(sides)) else ""
                return Placed(finding, side, reason + also)
    raise AssertionError("unreachable: every place has a side")


def _side(place: FindingPlace, contents: BaseContents) -> tuple[Side, str]:
    # Of an OS package Inspector names the package database, and the layer that wrote it last: an app that installs one
    # package writes the whole database anew, with all of the base's packages in it.
    if place.path.lstrip("/").startswith(DATABASES) and place.layer not in contents.base_layers:
        return _by_package(place, contents) or (
            Side.UNKNOWN,
            "The app's layers write the package database anew, and what the base holds has not been read.",
        )
    return (
        _by_layer(place, contents)
        or _by_path(place, contents)
        or _by_package(place, contents)
        or (Side.UNKNOWN, "It names no layer of this image, and what the base holds has not been read.")
    )


def _by_layer(place: FindingPlace, contents: BaseContents) -> tuple[Side, str] | None:
    if place.layer and place.layer in contents.base_layers:
        return Side.BASE, f"Its layer belongs to {contents.base_layers[place.layer] or 'the base'}."
    if place.layer and place.layer in contents.app_layers:
        return Side.APP, "Its layer is one of the app's own."
    return None


def _by_path(place: FindingPlace, contents: BaseContents) -> tuple[Side, str] | None:
    path = place.path.lstrip("/")
    if not path:
        return None
    if contents.app_paths is not None and path in contents.app_paths:
        return Side.APP, "Its file is in a layer of the app's own."
    if contents.base_paths is not None:
        if path in contents.base_paths:
            return Side.BASE, "Its file is in the base."
        return Side.APP, "Its file is not in the base."
    if path.startswith(APP_PREFIX):
        return Side.APP, f"Its file is under /{APP_PREFIX.rstrip('/')}, where an app's own code is."
    return None


def _by_package(place: FindingPlace, contents: BaseContents) -> tuple[Side, str] | None:
    if contents.base_packages is None or not place.package:
        return None
    held = contents.versions(place.package)
    if not held:
        # A library within a binary or an archive is in no package database: only a package of the OS would be.
        of_os = not place.path or place.path.lstrip("/").startswith(DATABASES)
        return (Side.APP, f"The base has no package {place.package}.") if of_os else None
    if not place.version or _plain(place.version) in held:
        return Side.BASE, "The base has this package in this version."
    return Side.APP, f"The base has {place.package} {', '.join(sorted(held)[:2])}; the app brings this version."


def _plain(version: str) -> str:
    """A version without its epoch, which scanners leave out or write as `0:`."""
    epoch, colon, rest = version.partition(":")
    return rest if colon and epoch.isdigit() else version


@dataclass(frozen=True)
class SeverityChange:
    """How many findings of a severity two scans brought."""

    severity: str
    before: int
    after: int


def severity_changes(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[SeverityChange, ...]:
    """The severities that either has, the worst first."""
    names = (*SEVERITIES, *sorted({*before, *after} - {*SEVERITIES}))
    rows = (SeverityChange(name, before.get(name, 0), after.get(name, 0)) for name in names)
    return tuple(row for row in rows if row.before or row.after)


def only_in(findings: Iterable[Finding], others: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings whose name none of the others has, the worst first."""
    names = {finding.name for finding in others}
    return tuple(worst_first(finding for finding in findings if finding.name not in names))
