"""Manifests, indexes and configs: what is read, what is refused, chain ids."""

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.build_steps import kept_step, without_values
from functions_app.domain.images.manifests import (
    OCI_INDEX,
    OCI_MANIFEST,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    chain_ids,
    parse_config,
    parse_manifest,
)
from sandbox.images.making import Flavour, Image, make_image, make_index, make_layer

LAYERS = [make_layer({"a.txt": b"a"}), make_layer({"b.txt": b"b"})]
digests = st.binary(max_size=8).map(lambda data: "sha256:" + hashlib.sha256(data).hexdigest())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)


def build(**settings: Any) -> Image:
    return make_image(LAYERS, created=datetime(2026, 1, 2, tzinfo=UTC), **settings)


def read(image: Image) -> tuple[Manifest, ImageConfig]:
    manifest = parse_manifest(image.manifest.data, image.manifest.media_type)
    assert isinstance(manifest, Manifest)
    return manifest, parse_config(image.config.data)


@pytest.mark.parametrize("flavour", ["oci", "docker"])
def test_a_manifest_of_either_flavour_is_read(flavour: Flavour) -> None:
    image = build(flavour=flavour, annotations={"org.example": "yes"} if flavour == "oci" else None)
    manifest, _ = read(image)

    assert manifest.digest == image.digest
    assert manifest.config.digest == image.config.digest
    assert [layer.digest for layer in manifest.layers] == [layer.blob.digest for layer in LAYERS]
    assert manifest.is_image


@pytest.mark.parametrize("flavour", ["oci", "docker"])
def test_an_index_names_the_platforms_of_its_images(flavour: Flavour) -> None:
    images = [build(architecture=architecture, flavour=flavour) for architecture in ("amd64", "arm64")]
    index = parse_manifest(make_index(images, flavour=flavour).manifest.data)

    assert isinstance(index, Index)
    assert [str(platform) for platform in index.platforms] == ["linux/amd64", "linux/arm64"]
    assert [entry.digest for entry, _ in index.entries] == [image.digest for image in images]


def test_an_attestation_in_an_index_is_no_platform() -> None:
    entry = {"mediaType": OCI_MANIFEST, "digest": "sha256:" + "a" * 64, "size": 1}
    platforms = [{"os": "linux", "architecture": "amd64"}, {"os": "unknown", "architecture": "unknown"}]
    data = json.dumps({"manifests": [{**entry, "platform": platform} for platform in platforms]}).encode()

    index = parse_manifest(data, OCI_INDEX)

    assert isinstance(index, Index)
    assert [platform and str(platform) for _, platform in index.entries] == ["linux/amd64", None]


def test_a_config_is_read_with_settings_history_and_time() -> None:
    settings = {
        "Entrypoint": ["/entry.sh"],
        "Cmd": ["app.handler"],
        "WorkingDir": "/var/task",
        "Env": ["A=1", "B=x=y"],
        "Labels": {"team": "harbour"},
    }
    _, config = read(build(config=settings, architecture="arm64", variant="v8"))

    assert config.platform == Platform("linux", "arm64", "v8")
    assert config.diff_ids == tuple(layer.diff_id for layer in LAYERS)
    assert (config.entrypoint, config.command) == (("/entry.sh",), ("app.handler",))
    assert config.env == (("A", "1"), ("B", "x=y"))
    assert config.labels == {"team": "harbour"}
    assert config.created == datetime(2026, 1, 2, tzinfo=UTC)
    assert sum(not step.empty_layer for step in config.history) == len(LAYERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-03T13:04:27.123456789Z", datetime(2026, 10, 3, 13, 4, 27, 123456, UTC)),
        ("2026-10-03T15:04:27+02:00", datetime(2026, 10, 3, 13, 4, 27, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        (17, None),
        (None, None),
    ],
)
def test_a_time_is_read_in_utc_or_is_none(text: object, expected: datetime | None) -> None:
    config = parse_config(json.dumps({"rootfs": {"diff_ids": []}, "created": text}).encode())

    assert config.created == expected


def test_arm64_is_one_platform_with_and_without_its_variant() -> None:
    assert str(Platform("linux", "arm64", "v8")) == str(Platform("linux", "arm64")) == "linux/arm64"
    assert str(Platform("linux", "arm", "v7")) == "linux/arm/v7"


CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "a" * 64, "size": 2}


@pytest.mark.parametrize(
    ("document", "cause"),
    [
        ([], "not a JSON object"),
        ({"schemaVersion": 1, "fsLayers": []}, "neither an image nor an index"),
        ({"config": CONFIG, "layers": [], "manifests": []}, "neither an image nor an index"),
        ({"mediaType": OCI_INDEX, "config": CONFIG, "layers": []}, "does not fit"),
        (
            {"mediaType": OCI_MANIFEST, "config": {**CONFIG, "digest": "sha256:../../x"}, "layers": []},
            "no valid digest",
        ),
        ({"mediaType": OCI_MANIFEST, "config": {**CONFIG, "size": -1}, "layers": []}, "no valid size"),
        ({"mediaType": OCI_MANIFEST, "config": CONFIG, "layers": {}}, "not a list"),
        ({"mediaType": ["x"], "config": CONFIG, "annotations": []}, "cannot be read"),
    ],
)
def test_a_malformed_manifest_is_refused_with_its_cause(document: object, cause: str) -> None:
    with pytest.raises(DrydockError, match=cause) as caught:
        parse_manifest(json.dumps(document).encode())

    assert caught.value.problem.code is Code.INVALID


