"""Base streams: seeded with their ends of life, polled through the registry, each failing for itself."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from functions_app.domain.bases.release_tags import history_tags
from functions_app.domain.errors import DrydockError
from functions_app.models import BaseRelease, BaseStream
from functions_app.services.bases import polls
from functions_app.services.bases.runtime_facts import lambda_references
from functions_app.services.bases.streams import seed_streams
from sandbox.images.making import OCI_MANIFEST, Blob, Image, Index, make_index
from tests.factories import make_release
from tests.fixtures import Sandbox, registry_client
from tests.publishing import LOGIN, NOW, base, base_index, dated, publish, unique_repository

pytestmark = pytest.mark.django_db


class Log:
    """Keeps what was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str) -> None:
        self.lines.append(text)

    def warning(self, text: str) -> None:
        self.lines.append(f"! {text}")


def release(sandbox: Sandbox, repository: str, image: Image | Index, *, moving: bool = True) -> None:
    """Publish a release as AWS does: a dated tag, and the moving one."""
    publish(sandbox, repository, image, [dated("3.12", image), *(["3.12"] if moving else [])])


def stream_of(repository: str) -> BaseStream:
    """The stream of its tag 3.12, seeded."""
    seed_streams([f"public.ecr.aws/{repository}:3.12"])
    return BaseStream.objects.get(name=f"{repository}:3.12")


def poll(now: datetime = NOW) -> list[str]:
    """Poll and give the log."""
    log = Log()
    polls.poll(now, log)
    return log.lines


def calls(sandbox: Sandbox) -> dict[str, int]:
    """Calls of anonymous readers at the registry since the last reset, by operation."""
    counted: dict[str, int] = sandbox.admin("GET", "calls?account=public")
    return counted


def without_config() -> Image:
    """An image whose config is not one."""
    config = Blob("application/vnd.oci.image.config.v1+json", b"not JSON")
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.descriptor, "layers": []}
    return Image(Blob(OCI_MANIFEST, json.dumps(manifest).encode()), config, ())


def test_every_lambda_stream_is_seeded_with_its_end_of_life() -> None:
    created = seed_streams()

    assert created == len(lambda_references()) == BaseStream.objects.count()
    names = set(BaseStream.objects.values_list("name", flat=True))
    assert {f"python:3.{minor}" for minor in range(9, 15)} | {"nodejs:24", "nodejs:22", "nodejs:20"} <= names
    assert {name.partition(":")[0] for name in names} == {
        "python", "nodejs", "java", "dotnet", "ruby", "provided", "go",
    }  # fmt: skip
    python = BaseStream.objects.get(name="python:3.9")
    assert python.reference == "public.ecr.aws/lambda/python:3.9"
    assert (python.deprecated_on, python.updates_blocked_on) == (date(2025, 12, 15), date(2027, 3, 3))
    assert BaseStream.objects.get(name="dotnet:9").updates_blocked_on is None


def test_seeding_again_keeps_a_streams_switch_and_restores_its_dates() -> None:
    seed_streams()
    BaseStream.objects.filter(name="python:3.9").update(enabled=False, deprecated_on=None)

    assert seed_streams() == 0

    stream = BaseStream.objects.get(name="python:3.9")
    assert (stream.enabled, stream.deprecated_on) == (False, date(2025, 12, 15))


@pytest.mark.parametrize("reference", ["python:3.12", "public.ecr.aws/lambda/python", f"x.y/z:1@sha256:{'a' * 64}"])
def test_only_a_moving_tag_can_be_a_stream(reference: str) -> None:
    with pytest.raises(DrydockError):
        seed_streams([reference])


