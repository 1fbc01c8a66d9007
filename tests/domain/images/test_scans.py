"""Scans: the many ways not to have findings, and which findings are the base's."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.images.scan_answers import read_enhanced, read_finding
from functions_app.domain.images.scans import (
    BaseContents,
    Finding,
    FindingPlace,
    ScanState,
    Side,
    https,
    split,
    state,
    worst_first,
)

BASE, APP = "sha256:" + "b" * 64, "sha256:" + "a" * 64
LAYERS: dict[str, Any] = {"base_layers": {BASE: "python:3.12"}, "app_layers": {APP}}
RPM_DATABASE = "var/lib/rpm/rpmdb.sqlite"


def finding(severity: str = "HIGH", **place: str) -> Finding:
    """A finding about one place; about none where nothing is said of it."""
    return Finding("CVE-1", severity, places=(FindingPlace(**place),) if place else ())


def side(found: Finding, **contents: Any) -> Side:
    """Where it is."""
    (placed,) = split([found], BaseContents(**{**LAYERS, **contents}), {}).placed
    assert placed.reason
    return placed.side


@pytest.mark.parametrize(
    ("status", "severities", "findings", "expected"),
    [
        ("", {}, 0, ScanState.NOT_ASKED),
        ("NOT_SCANNED", {}, 0, ScanState.NOT_SCANNED),
        ("COMPLETE", {}, 0, ScanState.CLEAN),
        ("COMPLETE", {"LOW": 0}, 0, ScanState.CLEAN),
        ("COMPLETE", {"LOW": 1}, 0, ScanState.FOUND),
        ("COMPLETE", {}, 1, ScanState.FOUND),
        ("ACTIVE", {}, 0, ScanState.CLEAN),
        ("SCAN_ELIGIBILITY_EXPIRED", {"HIGH": 2}, 2, ScanState.EXPIRED),
        ("PENDING", {}, 0, ScanState.IN_PROGRESS),
        ("LIMIT_EXCEEDED", {}, 0, ScanState.FAILED),
        ("IMAGE_SIZE_EXCEEDED", {}, 0, ScanState.UNSUPPORTED),
        ("FINDINGS_UNAVAILABLE", {}, 0, ScanState.UNAVAILABLE),
        ("A_STATUS_OF_NEXT_YEAR", {}, 0, ScanState.OTHER),
    ],
)
def test_each_status_is_a_state_of_its_own(
    status: str, severities: dict[str, int], findings: int, expected: ScanState
) -> None:
    assert state(status, severities, findings) is expected


def test_the_layer_tells_base_from_app() -> None:
    assert side(finding(layer=BASE)) is Side.BASE
    assert side(finding(layer=APP)) is Side.APP
    assert side(finding(layer="sha256:" + "c" * 64)) is Side.UNKNOWN


def test_a_finding_in_the_base_names_which_of_the_bases_it_is() -> None:
    (placed,) = split([finding(layer=BASE)], BaseContents(**LAYERS), {}).placed
    assert placed.reason == "Its layer belongs to python:3.12."


def test_without_a_known_base_nothing_is_told() -> None:
    assert side(finding(layer=APP), base_layers={}, has_base=False) is Side.UNKNOWN


@pytest.mark.parametrize(
    ("path", "contents", "expected"),
    [
        ("/var/task/requests/METADATA", {}, Side.APP),
        ("usr/lib/x.jar", {}, Side.UNKNOWN),
        ("usr/lib/x.jar", {"base_paths": {"usr/lib/x.jar"}}, Side.BASE),
        ("usr/lib/x.jar", {"base_paths": set()}, Side.APP),
        ("usr/lib/x.jar", {"base_paths": {"usr/lib/x.jar"}, "app_paths": {"usr/lib/x.jar"}}, Side.APP),
    ],
)
def test_the_path_tells_where_its_file_is(path: str, contents: dict[str, Any], expected: Side) -> None:
    assert side(finding(path=path), **contents) is expected


@pytest.mark.parametrize(
    ("package", "version", "expected"),
    [
        ("openssl", "3.2.2-1", Side.BASE),
        ("OpenSSL", "1:3.2.2-1", Side.BASE),
        ("openssl", "", Side.BASE),
        ("openssl", "3.9", Side.APP),
        ("imagemagick", "7.1", Side.APP),
    ],
)
def test_the_package_tells_where_the_base_was_read(package: str, version: str, expected: Side) -> None:
    held = {("openssl", "1:3.2.2-1"), ("glibc", "2.34")}
    assert side(finding(package=package, version=version), base_packages=held) is expected
    assert side(finding(package=package, version=version)) is Side.UNKNOWN


def test_an_app_that_writes_the_package_database_does_not_own_the_packages_of_the_base() -> None:
    """Inspector names the layer that wrote the database last for every package in it."""
    found = finding(package="openssl", version="3.2.2-1", path=RPM_DATABASE, layer=APP)
    held = {("openssl", "1:3.2.2-1")}
    assert side(found) is Side.UNKNOWN
    assert side(found, base_packages=held) is Side.BASE
    assert side(found, base_packages=held, app_paths={RPM_DATABASE}, base_paths={RPM_DATABASE}) is Side.BASE
    assert side(finding(package="ImageMagick", path=RPM_DATABASE, layer=APP), base_packages=held) is Side.APP
    assert side(finding(package="openssl", path=RPM_DATABASE, layer=BASE)) is Side.BASE


def test_a_library_within_an_archive_is_in_no_package_database() -> None:
    found = finding(package="log4j", version="2.14", path="opt/agent/agent.jar")
    assert side(found, base_packages={("openssl", "1")}) is Side.UNKNOWN


def test_a_finding_in_both_is_the_apps_since_another_base_alone_would_not_remove_it() -> None:
    found = Finding("CVE-1", "HIGH", places=(FindingPlace(layer=BASE), FindingPlace(layer=APP)))
    (placed,) = split([found], BaseContents(**LAYERS), {}).placed
    assert placed.side is Side.APP
    assert "The base has it too." in placed.reason


def test_counts_are_split_by_severity_and_what_was_not_kept_is_not_told() -> None:
    found = [finding(layer=BASE), finding("LOW", layer=APP), finding("LOW")]
    parts = split(found, BaseContents(**LAYERS), {"HIGH": 1, "LOW": 40, "CRITICAL": 2})
    assert (parts.base, parts.app) == ({"HIGH": 1}, {"LOW": 1})
    assert parts.unknown == {"LOW": 39, "CRITICAL": 2}


def test_the_worst_come_first() -> None:
    found = [Finding("b", "LOW"), Finding("z", "CRITICAL"), Finding("a", "UNDEFINED"), Finding("a", "CRITICAL")]
    assert [each.severity + each.name for each in worst_first(found)] == [
        "CRITICALa",
        "CRITICALz",
        "LOWb",
        "UNDEFINEDa",
    ]


def test_findings_of_one_name_come_by_their_packages_in_whatever_order_they_are_read() -> None:
    found = [finding(package=package, version=version) for package, version in (("b", "1"), ("a", "2"), ("a", "1"))]

    for order in permutations(found):
        assert worst_first(order) == found[::-1]


def test_findings_that_differ_in_their_titles_alone_have_one_order_too() -> None:
    found = [Finding("a", "HIGH", "one"), Finding("a", "HIGH", "two"), Finding("a", "HIGH", "two", "https://x")]

    for order in permutations(found):
        assert worst_first(order) == found


@pytest.mark.parametrize(
    ("address", "linked"),
    [
        ("https://alas.aws.amazon.com/x", True),
        ("HTTPS://alas.aws.amazon.com/x", True),
        ("http://alas.aws.amazon.com/x", False),
        ("javascript:alert(1)", False),
        ("https://x y", False),
        ("java\nscript:https://", False),
        ("https://\u202eexample.org", False),
        (None, False),
        ({"href": "https://x"}, False),
    ],
)
def test_only_https_is_linked(address: Any, linked: bool) -> None:
    assert bool(https(address)) is linked


def test_hostile_fields_are_cut_and_freed_of_what_no_column_holds() -> None:
    found = read_finding({"name": "\0<b>" + "x" * 9999, "severity": "boom", "description": "a\nb" * 9999, "uri": 7})
    assert (found.severity, found.uri, found.places) == ("UNDEFINED", "", ())
    assert "\0" not in found.name + found.title
    assert len(found.name) <= 120
    assert len(found.title) <= 300


def test_inspectors_version_and_release_are_one_and_no_fix_is_no_version() -> None:
    package = {"name": "openssl-libs", "version": "3.2.2", "release": "1.amzn2023", "fixedInVersion": "NotAvailable"}
    found = read_enhanced({"severity": "UNTRIAGED", "packageVulnerabilityDetails": {"vulnerablePackages": [package]}})
    assert found.places[0] == FindingPlace("openssl-libs", "3.2.2-1.amzn2023")
    assert (found.severity, found.name) == ("UNDEFINED", "finding without a name")


places = st.builds(
    FindingPlace,
    package=st.sampled_from(["", "openssl", "other"]),
    version=st.sampled_from(["", "1", "2"]),
    path=st.sampled_from(["", "var/task/x", RPM_DATABASE, "usr/x"]),
    layer=st.sampled_from(["", BASE, APP, "sha256:other"]),
)
findings = st.lists(
    st.builds(
        Finding,
        name=st.text(max_size=3),
        severity=st.sampled_from(["HIGH", "LOW"]),
        places=st.lists(places, max_size=3).map(tuple),
    ),
    max_size=6,
)


@given(findings, st.booleans(), st.booleans(), st.booleans())
def test_every_finding_is_counted_once(found: list[Finding], base_read: bool, app_read: bool, packages: bool) -> None:
    contents = BaseContents(
        **LAYERS,
        base_paths={"usr/x"} if base_read else None,
        app_paths={"var/task/x"} if app_read else None,
        base_packages={("openssl", "1")} if packages else None,
    )
    parts = split(found, contents, {})
    counted = sum(sum(side.values()) for side in (parts.base, parts.app, parts.unknown))
    assert counted == len(found) == len(parts.placed)
    assert [Finding.from_json(each.as_json()) for each in found] == found