def test_a_manifest_that_contradicts_the_registry_about_its_type_is_refused() -> None:
    image = build()
    with pytest.raises(DrydockError, match="the registry calls it"):
        parse_manifest(image.manifest.data, "application/vnd.docker.distribution.manifest.v2+json")


@given(json_values)
def test_any_json_is_read_or_refused_but_never_breaks_the_reader(value: object) -> None:
    named = {"mediaType": value, "config": value, "layers": value, "rootfs": {"diff_ids": value}, "history": value}
    for document in (value, named, {"manifests": [value], "mediaType": OCI_INDEX}, {**named, "config": {"Env": value}}):
        data = json.dumps(document).encode()
        for parse in (parse_manifest, parse_config):
            with suppress(DrydockError):
                parse(data)


@given(st.lists(digests, min_size=1, max_size=8), st.lists(digests, max_size=4))
def test_the_chain_ids_of_a_prefix_are_a_prefix_of_the_chain_ids(base: list[str], app: list[str]) -> None:
    assert chain_ids(base + app)[: len(base)] == chain_ids(base)


@given(st.lists(digests, max_size=6), st.lists(digests, max_size=6))
def test_only_the_same_layers_in_the_same_order_have_the_same_chain(one: list[str], other: list[str]) -> None:
    assert (chain_ids(one)[-1:] == chain_ids(other)[-1:]) == (one == other)


def test_chain_ids_follow_the_image_specification() -> None:
    first, second = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    expected = "sha256:" + hashlib.sha256(f"{first} {second}".encode()).hexdigest()

    assert chain_ids([]) == ()
    assert chain_ids([first, second]) == (first, expected)


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        ('ENV TOKEN=secret NAME="two words"', "ENV TOKEN=… NAME=…"),
        ("/bin/sh -c #(nop)  ENV TOKEN=secret", "/bin/sh -c #(nop)  ENV TOKEN=…"),
        ("ARG TOKEN=secret", "ARG TOKEN=…"),
        ("RUN |2 TOKEN=secret B=c /bin/sh -c make A=b # buildkit", "RUN |2 TOKEN=… B=… /bin/sh -c make A=b # buildkit"),
        ("ENV TOKEN=two words NAME=three more words # buildkit", "ENV TOKEN=… NAME=… # buildkit"),
        ("ENV TOKEN two words", "ENV TOKEN …"),
        ("ARG TOKEN", "ARG TOKEN"),
        ("RUN |2 TOKEN=two words B=c /bin/sh -c make A=b", "RUN |2 TOKEN=… B=… /bin/sh -c make A=b"),
        ("RUN |1 TOKEN=secret /bin/bash -c make all", "RUN |1 TOKEN=… /bin/bash -c make all"),
        ("RUN /bin/sh -c pip install x==1.0", "RUN /bin/sh -c pip install x==1.0"),
        ('CMD ["app.handler"]', 'CMD ["app.handler"]'),
    ],
)
def test_values_of_build_arguments_and_variables_are_never_shown(step: str, shown: str) -> None:
    assert without_values(step) == shown


def test_a_step_is_kept_the_same_again_whatever_parts_its_words() -> None:
    for space in "\f\v\r\x1c\x85\u2028\u00a0":
        kept = kept_step(f"RUN |1 A=b npm ci={space}")
        assert kept == kept_step(kept) == "RUN |1 A=… npm ci= "


def test_a_step_is_kept_the_same_again_whatever_can_not_be_seen_in_it() -> None:
    for unseen in ("\x9b", "\x1b[0m", "\x1b]8;;\x07", "\x1b[1m\x1b[0m", "\x00\x00", "\u200b\u200c" * 99):
        for step in (f"ENV {unseen}", f"ARG {unseen}", f"ENV A=b {unseen}", f"RUN |1 A=b {unseen}", f"E{unseen}NV A=b"):
            kept = kept_step(step)
            assert kept == kept_step(kept)


def test_a_kept_step_shows_no_credentials_of_its_command_and_is_not_endless() -> None:
    step = f'RUN /bin/sh -c curl -H "Authorization: Bearer {"s" * 40}" https://a:hidden@b/ \u202e{"x" * 9000}'

    kept = kept_step(step)

    assert "sss" not in kept
    assert "hidden" not in kept
    assert "\u202e" not in kept
    assert len(kept) == 4000
    assert kept.endswith("x…")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"layers": [{"digest": "sha256:" + "0" * 64, "size": 2**63}]}, "no valid size"),
        ({"layers": [{"digest": "sha256:" + "0" * 64, "size": 1}] * 1001}, "more than 1,000 layers"),
    ],
)
def test_a_manifest_of_no_possible_image_is_refused(change: dict[str, object], cause: str) -> None:
    document = json.loads(build().manifest.data) | change

    with pytest.raises(DrydockError, match=cause):
        parse_manifest(json.dumps(document).encode())


def test_a_config_of_countless_steps_is_refused() -> None:
    document = json.loads(build().config.data) | {"history": [{"empty_layer": True}] * 10_001}

    with pytest.raises(DrydockError, match="more than 10,000 steps"):
        parse_config(json.dumps(document).encode())


def test_an_entry_of_an_index_that_says_nothing_of_a_platform_is_no_attestation() -> None:
    image = build()
    document = json.loads(make_index([image], platforms=False).manifest.data)
    attestation = {**image.manifest.descriptor, "digest": f"sha256:{'a' * 64}"}
    unknown = {"os": "unknown", "architecture": "unknown"}
    document["manifests"].append({**attestation, "platform": unknown})

    index = parse_manifest(json.dumps(document).encode())

    assert isinstance(index, Index)
    assert index.untold == {image.digest}
    assert [platform for _, platform in index.entries] == [None, None]
