"""The tags that name a moving tag's earlier releases, in the forms that AWS and companies give them."""

import pytest

from functions_app.domain.bases.release_tags import NEWEST, history_tags


def test_lambdas_dated_tags_come_newest_first_without_those_for_one_architecture() -> None:
    tags = [f"3.12.2026.{month:02d}.03.13" for month in (9, 10, 11)]
    others = ["3.1.2026.01.01.01", "3.12", "3.12.2026.12.03.13-arm64", "13.12.2026.01.03.13", "3x12.2026.01.03.13"]

    assert history_tags([*tags, *others], "3.12", 20) == tags[::-1]


@pytest.mark.parametrize(
    ("moving", "tags", "found"),
    [
        ("latest", ["2026.10.03", "2026.09.28", "latest"], ["2026.10.03", "2026.09.28"]),
        ("latest", ["1.4.2", "1.10.0", "1.9.9"], ["1.10.0", "1.9.9", "1.4.2"]),
        ("stable", ["1.4.2-20261003", "1.4.2-20260903"], ["1.4.2-20261003", "1.4.2-20260903"]),
        ("latest", ["v2.0.0", "v1.4.2"], ["v2.0.0", "v1.4.2"]),
        ("latest", ["20261003", "20261003T1200", "2026-10-04"], ["2026-10-04", "20261003T1200"]),
        ("main", ["381", "380"], ["381", "380"]),
        ("stable", ["stable-1.4.2", "edge-1.5.0", "1.3.0"], ["stable-1.4.2"]),
        ("1.4", ["1.4.2", "1.4.1", "1.5.0", "1.40.0"], ["1.4.2", "1.4.1"]),
        (
            "22-alpine",
            ["22.2.0-alpine", "22.1.0-alpine", "22.2.0", "20.1.0-alpine"],
            ["22.2.0-alpine", "22.1.0-alpine"],
        ),
        ("3.12", ["3.12-1760000000", "3.12-1750000000"], ["3.12-1760000000", "3.12-1750000000"]),
        ("3.12", ["3.12-1760000000123", "3.12-1750000000123"], ["3.12-1760000000123", "3.12-1750000000123"]),
        ("9.4", ["9.4-1227.1726694542", "9.4-1214.1725849297"], ["9.4-1227.1726694542", "9.4-1214.1725849297"]),
        ("9.4", ["9.4-949.1714662671", "9.4-1227.1726694542"], ["9.4-1227.1726694542", "9.4-949.1714662671"]),
        ("3.12", ["3.12-r5", "3.12-r10", "3.12-r0"], ["3.12-r10", "3.12-r5", "3.12-r0"]),
        ("3.12", ["3.12.7-r1", "3.12.7-r0", "3.12.6-r9"], ["3.12.7-r1", "3.12.7-r0", "3.12.6-r9"]),
        ("3.12", ["3.12-build.7", "3.12-build12", "3.12-build-9"], ["3.12-build12", "3.12-build-9", "3.12-build.7"]),
        ("stable", ["stable-b381", "stable-rev2"], ["stable-rev2"]),
        ("3.12", ["3.12+20261003", "3.12_20260903"], ["3.12_20260903"]),
        ("latest", ["1760000000", "1750000000"], ["1760000000", "1750000000"]),
        ("latest", ["r12", "r9"], ["r12", "r9"]),
        (
            "3.12-debian-12",
            ["3.12.7-debian-12-r5", "3.12.7-debian-12-r10", "3.12.8-debian-12-r0", "3.12.8-debian-11-r3"],
            ["3.12.8-debian-12-r0", "3.12.7-debian-12-r10", "3.12.7-debian-12-r5"],
        ),
        # A time is a time, however it is written.
        (
            "3.12",
            ["3.12-20251010", "3.12-1760000000", "3.12-20251008"],
            ["3.12-20251010", "3.12-1760000000", "3.12-20251008"],
        ),
        ("noble", ["noble-20261003", "noble-2026.09"], ["noble-20261003", "noble-2026.09"]),
    ],
)
def test_a_companys_versions_and_dates_are_its_history(moving: str, tags: list[str], found: list[str]) -> None:
    assert history_tags(tags, moving, 20, own=True) == found


@pytest.mark.parametrize(
    "word",
    ["latest", "stable", "current", "main", "Master", "trunk", "release", "prod", "production", "live", "golden"],
)
def test_beside_each_word_for_the_newest_any_version_is_a_release(word: str) -> None:
    assert word.lower() in NEWEST
    assert len(NEWEST) == 11
    assert history_tags(["1.4.2", "1.4.3"], word, 20, own=True) == ["1.4.3", "1.4.2"]


def test_tags_that_move_themselves_are_no_releases() -> None:
    assert history_tags(["1", "1.4", "1.4.2", "1.4.1"], "latest", 20, own=True) == ["1.4.2", "1.4.1"]


@pytest.mark.parametrize(
    "tag",
    [
        "1.4.2-rc1",
        "1.4.2-b2",
        "1.4.2-r",
        "4281937",
        "12345678",
        "9876543210",
        "99999999999999",
        "1.4.2-amd64",
        "sha-4f2a1c9",
        "4f2a1c9",
        "edge",
        "1.4.2.sig",
        "1..2",
        "v",
    ],
)
def test_candidates_builds_for_one_architecture_and_commits_are_no_releases(tag: str) -> None:
    assert history_tags([tag], "latest", 20, own=True) == []


def test_versions_beside_one_of_lambdas_own_tags_are_not_taken_for_its_releases() -> None:
    assert history_tags(["3.11.2026.01.03.13", "2026.10.03"], "al2023", 20) == []


@pytest.mark.parametrize("moving", ["3.12-slim", "bookworm", "slim", "python3.12", "al2023"])
def test_versions_that_may_be_those_of_another_variant_are_not_taken_for_releases(moving: str) -> None:
    assert history_tags(["3.14.0", "3.12.7", "12.7", "2026.10.03"], moving, 20, own=True) == []


def test_only_the_newest_are_read_however_many_there_are() -> None:
    tags = (f"1.{minor}.{patch}" for minor in range(300) for patch in range(300))

    assert history_tags(tags, "latest", 3, own=True) == ["1.299.299", "1.299.298", "1.299.297"]
