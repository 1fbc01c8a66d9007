"""Releases of a company's base that nobody polled are found in its own repository; what can't be is never green."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from functions_app.domain.bases.claims import BASE_DIGEST, BASE_NAME
from functions_app.domain.images.manifests import chain_ids
from functions_app.models import BaseRelease, BaseStream, Image, Repository, Tag, TagMove
from functions_app.services.bases.repository_releases import find_releases
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.engine import runs
from functions_app.services.people.actor import Actor
from functions_app.services.sync.run import submit
from tests.conftest import Valkey
from tests.factories import NOW, digest, make_account, make_image, make_release, make_repository, make_stream
from tests.fixtures import REGION, Push, Sandbox
from tests.publishing import app, base
from tests.services.bases.base_stage import Company

pytestmark = pytest.mark.django_db


class Golden:
    """A company's repository with the stream `stable` of which the newest release alone was polled, on a current base
    of AWS's.
    """

    def __init__(self, moving: str = "stable", **values: Any) -> None:
        self.aws = make_release(make_stream("python:3.12"), "3.12.2026.02.20.10", days_old=9, current=True)
        self.repository = make_repository(make_account("company"), "base/golden")
        reference = f"{self.repository.uri}:{moving}"
        self.stream = make_stream("golden", runtime="", own=True, reference=reference, **values)
        newest = self.image("new", days=1, tags=[moving])
        self.newest = make_release(self.stream, "", days_old=1, current=True)
        BaseRelease.objects.filter(pk=self.newest.pk).update(
            diff_ids=newest.diff_ids, chain_id=chain(newest), manifest_digest=newest.digest
        )

    def image(self, word: str, *, days: int, tags: list[str] | None = None, **values: Any) -> Image:
        """An image of the repository on AWS's base, pushed so many days ago."""
        layers = {"diff_ids": [*self.aws.diff_ids, digest(f"golden {word}")], "pushed_at": NOW - timedelta(days=days)}
        return make_image(self.repository, word, tags=tags or (), **{**layers, "created_at": None, **values})

    def app(self, on: Image, **values: Any) -> Image:
        """An application's image on it, in a repository of its own."""
        repository = Repository.objects.filter(name="team/app").first() or make_repository(self.repository.account)
        return make_image(repository, diff_ids=[*on.diff_ids, digest("app")], **values)

    def tags(self) -> list[str]:
        """Those of the releases that are not current, by their age."""
        return [row.tag for row in self.stream.releases.filter(current=False).order_by("created_at")]


def chain(image: Image) -> str:
    return chain_ids(image.diff_ids)[-1]


def judged(image: Image) -> Image:
    judge_images(now=NOW, refresh=False)
    image.refresh_from_db()
    return image


def test_an_app_on_a_release_that_was_never_polled_is_stale_and_not_current_on_the_base_beneath() -> None:
    golden = Golden()
    old = golden.image("old", days=30, tags=["1.4.0"])

    assert find_releases(NOW) == 1

    image = judged(golden.app(old))
    assert (image.base_tier, image.freshness, image.releases_behind) == ("exact", "stale", 1)
    assert image.base_stream == golden.stream
    assert golden.tags() == ["1.4.0"]
    assert find_releases(NOW) == 0


def test_releases_are_ordered_by_when_they_were_pushed_whatever_their_builds_say() -> None:
    golden = Golden()
    golden.image("a", days=10, tags=["1.4.1"], created_at=NOW - timedelta(days=300))
    golden.image("b", days=30, tags=["1.4.0"], created_at=NOW - timedelta(days=2))

    find_releases(NOW)

    assert golden.tags() == ["1.4.0", "1.4.1"]
    assert {NOW - row.created_at for row in golden.stream.releases.filter(current=False)} == {
        timedelta(days=10),
        timedelta(days=30),
    }


@pytest.mark.parametrize(
    ("moving", "tag", "pattern", "is_release"),
    [
        ("stable", "1.4.0", "", True),
        ("stable", "stable-7", "", True),
        ("stable", "sha-4f2a1c9", "", False),
        ("stable", "1.4.0-rc1", "", False),
        ("stable", "1.4.0-rc1", "{number}.{number}.{number}-rc{number}", True),
        ("stable", "1.4.0", "release-{number}", False),
        ("3.12", "3.12-1760000000", "", True),
        ("3.12", "3.13-1760000000", "", False),
    ],
)
def test_only_images_whose_tags_fit_are_releases(moving: str, tag: str, pattern: str, is_release: bool) -> None:
    golden = Golden(moving, tag_pattern=pattern)
    golden.image("old", days=30, tags=[tag])

    assert find_releases(NOW) == is_release


def test_what_the_moving_tag_was_seen_to_leave_is_a_release() -> None:
    golden = Golden()
    golden.image("candidate", days=30, tags=["sha-4f2a1c9"])
    left = golden.image("left", days=20)
    TagMove.objects.create(
        repository=golden.repository, tag="stable", from_digest=left.digest, to_digest="sha256:x", seen_at=NOW
    )

    find_releases(NOW)

    assert [row.manifest_digest for row in golden.stream.releases.filter(current=False)] == [left.digest]


@pytest.mark.parametrize(
    ("other_tag", "found"), [(None, 1), ("1.4.0", 2), ("nightly", 0), ("1.4.0-base-20261018-01234567", 1)]
)
def test_images_without_a_tag_are_releases_where_nothing_else_is_tagged(other_tag: str | None, found: int) -> None:
    golden = Golden()
    golden.image("untagged", days=30)
    if other_tag:
        golden.image("other", days=20, tags=[other_tag])

    assert find_releases(NOW) == found


