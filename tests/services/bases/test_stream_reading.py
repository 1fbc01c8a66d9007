"""What a poll reads of a stream: platforms, companies' tags, tags that vanish and come back, hostile configs."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions_app.models import BaseRelease, BaseStream
from functions_app.models import Image as Row
from functions_app.services.bases.streams import edit_stream
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.people.actor import Actor
from sandbox.images.making import Blob, Image, Index, Layer, canonical_json, make_image, make_index, make_layer
from tests.factories import digest, make_account, make_repository
from tests.factories import make_image as make_row
from tests.fixtures import Sandbox
from tests.publishing import NOW, base, base_index
from tests.services.bases.base_stage import Company

pytestmark = pytest.mark.django_db


def on_both(amd64: int, arm64: int) -> Index:
    return make_index([base(amd64), base(arm64, architecture="arm64")])


def test_a_release_keeps_its_layers_as_the_manifest_has_them(aws: Sandbox) -> None:
    company = Company(aws)
    image = base(1)
    company.publish(image)

    company.poll()

    row = company.stream.releases.get()
    assert row.layers == [
        {"digest": layer.blob.digest, "size": layer.blob.size, "media_type": layer.blob.media_type}
        for layer in image.layers
    ]
    assert row.size_bytes == sum(layer.blob.size for layer in image.layers)


def test_releases_kept_without_layers_are_completed_by_the_next_poll(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(base(1), "1.0.0")
    company.publish(base(2), "1.1.0")
    company.poll()
    # As an older Drydock left them.
    BaseRelease.objects.update(layers=[], config={})
    BaseStream.objects.update(tag_digest="")

    company.poll()

    assert [len(row.layers) for row in company.stream.releases.all()] == [2, 2]
    assert company.stream.releases.exclude(config={}).count() == 2
    assert company.poll() == [f"{company.stream.name}: no news"]


def test_only_the_platforms_that_are_wanted_are_read(aws: Sandbox) -> None:
    company = Company(aws, platforms=["linux/arm64"])
    company.publish(base_index(1), "1.0.0")
    company.publish(base_index(2))
    aws.admin("DELETE", "calls")

    company.poll()

    assert set(company.stream.releases.values_list("platform", flat=True)) == {"linux/arm64"}
    assert company.stream.releases.count() == 2
    assert company.poll() == [f"{company.stream.name}: no news"]


@pytest.mark.parametrize("platforms", [[], ["linux/amd64", "linux/arm64"]])
def test_a_platform_that_is_added_gets_its_history_too(aws: Sandbox, platforms: list[str], operator: Actor) -> None:
    company = Company(aws, platforms=["linux/amd64"])
    company.publish(base_index(1), "1.0.0")
    company.publish(base_index(2), "1.1.0")
    company.poll()

    edit_stream(company.stream, operator, platforms=platforms)
    company.poll()

    arm = company.stream.releases.filter(platform="linux/arm64")
    assert set(arm.values_list("tag", "current")) == {("1.0.0", False), ("1.1.0", True)}
    assert company.stream.releases.count() == 4
    assert company.poll() == [f"{company.stream.name}: no news"]


def test_a_single_image_for_another_platform_is_told(aws: Sandbox) -> None:
    company = Company(aws, platforms=["linux/arm64"])
    company.publish(base(1))

    company.poll()

    assert company.stream.problem is not None
    assert "has no image for linux/arm64" in company.stream.problem["message"]
    assert not company.stream.releases.exists()


def test_an_index_without_any_wanted_platform_says_which_it_has(aws: Sandbox) -> None:
    company = Company(aws, platforms=["linux/s390x"])
    company.publish(base_index(1))

    (line,) = company.poll()

    assert "has no image for linux/s390x; it has linux/amd64, linux/arm64." in line


def test_a_platform_that_a_later_index_lacks_has_no_current_release_any_more(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(base_index(1))
    company.poll()
    company.publish(make_index([base(2)]))

    (line,) = company.poll()

    assert "no longer there for linux/arm64" in line
    arm = company.stream.releases.get(platform="linux/arm64")
    assert not arm.current
    company.publish(on_both(2, 1))
    company.poll()
    arm.refresh_from_db()
    assert arm.current


def test_a_wanted_platform_that_a_later_index_lacks_is_a_problem_until_it_is_back(aws: Sandbox) -> None:
    company = Company(aws, platforms=["linux/amd64", "linux/arm64"])
    company.publish(make_index([base(1)]))

    company.poll()
    company.poll(NOW + timedelta(hours=1))

    assert company.stream.problem is not None
    assert "has no image for linux/arm64, only for linux/amd64" in company.stream.problem["message"]
    assert company.stream.polled_at == NOW + timedelta(hours=1)
    company.publish(base_index(2))
    company.poll(NOW + timedelta(hours=2))
    assert company.stream.problem is None


def test_the_platforms_that_an_index_leaves_out_are_told_by_the_configs(aws: Sandbox) -> None:
    company = Company(aws)
    arm = changed(base(1, architecture="arm64"), architecture="aarch64", variant="8")
    company.publish(make_index([base(1), arm], platforms=False))

    company.poll()

    assert company.stream.problem is None
    assert set(company.stream.releases.filter(current=True).values_list("platform", "manifest_digest")) == {
        ("linux/amd64", base(1).digest),
        ("linux/arm64", arm.digest),
    }


def test_of_an_index_without_platforms_only_the_images_that_are_wanted_are_kept(aws: Sandbox) -> None:
    company = Company(aws, platforms=["linux/arm64"])
    chart = Blob("application/vnd.cncf.helm.config.v1+json", b"{}")
    manifest = {"schemaVersion": 2, "mediaType": base(1).manifest.media_type, "config": chart.descriptor, "layers": []}
    artifact = Image(Blob(base(1).manifest.media_type, canonical_json(manifest)), chart, ())
    company.publish(make_index([artifact, *base_index(1).images], platforms=False))

    company.poll()

    assert company.stream.problem is None
    assert company.stream.releases.get().platform == "linux/arm64"


@pytest.mark.parametrize("spelt", [{"variant": "8"}, {"variant": "v8"}, {}, {"architecture": "aarch64"}])
def test_an_image_stands_on_a_base_whose_platform_is_spelt_otherwise(aws: Sandbox, spelt: dict[str, str]) -> None:
    company = Company(aws)
    company.publish(make_index([changed(base(1, architecture="arm64"), **spelt)]))
    company.poll()
    layers = [*base(1, architecture="arm64").diff_ids, digest("own")]
    values = [{"architecture": "arm64", "variant": "v8"}, {"architecture": "arm64"}, {"architecture": "aarch64"}]
    repository = make_repository(make_account())
    images = [make_row(repository, diff_ids=layers, **each) for each in values]

    judge_images(now=NOW, refresh=False)

    assert [(row.base_tier, row.freshness) for row in Row.objects.filter(pk__in=[image.pk for image in images])] == [
        ("exact", "current")
    ] * 3


def test_a_stream_may_turn_from_an_index_to_one_of_its_images_and_back(aws: Sandbox) -> None:
    company = Company(aws)
    index = base_index(1)
    company.publish(index)
    company.poll()

    company.publish(index.images[0])
    company.poll()

    row = company.stream.releases.get(current=True)
    assert (row.platform, row.index_digest) == ("linux/amd64", "")
    company.publish(index)
    company.poll()
    assert set(company.stream.releases.filter(current=True).values_list("platform", "index_digest")) == {
        ("linux/amd64", index.digest),
        ("linux/arm64", index.digest),
    }
    assert company.stream.releases.count() == 2


def changed(image: Image, **config: Any) -> Image:
    """The image with another config; what is None is left out."""
    document = {**image.document, **config}
    blob = Blob(image.config.media_type, canonical_json({name: value for name, value in document.items() if value}))
    manifest = {**json.loads(image.manifest.data), "config": blob.descriptor}
    return Image(Blob(image.manifest.media_type, canonical_json(manifest)), blob, image.layers)


def without_layers(image: Image) -> Image:
    """The image with nothing in it."""
    empty = changed(image, rootfs={"type": "layers", "diff_ids": []})
    manifest = {**json.loads(empty.manifest.data), "layers": []}
    return Image(Blob(image.manifest.media_type, canonical_json(manifest)), empty.config, ())


def test_one_platform_that_cannot_be_read_hides_no_other(aws: Sandbox) -> None:
    company = Company(aws)
    company.publish(make_index([base(1), without_layers(base(1, architecture="arm64"))]))

    lines = company.poll()

    assert company.stream.releases.get().platform == "linux/amd64"
    assert company.stream.problem is not None
    assert "has no layers" in lines[1]


def test_a_config_that_contradicts_its_manifest_is_refused(aws: Sandbox) -> None:
    company = Company(aws)
    image = base(1)
    company.publish(changed(image, rootfs={"type": "layers", "diff_ids": [image.layers[0].diff_id]}))

    (line,) = company.poll()

    assert "contradicts itself" in line
    assert not company.stream.releases.exists()


def test_secrets_that_a_company_baked_into_its_base_are_not_kept(aws: Sandbox) -> None:
    company = Company(aws)
    settings = {"Env": ["PATH=/bin", "NPM_TOKEN=npm_0123456789abcdef0123", "PROXY=http://u:hunter2@proxy:80"]}
    company.publish(changed(base(1), config=settings))

    company.poll()

    kept = json.dumps(company.stream.releases.get().config)
    assert "PATH" in kept
    assert "NPM_TOKEN" in kept
    assert "npm_0123456789abcdef0123" not in kept
    assert "hunter2" not in kept


def test_a_config_with_characters_that_a_database_refuses_is_stored_with_their_names(aws: Sandbox) -> None:
    company = Company(aws)
    settings = {"Labels": {"a\0b": "c\0d"}, "Entrypoint": ["\0"], "WorkingDir": "x\0"}
    company.publish(changed(base(1), config=settings))

    company.poll()

    config = company.stream.releases.get().config
    assert config["labels"] == {"a‹U+0000›b": "c‹U+0000›d"}
    assert (config["entrypoint"], config["working_directory"]) == (["‹U+0000›"], "x‹U+0000›")


def test_a_base_of_a_hundred_layers_is_a_release(aws: Sandbox) -> None:
    company = Company(aws)
    layers: list[Layer] = [make_layer({f"f{number}": b"x"}) for number in range(100)]
    company.publish(make_image(layers, created=NOW))

    company.poll()

    assert len(company.stream.releases.get().layers) == 100
