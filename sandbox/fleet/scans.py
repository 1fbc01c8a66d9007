"""What ECR's scans say of the demo fleet's images: the more findings, the older the base.

The region in Europe has basic scanning, which names packages; the one in America has Inspector's, which names layers
and paths too. The oldest images' scans have expired, one image is clean, and staging is not scanned at all: these are
four different things.
"""

from datetime import date
from typing import Any

from sandbox.ecr import scans
from sandbox.fleet import golden
from sandbox.fleet.apps import FOREIGN
from sandbox.fleet.images import AMERICA, PRODUCTION, AppImage, Repository
from sandbox.images.base_packages import installed
from sandbox.images.bases import stream
from sandbox.images.making import Image
from sandbox.store.content_store import namespace

EXPIRES_AFTER_DAYS = 250
CLEAN = "3.1.0"
_SUSPECTS = ("openssl-libs", "curl-minimal", "glibc", "zlib", "libcurl-minimal", "krb5-libs", "xz-libs", "curl", "bash")
_ADVISORIES = "https://alas.aws.amazon.com/cve/html/"
_RPM_DATABASE = "var/lib/rpm/rpmdb.sqlite"


def set_scan(repository: Repository, image: AppImage, today: date) -> None:
    """Set what the scan of an image says."""
    built = image.build(today)
    # Staging stays unscanned: "not scanned" is not "no findings".
    if repository.account != PRODUCTION or not isinstance(built, Image):
        return
    enhanced = repository.region == AMERICA
    findings = [_enhanced(found, built) if enhanced else _basic(found) for found in _found(image)]
    if enhanced and image.app.packages:
        findings.append(_in_the_app(image, built))
    status = "ACTIVE" if enhanced else "COMPLETE"
    if image.days > EXPIRES_AFTER_DAYS:
        status = "SCAN_ELIGIBILITY_EXPIRED"
    where = namespace(repository.account, repository.region)
    scans.set_findings(where, repository.name, built.digest, findings, status=status, enhanced=enhanced)


def _found(image: AppImage) -> list[tuple[str, str, str, str]]:
    """Name, severity, package and version of each finding in the base."""
    severities = ["LOW", *["MEDIUM", "HIGH"] * image.behind]
    if image.base == "python:3.9":
        severities += ["HIGH", "CRITICAL"]
    if image.tag == CLEAN:
        severities = []
    held = installed(FOREIGN, 0) if image.base == FOREIGN else installed(*_os_of(image))
    packages = [name for name in _SUSPECTS if name in held] or sorted(held)
    return [
        (
            f"CVE-2026-{20100 + 17 * number}",
            severity,
            packages[number % len(packages)],
            held[packages[number % len(packages)]],
        )
        for number, severity in enumerate(severities)
    ]


def _os_of(image: AppImage) -> tuple[str, int]:
    """The OS beneath an image on one of Lambda's bases, or on the golden image, and the number of its release."""
    if image.base == golden.NAME:
        return stream(golden.BASE).os, golden.RELEASES[-1 - image.behind].base_number
    base = stream(image.base)
    return base.os, len(base.ages) - 1 - image.behind


def _basic(found: tuple[str, str, str, str]) -> dict[str, Any]:
    name, severity, package, version = found
    attributes = {"package_name": package, "package_version": version}
    return {
        "name": name,
        "severity": severity,
        "uri": f"{_ADVISORIES}{name}.html",
        "description": "An example finding in an operating system package.",
        "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
    }


def _enhanced(found: tuple[str, str, str, str], image: Image) -> dict[str, Any]:
    name, severity, package, version = found
    epoch, _, whole = version.rpartition(":")
    number, _, release = whole.partition("-")
    vulnerable = {
        "name": package,
        "version": number,
        "release": release,
        "epoch": int(epoch or 0),
        "arch": "X86_64",
        "packageManager": "OS",
        "filePath": _RPM_DATABASE,
        "sourceLayerHash": image.layers[0].blob.digest,
        "fixedInVersion": f"{number}-{release}.1",
    }
    return _inspector(name, severity, package, f"{_ADVISORIES}{name}.html", vulnerable)


def _in_the_app(image: AppImage, built: Image) -> dict[str, Any]:
    package, version = next(iter(image.app.packages.items()))
    vulnerable = {
        "name": package,
        "version": version,
        "packageManager": "NODEPKG",
        "filePath": f"var/task/node_modules/{package}/package.json",
        "sourceLayerHash": built.layers[-2].blob.digest,
        "fixedInVersion": "NotAvailable",
    }
    uri = "https://nvd.nist.gov/vuln/detail/CVE-2026-31337"
    return _inspector("CVE-2026-31337", "MEDIUM", package, uri, vulnerable)


def _inspector(name: str, severity: str, package: str, uri: str, vulnerable: dict[str, Any]) -> dict[str, Any]:
    details = {"vulnerabilityId": name, "sourceUrl": uri, "vulnerablePackages": [vulnerable]}
    return {
        "title": f"{name} - {package}",
        "severity": severity,
        "description": "An example finding of Inspector.",
        "type": "PACKAGE_VULNERABILITY",
        "packageVulnerabilityDetails": details,
    }
