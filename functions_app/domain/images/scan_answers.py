"""Findings as ECR's API writes them, read into Drydock's: basic scans and Inspector's tell them differently."""

from collections.abc import Mapping
from typing import Any

from functions_app.domain.images.scans import SEVERITIES, Finding, FindingPlace, https
from functions_app.domain.json_fields import read_text
from functions_app.domain.redaction import redact
from functions_app.domain.text import storable

LOOKED_AT = 4_000  # characters of a text that are looked at at all
PLACES = 8  # packages kept per finding


def read_finding(value: Mapping[str, Any]) -> Finding:
    """A finding of a basic scan: ImageScanFinding of the ECR API."""
    pairs = _structures(value, "attributes")
    attributes = {read_text(pair.get("key")): read_text(pair.get("value")) for pair in pairs}
    place = FindingPlace(
        package=_line(attributes.get("package_name"), 200),
        version=_line(attributes.get("package_version"), 120),
        fixed_in=_line(attributes.get("patched_version") or attributes.get("fixed_version"), 120),
    )
    return Finding(
        name=_line(value.get("name"), 120) or "finding without a name",
        severity=_severity(value.get("severity")),
        title=_line(value.get("description"), 300),
        uri=redact(https(value.get("uri"))),
        places=(place,) if place.package else (),
    )


def read_enhanced(value: Mapping[str, Any]) -> Finding:
    """A finding of Inspector: EnhancedImageScanFinding of the ECR API."""
    details = value.get("packageVulnerabilityDetails") or {}
    packages = _structures(details, "vulnerablePackages")[:PLACES]
    title = _line(value.get("title"), 300)
    name = _line(details.get("vulnerabilityId"), 120) or _line(title, 120)
    return Finding(
        name=name or "finding without a name",
        severity=_severity(value.get("severity")),
        title=_line(value.get("description"), 300) or title,
        uri=redact(https(details.get("sourceUrl"))),
        places=tuple(_place(package) for package in packages),
    )


def _structures(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [item for item in value.get(name) or () if isinstance(item, Mapping)]


def _place(package: Mapping[str, Any]) -> FindingPlace:
    version, release = read_text(package.get("version")), read_text(package.get("release"))
    return FindingPlace(
        package=_line(package.get("name"), 200),
        version=_line(f"{version}-{release}" if release else version, 120),
        fixed_in=_line(package.get("fixedInVersion"), 120).removeprefix("NotAvailable"),
        path=_line(package.get("filePath"), 400),
        layer=_line(package.get("sourceLayerHash"), 80),
    )


def _severity(value: Any) -> str:
    text = read_text(value).upper()
    # Inspector says UNTRIAGED where ECR says UNDEFINED.
    return text if text in SEVERITIES else "UNDEFINED"


def _line(value: Any, length: int) -> str:
    return storable(redact(" ".join(read_text(value)[:LOOKED_AT].split())), length)
