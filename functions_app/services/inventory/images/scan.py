"""The scan of an image as a page shows it: its state, counts split into base and app, the worst findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions_app.domain.images.scans import (
    SEVERITIES,
    BaseContents,
    Finding,
    Placed,
    ScanState,
    severity_rank,
    split,
    state,
)
from functions_app.models import ImageScan
from functions_app.services.inventory.images.contents import paths_of
from functions_app.services.inventory.images.image import ImageFacts

SHOWN = 100  # findings


@dataclass(frozen=True)
class SeverityRow:
    """Counts of one severity."""

    severity: str
    total: int
    base: int
    app: int
    unknown: int


@dataclass(frozen=True)
class ScanFacts:
    """What is known of an image's findings.

    `state` says which of the many ways not to have findings it is. `current` is False where the findings are those of
    a scan that no longer counts. `left_out` findings are counted and not kept.
    """

    state: ScanState
    status: str
    scan: ImageScan | None
    current: bool
    severities: tuple[SeverityRow, ...]
    total: int
    shown: tuple[Placed, ...]
    left_out: int
    problem: Mapping[str, Any] | None

    @property
    def base(self) -> int:
        """Findings in the base."""
        return sum(row.base for row in self.severities)

    @property
    def app(self) -> int:
        """Findings in the app."""
        return sum(row.app for row in self.severities)

    @property
    def unknown(self) -> int:
        """Findings of which nobody can tell."""
        return sum(row.unknown for row in self.severities)


def scan_facts(facts: ImageFacts) -> ScanFacts:
    """Read the scan of an image. One query, and one more for the base's paths, the first time they are asked for."""
    scan = ImageScan.objects.filter(image=facts.image).first()
    if scan is None:
        return ScanFacts(ScanState.NOT_ASKED, "", None, True, (), 0, (), 0, None)
    found = _findings(scan)
    judged = state(scan.status, scan.severities, len(found))
    current = judged in (ScanState.FOUND, ScanState.CLEAN)
    # Of a scan that brings none any more, those of the last one that did are shown as what they are.
    counts = scan.severities if current else {}
    parts = split(found, _contents(facts, found), counts)
    rows = [
        SeverityRow(name, base + app + unknown, base, app, unknown)
        for name in sorted({*SEVERITIES, *counts}, key=lambda name: (severity_rank(name), name))
        if (base := parts.base.get(name, 0)) + (app := parts.app.get(name, 0)) + (unknown := parts.unknown.get(name, 0))
    ]
    total = sum(row.total for row in rows)
    return ScanFacts(
        state=judged,
        status=scan.status,
        scan=scan,
        current=current,
        severities=tuple(rows),
        total=total,
        shown=parts.placed[:SHOWN],
        left_out=total - min(len(parts.placed), SHOWN),
        problem=scan.problem,
    )


def every_finding(facts: ImageFacts) -> Sequence[Placed]:
    """All findings that are kept of an image, the worst first. Queries as `scan_facts`."""
    scan = ImageScan.objects.filter(image=facts.image).first()
    found = _findings(scan) if scan else []
    return split(found, _contents(facts, found), {}).placed


def _findings(scan: ImageScan) -> list[Finding]:
    return [Finding.from_json(finding) for finding in scan.findings]


def _contents(facts: ImageFacts, found: list[Finding]) -> BaseContents:
    """What is known of the layers; paths of the base only where a finding can be placed by nothing else."""
    base = tuple(layer.diff_id for layer in facts.layers if layer.from_base)
    own = tuple(layer.diff_id for layer in facts.layers if not layer.from_base)
    base_layers = {layer.digest: layer.owner for layer in facts.layers if layer.from_base}
    app_layers = {layer.digest for layer in facts.layers if not layer.from_base}
    known = base_layers.keys() | app_layers
    by_path = any(place.path and place.layer not in known for finding in found for place in finding.places)
    return BaseContents(
        base_layers=base_layers,
        app_layers=app_layers,
        base_paths=paths_of(facts.contents, base) if by_path else None,
        app_paths=paths_of(facts.contents, own) if by_path else None,
        base_packages=facts.contents.base_packages,
        has_base=bool(base_layers),
    )