def test_the_first_poll_finds_the_current_release_and_the_dated_ones_before_it(aws: Sandbox) -> None:
    repository = unique_repository()
    for number in range(1, 5):
        release(aws, repository, base_index(number))
    stream = stream_of(repository)

    lines = poll()

    releases = stream.releases.filter(platform="linux/amd64").order_by("created_at")
    assert [row.tag for row in releases] == [dated("3.12", base(number)) for number in range(1, 5)]
    assert [row.current for row in releases] == [False, False, False, True]
    assert releases[3].manifest_digest == base(4).digest
    assert releases[3].index_digest == base_index(4).digest
    assert releases[3].created_at == NOW - timedelta(days=60)
    assert stream.releases.filter(platform="linux/arm64").count() == 4
    assert "new releases: 2" in lines[0]
    assert lines[1:] == [f"{stream.name}: earlier releases: 6"]
    stream.refresh_from_db()
    assert (stream.polled_at, stream.problem) == (NOW, None)


def test_a_poll_without_news_costs_one_head(aws: Sandbox) -> None:
    repository = unique_repository()
    release(aws, repository, base_index(1))
    stream = stream_of(repository)
    poll()
    aws.admin("DELETE", "calls")

    (line,) = poll(NOW + timedelta(hours=1))

    assert list(calls(aws).values()) == [1]
    assert "no news" in line
    stream.refresh_from_db()
    assert stream.polled_at == NOW + timedelta(hours=1)


def test_a_moved_tag_brings_its_release_and_those_between_two_polls(aws: Sandbox) -> None:
    repository = unique_repository()
    release(aws, repository, base_index(1))
    stream = stream_of(repository)
    poll()
    release(aws, repository, base_index(2))
    release(aws, repository, base_index(3))

    poll(NOW + timedelta(hours=1))

    rows = stream.releases.filter(platform="linux/arm64").order_by("created_at")
    assert [(row.tag[-13:-3], row.current) for row in rows] == [
        (f"{base(number).created:%Y.%m.%d}", number == 3) for number in (1, 2, 3)
    ]


def test_only_the_platform_that_moved_has_a_new_release(aws: Sandbox) -> None:
    repository = unique_repository()
    old, new = base_index(1), base_index(2)
    release(aws, repository, old)
    stream = stream_of(repository)
    poll()
    publish(aws, repository, make_index([new.images[0], old.images[1]]), ["3.12"])

    poll()

    assert stream.releases.filter(platform="linux/amd64").count() == 2
    arm = stream.releases.get(platform="linux/arm64")
    assert arm.current
    assert "no news" in poll()[0]


def test_a_stream_whose_tag_is_a_single_image_is_read_too(aws: Sandbox) -> None:
    repository = unique_repository()
    release(aws, repository, base(1))
    stream = stream_of(repository)

    poll()

    row = stream.releases.get()
    assert (row.manifest_digest, row.index_digest, row.current) == (base(1).digest, "", True)
    assert "no news" in poll()[0]


def test_a_tag_that_went_back_makes_the_older_release_current_again(aws: Sandbox) -> None:
    repository = unique_repository()
    release(aws, repository, base(1))
    release(aws, repository, base(2))
    stream = stream_of(repository)
    poll()
    publish(aws, repository, base(1), ["3.12"])

    poll()

    assert stream.releases.get(current=True).manifest_digest == base(1).digest


def test_a_stream_that_the_registry_does_not_have_spoils_no_other(aws: Sandbox) -> None:
    good, without_tag, missing = unique_repository(), unique_repository(), unique_repository()
    release(aws, good, base(1))
    publish(aws, without_tag, base(1), ["other"])
    streams = [stream_of(repository) for repository in (missing, without_tag, good)]
    BaseStream.objects.create(name="broken", reference="no reference at all")

    lines = poll()

    for stream in streams:
        stream.refresh_from_db()
    assert [(stream.problem or {}).get("code") for stream in streams] == ["denied", "not_found", None]
    assert [stream.polled_at for stream in streams] == [None, None, NOW]
    assert BaseStream.objects.get(name="broken").problem is not None
    assert sum(line.startswith("! ") for line in lines) == 3


