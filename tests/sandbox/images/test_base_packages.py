"""The package databases in the sandbox's images: true to form, and moving from release to release."""

import io
from datetime import UTC, date, datetime

import pytest

from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.overlay import overlay
from functions_app.domain.layers.package_files import Package
from functions_app.domain.layers.packages import overlay_packages
from functions_app.domain.layers.tar import read_tar
from sandbox.fleet.apps import APPS, build_app
from sandbox.images.base_packages import rpm_files
from sandbox.images.bases import foreign_base, next_release, releases
from sandbox.images.making import Image

TODAY = date(2026, 11, 21)
BUILT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def layers(image: Image) -> list[LayerContents]:
    return [read_tar(io.BytesIO(layer.tar)) for layer in image.layers]


def packages(image: Image, kind: str) -> dict[str, str]:
    """Name to version of one kind."""
    found = overlay_packages(layers(image))
    return {package.name: package.version for package in found if package.kind == kind}


def every_package(image: Image) -> tuple[Package, ...]:
    return overlay_packages(layers(image))


def versions(name: str, kind: str, package: str) -> list[str]:
    """A package's version in each release of a stream, oldest first."""
    return [packages(release.images["amd64"], kind)[package] for release in releases(name, TODAY)]


@pytest.mark.parametrize("name", ["python:3.12", "python:3.9", "nodejs:22", "provided:al2023"])
def test_openssl_moves_with_each_release_and_glibc_with_every_second(name: str) -> None:
    assert len(set(versions(name, "rpm", "openssl-libs"))) == 4
    assert len(set(versions(name, "rpm", "glibc"))) == 2
    assert len(set(versions(name, "rpm", "zlib"))) == 1


def test_amazon_linux_2_keeps_its_packages_in_berkeley_db_and_2023_in_sqlite() -> None:
    paths = {
        name: {package.path for package in every_package(releases(name, TODAY)[0].images["amd64"])}
        for name in ("python:3.9", "provided:al2023")
    }

    assert "var/lib/rpm/Packages" in paths["python:3.9"]
    assert paths["provided:al2023"] == {"var/lib/rpm/rpmdb.sqlite"}


@pytest.mark.parametrize("os", ["al2023", "al2"])
@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_the_same_packages_give_the_same_bytes(os: str, architecture: str) -> None:
    assert rpm_files(os, 2, architecture) == rpm_files(os, 2, architecture) != rpm_files(os, 3, architecture)


def test_a_release_that_comes_later_keeps_the_packages_of_the_newest_os() -> None:
    newest = releases("python:3.12", TODAY)[-1].images["amd64"]
    later = next_release("python:3.12", 4, BUILT, BUILT).images["amd64"]

    assert packages(later, "rpm") == packages(newest, "rpm")
    assert packages(later, "python")["boto3"] != packages(newest, "python")["boto3"]


def test_pythons_bases_bring_boto3_with_all_that_it_needs() -> None:
    found = packages(releases("python:3.12", TODAY)[-1].images["amd64"], "python")

    assert set(found) == {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}
    assert found["boto3"] == found["botocore"]


def test_nodes_bases_bring_the_sdk_and_npm() -> None:
    found = packages(releases("nodejs:22", TODAY)[-1].images["amd64"], "npm")

    assert set(found) == {"@aws-sdk/client-dynamodb", "@aws-sdk/client-s3", "npm"}


def test_the_foreign_base_has_debian_packages_and_lambdas_client() -> None:
    image = foreign_base(TODAY)

    assert packages(image, "deb")["libssl3"] == "3.0.17-1~deb12u2"
    assert "adduser" not in packages(image, "deb")
    assert packages(image, "python")["awslambdaric"] == "3.0.2"


@pytest.mark.parametrize(("title", "base"), [("orders", "python:3.12"), ("thumbnails", "nodejs:22")])
def test_an_app_brings_the_metadata_of_what_it_installed(title: str, base: str) -> None:
    image = build_app(title, "1", base=base, behind=0, built=BUILT, today=TODAY)

    own = {package.name: package.version for package in every_package(image) if package.path.startswith("var/task/")}

    assert own == dict(APPS[title].packages)


def test_one_app_forgot_its_git_folder_and_its_tests() -> None:
    forgetful = {title for title in APPS if any(path.startswith("var/task/.git/") for path in files_of(title))}

    assert forgetful == {"tools"}
    assert {"var/task/.git/HEAD", "var/task/tests/test_report.py"} <= files_of("tools")


def files_of(title: str) -> set[str]:
    """The paths in an app's image."""
    image = build_app(title, "1", base="provided:al2023", behind=0, built=BUILT, today=TODAY)
    return set(overlay([layer.entries for layer in layers(image)]))
