"""What is installed in the bases, and how the versions move from release to release.

Names and forms of versions are those of Amazon Linux 2023, Amazon Linux 2 and Debian 12; some packages move with each
release, some with every second one, most never, as in the real ones.
"""

import json
from collections.abc import Iterable, Mapping

from sandbox.images.making import Entry
from sandbox.images.rpm_packages import RpmPackage, berkeley_database, sqlite_database

_RPM_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_CURL = ("8.5.0", "8.11.1", "8.11.1", "8.15.0")
_TZDATA = ("2025b", "2025b", "2025c", "2026a")

_DEBIAN = (
    ("base-files", "12.4+deb12u12"),
    ("bash", "5.2.15-2+b9"),
    ("ca-certificates", "20230311+deb12u1"),
    ("coreutils", "9.1-1"),
    ("dpkg", "1.21.22"),
    ("libc6", "2.36-9+deb12u13"),
    ("libexpat1", "2.5.0-1+deb12u2"),
    ("libsqlite3-0", "3.40.1-2+deb12u2"),
    ("libssl3", "3.0.17-1~deb12u2"),
    ("openssl", "3.0.17-1~deb12u2"),
    ("tzdata", "2025b-0+deb12u2"),
    ("zlib1g", "1:1.2.13.dfsg-1"),
)


def rpm_files(os: str, number: int, architecture: str) -> dict[str, Entry]:
    """The rpm database of an Amazon Linux ("al2023" or "al2") at its release of this number, by its path."""
    arch = _RPM_ARCHITECTURES[architecture]
    if os == "al2023":
        return {"var/lib/rpm/rpmdb.sqlite": sqlite_database(_al2023(number, arch))}
    return {"var/lib/rpm/Packages": berkeley_database(_al2(number, arch))}


def installed(os: str, number: int) -> dict[str, str]:
    """Names and versions of the packages of an OS ("al2023", "al2", else Debian) at its release of this number."""
    if os not in ("al2023", "al2"):
        return dict(_DEBIAN)
    packages = (_al2023 if os == "al2023" else _al2)(number, "x86_64")
    return {each.name: f"{f'{each.epoch}:' if each.epoch else ''}{each.version}-{each.release}" for each in packages}


def _al2023(number: int, arch: str) -> list[RpmPackage]:
    glibc, openssl, curl = f"196.amzn2023.0.{number // 2 + 1}", f"1.amzn2023.0.{number + 19}", _CURL[min(number, 3)]
    return [
        RpmPackage("bash", "5.2.15", "1.amzn2023.0.2", arch=arch),
        RpmPackage("ca-certificates", f"2025.2.{76 + number}", "1.0.amzn2023.0.1", arch="noarch"),
        RpmPackage("coreutils-single", "8.32", "30.amzn2023.0.3", arch=arch),
        RpmPackage("curl-minimal", curl, f"1.amzn2023.0.{number + 1}", arch=arch),
        RpmPackage("filesystem", "3.14", "5.amzn2023.0.3", arch=arch),
        RpmPackage("glibc", "2.34", glibc, arch=arch),
        RpmPackage("glibc-common", "2.34", glibc, arch=arch),
        RpmPackage("glibc-minimal-langpack", "2.34", glibc, arch=arch),
        RpmPackage("krb5-libs", "1.21.3", "1.amzn2023.0.4", arch=arch),
        RpmPackage("libcurl-minimal", curl, f"1.amzn2023.0.{number + 1}", arch=arch),
        RpmPackage("libgcc", "11.5.0", "5.amzn2023.0.5", arch=arch),
        RpmPackage("openssl-libs", "3.2.2", openssl, epoch=1, arch=arch),
        RpmPackage("setup", "2.13.7", "3.amzn2023.0.2", arch="noarch"),
        RpmPackage("system-release", f"2023.{8 + number}.20260{number + 5}10", "0.amzn2023", arch="noarch"),
        RpmPackage("tzdata", _TZDATA[min(number, 3)], "1.amzn2023.0.1", arch="noarch"),
        RpmPackage("xz-libs", "5.2.5", "9.amzn2023.0.2", arch=arch),
        RpmPackage("zlib", "1.2.11", "33.amzn2023.0.5", arch=arch),
    ]


def _al2(number: int, arch: str) -> list[RpmPackage]:
    glibc = f"64.amzn2.0.{number // 2 + 4}"
    return [
        RpmPackage("bash", "4.2.46", "34.amzn2", arch=arch),
        RpmPackage("ca-certificates", f"2023.2.{68 + number}", "1.amzn2.0.1", arch="noarch"),
        RpmPackage("curl", "8.3.0", f"1.amzn2.0.{number + 8}", arch=arch),
        RpmPackage("glibc", "2.26", glibc, arch=arch),
        RpmPackage("glibc-common", "2.26", glibc, arch=arch),
        RpmPackage("openssl-libs", "1.0.2k", f"24.amzn2.0.{number + 14}", epoch=1, arch=arch),
        RpmPackage("system-release", "2", "16.amzn2", epoch=1, arch=arch),
        RpmPackage("zlib", "1.2.7", "19.amzn2.0.3", arch=arch),
    ]


def dpkg_files(architecture: str) -> dict[str, Entry]:
    """dpkg's status file of the Debian base, by its path."""
    paragraphs = [
        f"Package: {name}\nStatus: install ok installed\nPriority: required\nSection: libs\nMaintainer: Debian\n"
        f"Architecture: {architecture}\nVersion: {version}\nDescription: {name}\n of the Debian base\n"
        for name, version in _DEBIAN
    ]
    removed = "Package: adduser\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 3.134\n"
    return {"var/lib/dpkg/status": "\n".join([*paragraphs, removed]).encode()}


def python_files(folder: str, packages: Mapping[str, str], requires: Iterable[str] = ()) -> dict[str, Entry]:
    """What pip leaves of these packages (name to version) in a folder, beside their modules."""
    files: dict[str, Entry] = {}
    for name, version in packages.items():
        info = f"{folder}/{name.replace('-', '_')}-{version}.dist-info"
        needed = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        files[f"{info}/METADATA"] = (
            f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: {name} as pip installs it\n"
            f"License-Expression: Apache-2.0\nRequires-Python: >=3.9\n{needed}\n# {name}\n\nVersion: of the manual\n"
        ).encode()
        files[f"{info}/INSTALLER"] = b"pip\n"
        files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: setuptools\nRoot-Is-Purelib: true\n"
    return files


def npm_files(folder: str, packages: Mapping[str, str]) -> dict[str, Entry]:
    """The package.json of each of these packages (name to version) in a node_modules folder."""
    return {
        f"{folder}/{name}/package.json": json.dumps({"name": name, "version": version}, indent=2).encode() + b"\n"
        for name, version in packages.items()
    }