def test_one_of_lambdas_bases_that_is_not_released_yet_is_missing_without_an_alarm(aws: Sandbox) -> None:
    publish(aws, "lambda/nodejs", base(1), ["22"])
    seed_streams(["public.ecr.aws/lambda/nodejs:26"])

    lines = poll()

    stream = BaseStream.objects.get()
    assert (stream.problem, stream.polled_at) == (None, NOW)
    assert lines == ["nodejs:26: not there: not released yet, or taken away"]
    publish(aws, "lambda/nodejs", base(2), ["26"])
    poll(NOW + timedelta(hours=1))
    assert stream.releases.get().current
    with registry_client(aws.url, LOGIN) as registry:  # other tests read this repository too
        registry.delete(f"/v2/lambda/nodejs/manifests/{base(2).digest}").raise_for_status()


@pytest.mark.parametrize("reference", ["public.ecr.aws/lambda/python:3.99", "public.ecr.aws/lambda/python:3.15"])
def test_a_tag_that_people_mistyped_or_that_was_there_before_is_an_alarm(aws: Sandbox, reference: str) -> None:
    publish(aws, "lambda/python", base(1), ["3.12"])
    seed_streams([reference])
    if reference.endswith("3.15"):
        make_release(BaseStream.objects.get(), "3.15.1", current=True)

    (line,) = poll()

    assert line.startswith("! ")
    assert (BaseStream.objects.get().problem or {})["code"] == "not_found"


def test_a_stream_that_fails_keeps_its_releases_and_their_age(aws: Sandbox) -> None:
    repository = unique_repository()
    release(aws, repository, base(1))
    stream = stream_of(repository)
    poll()
    BaseStream.objects.filter(pk=stream.pk).update(reference=f"public.ecr.aws/{unique_repository()}:3.12")

    poll(NOW + timedelta(days=1))

    stream.refresh_from_db()
    assert stream.problem is not None
    assert stream.polled_at == NOW
    assert stream.releases.filter(current=True).count() == 1


def test_a_stream_that_is_switched_off_is_not_read(aws: Sandbox) -> None:
    repository = unique_repository()
    release(aws, repository, base(1))
    stream = stream_of(repository)
    BaseStream.objects.filter(pk=stream.pk).update(enabled=False)

    assert poll() == []
    assert not BaseRelease.objects.exists()


def test_a_dated_tag_that_cannot_be_read_hides_no_other(aws: Sandbox) -> None:
    repository = unique_repository()
    release(aws, repository, base(1))
    publish(aws, repository, without_config(), ["3.12.2026.09.01.10"])
    release(aws, repository, base(3))
    stream = stream_of(repository)

    poll()

    assert stream.releases.count() == 2
    stream.refresh_from_db()
    assert stream.problem is None


def test_only_the_newest_dated_tags_of_the_very_stream_are_read() -> None:
    tags = [f"3.12.2026.{month:02d}.03.13" for month in range(1, 13)]
    others = ["3.1.2026.01.01.01", "3.12", "3.12.2026.01.03.13-arm64", "13.12.2026.01.03.13", "3x12.2026.01.03.13"]

    assert history_tags([*tags, *others], "3.12", 3) == tags[:-4:-1]


def test_a_registry_that_is_away_is_said_once_in_words(valkey: object, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, registry_mirrors={"public.ecr.aws": "http://registry.invalid"})
    for name in ("python:3.12", "nodejs:22", "java:21"):
        BaseStream.objects.create(name=name, reference=f"public.ecr.aws/lambda/{name}")
    warnings = [line for line in poll() if line.startswith("! ")]
    assert len(warnings) == 2
    assert "The name registry.invalid can't be resolved. Asked for:" in warnings[0]
    assert warnings[1] == "! 3 streams could not be read for one reason: The name registry.invalid can't be resolved."
    assert not [line for line in warnings if "Errno" in line]
