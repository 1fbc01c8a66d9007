"""What the scans of two images found otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions_app.domain.images.scans import (
    Finding,
    ScanState,
    SeverityChange,
    only_in,
    severity_changes,
    state,
)
from functions_app.models import Image, ImageScan

SHOWN = 100  # findings that came, and that went
TELLING = (ScanState.CLEAN, ScanState.FOUND)


@dataclass(frozen=True)
class ScanPair:
    """Both states; `rows`, `came` and `went` where both scans tell findings, `named` where each is kept by name."""

    before: ScanState
    after: ScanState
    totals: tuple[int, int]
    rows: tuple[SeverityChange, ...]
    came: tuple[Finding, ...]
    went: tuple[Finding, ...]
    named: bool

    @property
    def both(self) -> bool:
        """Whether they can be compared."""
        return self.before in TELLING and self.after in TELLING

    @property
    def shown(self) -> tuple[tuple[str, Finding], ...]:
        """The first that came and went, each with the word for it."""
        pairs = (("added", self.came), ("removed", self.went))
        return tuple((change, finding) for change, findings in pairs for finding in findings[:SHOWN])

    @property
    def left_out(self) -> int:
        """How many are not among the shown."""
        return len(self.came) + len(self.went) - len(self.shown)


def scan_pair(old: Image, new: Image) -> ScanPair:
    """The findings of one image against another's. One query."""
    scans = {scan.image_id: scan for scan in ImageScan.objects.filter(image__in=[old.pk, new.pk])}
    before, after = scans.get(old.pk), scans.get(new.pk)
    states = _state(before), _state(after)
    if before is None or after is None or not set(states) <= set(TELLING):
        return ScanPair(*states, (_total(before), _total(after)), (), (), (), named=False)
    named = all(sum(scan.severities.values()) <= len(scan.findings) for scan in (before, after))
    older, newer = (_findings(scan) if named else () for scan in (before, after))
    return ScanPair(
        *states,
        (_total(before), _total(after)),
        severity_changes(before.severities, after.severities),
        only_in(newer, older),
        only_in(older, newer),
        named,
    )


def _state(scan: ImageScan | None) -> ScanState:
    return state(scan.status, scan.severities, len(scan.findings)) if scan else ScanState.NOT_ASKED


def _total(scan: ImageScan | None) -> int:
    return sum(scan.severities.values()) if scan else 0


def _findings(scan: ImageScan) -> Sequence[Finding]:
    return [Finding.from_json(finding) for finding in scan.findings]