def test_in_a_repository_of_two_streams_images_without_a_tag_belong_to_nobody() -> None:
    golden = Golden()
    make_stream("edge", runtime="", own=True, reference=f"{golden.repository.uri}:edge")
    golden.image("untagged", days=30)

    assert find_releases(NOW) == 0


def test_the_images_of_an_index_have_its_tag_and_only_wanted_platforms_are_kept() -> None:
    golden = Golden(platforms=["linux/arm64"])
    BaseRelease.objects.filter(pk=golden.newest.pk).delete()
    amd64, arm64 = golden.image("amd64", days=30), golden.image("arm64", days=30, architecture="arm64", variant="v8")
    entries = [{"digest": each.digest, "platform": f"linux/{each.architecture}"} for each in (amd64, arm64)]
    index = golden.image("index", days=30, tags=["1.4.0"], is_index=True, role="index", diff_ids=[], entries=entries)

    find_releases(NOW)

    row = golden.stream.releases.get()
    assert (row.platform, row.tag, row.index_digest) == ("linux/arm64", "1.4.0", index.digest)


def test_what_the_moving_tag_points_to_now_is_left_to_the_poll() -> None:
    golden = Golden()
    Tag.objects.filter(name="stable").delete()
    golden.image("just pushed", days=0, tags=["stable", "1.6.0"])

    assert find_releases(NOW) == 0


@pytest.mark.parametrize("enabled", [True, False])
def test_only_streams_of_people_that_are_switched_on_have_their_repository_searched(enabled: bool) -> None:
    golden = Golden(enabled=enabled)
    golden.image("old", days=30, tags=["1.4.0"])

    assert find_releases(NOW) == enabled


@pytest.mark.parametrize("texts", ["annotations", "labels"])
@pytest.mark.parametrize(
    "claim",
    [
        {BASE_NAME: "{uri}:stable"},
        {BASE_NAME: "{uri}:stable", BASE_DIGEST: digest("nobody knows it")},
        {BASE_NAME: "{uri}:1.2.3"},
        {BASE_NAME: "{dual_stack}:stable"},
        {BASE_NAME: "{dual_stack}:1.2.3"},
    ],
)
def test_a_claim_of_a_watched_stream_that_leads_nowhere_is_never_green(texts: str, claim: dict[str, str]) -> None:
    golden = Golden()
    on_aws = [*golden.aws.diff_ids, digest("squashed golden and app")]
    uri = golden.repository.uri
    dual_stack = uri.replace(".dkr.ecr.", ".dkr-ecr.").replace(".amazonaws.com", ".on.aws")
    said: dict[str, str] = {name: text.format(uri=uri, dual_stack=dual_stack) for name, text in claim.items()}

    values: dict[str, Any] = {texts: said}
    plain = judged(make_image(make_repository(make_account()), diff_ids=on_aws))
    image = judged(make_image(make_repository(make_account()), diff_ids=on_aws, **values))

    assert (plain.base_tier, plain.freshness) == ("exact", "current")
    assert (image.base_tier, image.freshness) == ("exact", "unknown")
    assert "which release of golden that is, is not known" in image.freshness_reason


def test_layers_of_a_company_base_above_the_one_found_are_never_green() -> None:
    golden = Golden()
    agent = digest("agent layer of every golden image")
    BaseRelease.objects.filter(pk=golden.newest.pk).update(diff_ids=[*golden.aws.diff_ids, digest("ca"), agent])
    layers = [*golden.aws.diff_ids, digest("other ca"), agent, digest("app")]

    image = judged(make_image(make_repository(make_account()), diff_ids=layers))

    assert (image.base_tier, image.base_stream, image.freshness) == ("exact", golden.aws.stream, "unknown")


@pytest.mark.django_db(transaction=True)
def test_a_sync_finds_the_releases_and_judges_what_stands_on_them(
    aws: Sandbox, valkey: Valkey, push: Push, account: str, operator: Actor
) -> None:
    row = make_account("company", account_id=account, role_arn=f"arn:aws:iam::{account}:role/Drydock")
    push("base/golden", base(1), ["1.4.0"])
    push("base/golden", base(2), ["stable"])
    push("team/app", app(base(1)), ["7"])
    host = f"{account}.dkr.ecr.{REGION}.amazonaws.com"
    BaseStream.objects.create(name="golden", reference=f"{host}/base/golden:stable", own=True, enabled=True)

    run = submit(operator)
    while runs.execute(run.pk, "tests"):
        pass

    assert row.repositories.count() == 2
    image = Image.objects.get(digest=app(base(1)).digest)
    assert (image.base_tier, image.base_release and image.base_release.tag) == ("exact", "1.4.0")


def test_the_next_poll_reads_what_a_release_holds_beside_its_layers(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(base(1), "1.0.0")
    company.publish(base(2), "1.1.0")
    company.poll()
    company.stream.releases.filter(tag="1.0.0").update(config={})  # as one that was found in the repository

    company.poll()

    assert not company.stream.releases.filter(config={}).exists()


def test_layers_are_loaded_of_those_images_alone_that_are_named_as_releases() -> None:
    golden = Golden()
    golden.image("old", days=30, tags=["1.4.0"])
    golden.image("build", days=20, tags=["sha-4f2a1c9"])
    with CaptureQueriesContext(connection) as first:
        assert find_releases(NOW) == 1
    with CaptureQueriesContext(connection) as again:
        assert find_releases(NOW) == 0

    assert len(loading(first, "layers")) == 1
    assert digest("build") not in loading(first, "layers")[0]
    assert loading(first, "config") == []
    assert loading(again, "layers") == loading(again, "config") == []


def loading(queries: CaptureQueriesContext, column: str) -> list[str]:
    """The queries that load a column of anything that is there."""
    found = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    return [sql for sql in found if f'"{column}"' in sql.partition(" FROM ")[0]]
