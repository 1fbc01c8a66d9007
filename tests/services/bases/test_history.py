"""The history of a stream: the tags it is read from, releases that vanish, come back, or are built once more."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from functions_app.domain.bases.claims import BASE_NAME
from functions_app.models import BaseStream
from sandbox.images.making import Blob, Image, canonical_json, make_image
from tests.factories import make_account, make_repository
from tests.factories import make_image as make_row
from tests.fixtures import Sandbox
from tests.publishing import NOW, base
from tests.services.bases.base_stage import Company

pytestmark = pytest.mark.django_db
upgrade = import_module("functions_app.migrations.0020_tags_that_were_read")


@pytest.mark.parametrize(
    ("moving", "tags"),
    [
        ("latest", ["2026.08.01", "2026.09.01", "2026.10.03"]),
        ("stable", ["1.4.0", "1.4.1", "1.4.2"]),
        ("stable", ["1.4.0-20260801", "1.4.1-20260901", "1.4.2-20261003"]),
        ("stable", ["stable-20260801", "stable-20260901", "stable-20261003"]),
        ("1.4", ["1.4.0", "1.4.1", "1.4.2"]),
        ("3.12", ["3.12-1750000000", "3.12-1755000000", "3.12-1760000000"]),
        ("9.4", ["9.4-949.1714662671", "9.4-1214.1725849297", "9.4-1227.1726694542"]),
        ("3.12", ["3.12-r4", "3.12-r5", "3.12-r10"]),
    ],
)
def test_the_history_of_a_golden_image_is_read_from_its_tags(aws: Sandbox, moving: str, tags: list[str]) -> None:
    company = Company(aws, moving)
    digests = [company.publish(base(number), tag) for number, tag in enumerate(tags, 1)]

    company.poll()

    assert company.releases() == {
        digest: (tag, position == 2) for position, (digest, tag) in enumerate(zip(digests, tags, strict=True))
    }


@pytest.mark.parametrize(
    ("pattern", "tags"),
    [
        ("{number}-{text}", ["7-4f2a1c9", "8-0a1b2c3", "10-main"]),
        ("py-{number}.{timestamp}", ["py-949.1714662671", "py-1214.1725849297", "py-1227.1726694542"]),
        ("{number}.{number}-rc{number}", ["1.4-rc1", "1.4-rc2", "1.5-rc1"]),
    ],
)
def test_the_history_of_a_stream_with_a_pattern_is_read_by_it(aws: Sandbox, pattern: str, tags: list[str]) -> None:
    company = Company(aws, "edge", tag_pattern=pattern)
    digests = [company.publish(base(number), tag, f"edge-{number}") for number, tag in enumerate(tags, 1)]

    company.poll()

    assert company.releases() == {
        digest: (tag, position == 2) for position, (digest, tag) in enumerate(zip(digests, tags, strict=True))
    }


def test_two_tags_of_one_image_are_one_release_by_its_most_exact_name(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(base(1), "1", "1.4", "1.4.1", "v1.4.1")
    company.publish(base(2), "1.4.2")
    aws.admin("DELETE", "calls")

    company.poll()

    assert sorted(row.tag for row in company.stream.releases.all()) in (["1.4.1", "1.4.2"], ["1.4.2", "v1.4.1"])


def test_a_rebuild_of_the_same_layers_is_the_same_release_by_its_latest_name(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(base(1), "1.0.0")
    rebuilt = make_image(base(1).layers, created=NOW)
    company.publish(rebuilt, "1.0.1")
    company.poll()
    assert company.releases() == {rebuilt.digest: ("1.0.1", True)}

    newest = company.publish(base(2), "1.0.2")
    company.poll()

    assert company.releases() == {rebuilt.digest: ("1.0.1", False), newest: ("1.0.2", True)}


def test_tags_that_are_no_images_hide_no_release(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(base(1), "1.0.0")
    chart = Blob("application/vnd.cncf.helm.config.v1+json", b"{}")
    manifest = {"schemaVersion": 2, "mediaType": base(1).manifest.media_type, "config": chart.descriptor, "layers": []}
    company.publish_only(Image(Blob(base(1).manifest.media_type, canonical_json(manifest)), chart, ()), "1.0.1")
    company.publish(base(3), "1.0.2")

    company.poll()

    assert sorted(row.tag for row in company.stream.releases.all()) == ["1.0.0", "1.0.2"]
    assert company.stream.problem is None


def test_a_tag_that_was_deleted_is_told_and_its_releases_stay(aws: Sandbox) -> None:
    company = Company(aws)
    digest = company.publish(base(1), "1.0.0")
    company.poll()
    company.delete(digest)

    company.poll(NOW + timedelta(hours=1))

    assert company.stream.problem is not None
    assert company.stream.problem["code"] == "not_found"
    assert company.stream.polled_at == NOW
    assert company.releases() == {digest: ("1.0.0", True)}
    company.publish(base(1), "1.0.0")
    company.poll(NOW + timedelta(hours=2))
    assert company.stream.problem is None


def test_a_deleted_release_is_remembered_for_ever(aws: Sandbox) -> None:
    company = Company(aws)
    old = company.publish(base(1), "1.0.0")
    company.poll()
    company.publish(base(2), "1.1.0")
    company.delete(old)

    company.poll()

    assert company.releases()[old] == ("1.0.0", False)


def test_a_withdrawn_release_that_comes_back_is_the_same_release(aws: Sandbox) -> None:
    company = Company(aws)
    first, second = company.publish(base(1), "1.0.0"), company.publish(base(2), "1.1.0")
    company.poll()
    company.publish(base(1))
    company.poll(NOW + timedelta(hours=1))
    assert company.releases() == {first: ("1.0.0", True), second: ("1.1.0", False)}

    company.publish(base(2))
    company.poll(NOW + timedelta(hours=2))

    assert company.releases() == {first: ("1.0.0", False), second: ("1.1.0", True)}
    assert set(company.stream.releases.values_list("first_seen_at", flat=True)) == {NOW}


def released(aws: Sandbox, *tags: str) -> Company:
    """A stream `latest` whose history of these tags was read to its end."""
    company = Company(aws, "latest")
    for number, tag in enumerate(tags, 1):
        company.publish(base(number), tag)
    company.poll()
    assert company.stream.history["left"] == 0
    aws.admin("DELETE", "calls")
    return company


def told(company: Company) -> list[str]:
    return sorted(row.tag for row in company.stream.releases.all())


@pytest.mark.parametrize(
    ("before", "hotfix"),
    [(("1.3.8", "1.4.0", "1.4.1"), "1.3.9"), (("1.4.2", "2026.10.03"), "1.4.3"), (("1.4.0",), "1.2.9")],
)
def test_a_fix_of_an_older_version_is_read_with_the_next_release(
    aws: Sandbox, before: tuple[str, ...], hotfix: str
) -> None:
    company = released(aws, *before)
    company.publish_only(base(8), hotfix)
    company.publish(base(9), "2026.11.01")

    company.poll(NOW + timedelta(hours=1))

    assert told(company) == sorted([*before, hotfix, "2026.11.01"])
    assert company.stream.history["left"] == 0


def test_a_fix_of_an_older_version_is_read_within_a_day_though_no_other_tag_moves(aws: Sandbox) -> None:
    company = released(aws, "1.3.8", "1.4.0", "1.4.1")
    company.publish_only(base(8), "1.3.9")

    company.poll(NOW + timedelta(hours=1))
    assert told(company) == ["1.3.8", "1.4.0", "1.4.1"]

    company.poll(NOW + timedelta(hours=24))
    assert told(company) == ["1.3.8", "1.3.9", "1.4.0", "1.4.1"]


def test_a_fix_of_an_older_version_that_an_image_claims_is_read_at_once(aws: Sandbox) -> None:
    company = released(aws, "1.3.8", "1.4.0", "1.4.1")
    company.publish_only(base(8), "1.3.9")
    claim = {BASE_NAME: f"public.ecr.aws/{company.repository}:1.3.9"}
    make_row(make_repository(make_account()), annotations=claim)

    company.poll(NOW + timedelta(hours=1))

    assert told(company) == ["1.3.8", "1.3.9", "1.4.0", "1.4.1"]


@pytest.mark.parametrize("claimed", ["1.4.0", "v1.4.0", "1.4.9", "other"])
def test_what_images_claim_is_asked_for_once(aws: Sandbox, claimed: str) -> None:
    company = Company(aws, "latest")
    company.publish(base(1), "1.4.0", "v1.4.0")
    company.publish(base(2), "1.4.1")
    claim = {BASE_NAME: f"public.ecr.aws/{company.repository}:{claimed}"}
    make_row(make_repository(make_account()), annotations=claim)
    company.poll()
    aws.admin("DELETE", "calls")

    company.poll(NOW + timedelta(hours=1))

    assert aws.admin("GET", "calls?account=public") == {"registry.HeadManifest": 1}


def test_a_tag_that_was_asked_for_in_vain_is_read_once_it_is_pushed(aws: Sandbox) -> None:
    company = Company(aws, "latest")
    company.publish(base(1), "1.4.0")
    claim = {BASE_NAME: f"public.ecr.aws/{company.repository}:1.3.9"}
    make_row(make_repository(make_account()), annotations=claim)
    company.poll()
    company.publish_only(base(8), "1.3.9")
    company.publish(base(2), "1.4.1")

    company.poll(NOW + timedelta(hours=1))

    assert told(company) == ["1.3.9", "1.4.0", "1.4.1"]


def test_only_tags_that_name_no_release_are_kept_beside_the_releases(aws: Sandbox) -> None:
    company = released(aws, "1.4.0", "1.4.1")
    assert company.stream.history["read"] == []

    company.publish(base(2), "v1.4.1")
    BaseStream.objects.update(tag_digest="")
    company.poll(NOW + timedelta(hours=1))

    read, named = company.stream.history["read"], told(company)
    assert (len(read), sorted([*read, *named])) == (1, ["1.4.0", "1.4.1", "v1.4.1"])


def test_an_upgrade_finds_what_was_lost_between_the_newest_and_the_oldest(aws: Sandbox) -> None:
    company = released(aws, "1.3.8", "1.4.1")
    company.publish_only(base(8), "1.3.9")
    ends = {"newest": [[1, 4, 1], "1.4.1"], "oldest": [[1, 3, 8], "1.3.8"]}
    kept = {name: value for name, value in company.stream.history.items() if name != "read"}
    BaseStream.objects.update(history={**kept, **ends})

    upgrade.list_again(apps, connection.schema_editor())
    company.poll(NOW + timedelta(hours=1))

    assert told(company) == ["1.3.8", "1.3.9", "1.4.1"]
    assert not {"newest", "oldest"} & company.stream.history.keys()
