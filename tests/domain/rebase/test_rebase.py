"""The rebase as a whole: what is refused, what the result's documents say, always the same bytes."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.manifests import DOCKER_MANIFEST, OCI_MANIFEST
from functions_app.domain.rebase.refusals import Reason
from sandbox.images.making import Blob, Image, canonical_json, make_image, make_layer
from tests.domain.rebase.images import INDEX_DIGEST, config_of, held, manifest_of, rebased, refused
from tests.image_kinds.apps import BASE_DIGEST, BASE_NAME, BUILT
from tests.image_kinds.assembly import BASE, new_base, old_base
from tests.image_kinds.builders import buildah, buildkit, classic, kaniko
from tests.image_kinds.recast import with_config, zstd

FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


def app() -> Image:
    """An app of BuildKit's on the old base."""
    return buildkit(old_base())


def labelled(**labels: str) -> Image:
    """The app with these labels, dots for underscores."""
    named = {name.replace("_", "."): value for name, value in labels.items()}
    return with_config(app(), config={**app().document["config"], "Labels": named})


def with_layer(media_type: str, **others: Any) -> Image:
    """The app whose topmost layer is of another kind."""
    image = app()
    manifest = json.loads(image.manifest.data)
    manifest["layers"][-1] |= {"mediaType": media_type, **others}
    return replace(image, manifest=Blob(OCI_MANIFEST, canonical_json(manifest)))


def with_config_text(image: Image, text: str) -> Image:
    """The image with a config of these very words."""
    config = Blob(image.config.media_type, text.encode())
    manifest = {**json.loads(image.manifest.data), "config": config.descriptor}
    return replace(image, config=config, manifest=Blob(OCI_MANIFEST, canonical_json(manifest)))


def test_the_same_inputs_give_the_same_bytes() -> None:
    assert rebased(app()) == rebased(app())


def test_layers_are_the_new_bases_and_then_the_apps() -> None:
    made = rebased(app())

    own = app().layers[len(old_base().layers) :]
    assert [layer.descriptor.digest for layer in made.layers] == [layer.digest for layer in (*new_base().layers, *own)]
    assert [layer["digest"] for layer in manifest_of(made)["layers"]] == [
        layer.descriptor.digest for layer in made.layers
    ]


def test_it_is_as_old_as_the_younger_of_app_and_base() -> None:
    def created(image: Image) -> str:
        return str(config_of(rebased(image))["created"])

    assert created(with_config(app(), created="2026-11-01T12:00:00Z")) == new_base().document["created"]
    assert created(with_config(app(), created="1970-01-01T00:00:00Z")) == new_base().document["created"]
    assert created(with_config(app(), created="2026-11-19T20:00:00.123456789Z")) == "2026-11-19T20:00:00.123456789Z"
    assert "created" not in config_of(rebased(with_config(app(), created=None), new=undated_base()))


def undated_base() -> Image:
    """The new base by a build that tells no time."""
    return with_config(new_base(), created=None)


def test_the_history_is_the_new_bases_and_then_the_apps() -> None:
    history = config_of(rebased(app()))["history"]

    own = app().document["history"][len(old_base().document["history"]) :]
    assert history == [*new_base().document["history"], *own]


def test_what_nobody_knows_of_a_config_stays() -> None:
    more = {"author": "Harbour", "moby.buildkit.buildinfo.v1": "e30=", "x": {"deep": [1, None, "\ud800 ü"]}}

    made = config_of(rebased(with_config_of_any_text(more)))

    assert {name: made[name] for name in more} == more


def with_config_of_any_text(more: dict[str, Any]) -> Image:
    """The app with these in its config, escaped, as halves of pairs have no other form."""
    image = app()
    return with_config_text(image, json.dumps({**image.document, **more}))


def test_docker_schema_2_stays_without_annotations() -> None:
    made = rebased(classic(old_base()))

    assert made.media_type == DOCKER_MANIFEST
    assert manifest_of(made).keys() == {"schemaVersion", "mediaType", "config", "layers"}
    assert all(layer.keys() == {"mediaType", "size", "digest"} for layer in manifest_of(made)["layers"])


def test_a_layer_by_zstd_makes_all_of_it_oci() -> None:
    made = rebased(classic(old_base()), new=zstd(new_base()))

    assert made.media_type == OCI_MANIFEST
    assert [layer.descriptor.media_type.partition("tar")[2] for layer in made.layers] == ["+zstd"] * 3 + ["+gzip"] * 2
    assert manifest_of(made)["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json"
    assert manifest_of(made)["annotations"] == {BASE_NAME: BASE, BASE_DIGEST: INDEX_DIGEST}


def test_a_manifest_that_mixed_both_flavours_has_one_afterwards() -> None:
    made = rebased(with_layer("application/vnd.docker.image.rootfs.diff.tar.gzip"))

    assert {layer.descriptor.media_type for layer in made.layers} == {"application/vnd.oci.image.layer.v1.tar+gzip"}


def test_what_a_layers_descriptor_says_stays() -> None:
    chunked = {"io.github.containers.zstd-chunked.manifest-checksum": "sha256:" + "5f" * 32}
    image = with_layer("application/vnd.oci.image.layer.v1.tar+zstd", annotations=chunked)

    assert manifest_of(rebased(image))["layers"][-1]["annotations"] == chunked


def test_the_variant_stays() -> None:
    old, new = old_base("arm64"), new_base("arm64")

    assert config_of(rebased(buildah(old), old, new))["variant"] == "v8"
    assert "variant" not in config_of(rebased(with_config(buildah(old), variant=None), old, new))


@pytest.mark.parametrize("media_type", [FOREIGN, NONDISTRIBUTABLE])
def test_a_layer_of_no_registry_is_refused(media_type: str) -> None:
    assert refused(with_layer(media_type)).reason is Reason.FOREIGN_LAYER


def test_a_layer_with_addresses_of_its_own_is_refused() -> None:
    image = with_layer("application/vnd.oci.image.layer.v1.tar+gzip", urls=["https://elsewhere.test/layer"])

    assert refused(image).reason is Reason.FOREIGN_LAYER


@pytest.mark.parametrize("media_type", ["application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "", "text/\u202e"])
def test_a_layer_of_an_unknown_kind_is_refused(media_type: str) -> None:
    found = refused(with_layer(media_type))

    assert found.reason is Reason.UNKNOWN_LAYER
    assert found.text.isprintable()


def test_another_architecture_is_refused_and_both_are_named() -> None:
    found = refused(app(), new=new_base("arm64"))

    assert found.reason is Reason.PLATFORM
    assert "linux/amd64" in found.text
    assert "linux/arm64" in found.text


def test_another_variant_is_refused() -> None:
    new = with_config(new_base("arm64"), variant="v9")

    assert refused(buildkit(old_base("arm64")), old_base("arm64"), new).reason is Reason.PLATFORM


def test_other_spellings_of_the_same_platform_are_the_same() -> None:
    new = with_config(new_base("arm64"), architecture="aarch64", variant=None)

    assert rebased(buildkit(old_base("arm64")), old_base("arm64"), new).base_layers == 3


@pytest.mark.parametrize("word", ["false", "False", " false: the vendor supports this build alone"])
def test_the_owners_word_counts_and_is_told(word: str) -> None:
    found = refused(labelled(drydock_rebase=word))

    assert found.reason is Reason.OWNER
    assert word.strip() in found.text
    assert refused(labelled(io_buildpacks_rebasable="false")).reason is Reason.OWNER
    assert rebased(labelled(io_buildpacks_rebasable="true")).kept_layers == 3


def test_the_same_release_again_is_refused() -> None:
    assert refused(app(), new=old_base()).reason is Reason.SAME_BASE


def test_a_base_with_the_same_layers_and_other_settings_is_another() -> None:
    new = with_config(old_base(), config={**old_base().document["config"], "User": "1"})

    assert config_of(rebased(kaniko(old_base()), new=new))["config"]["User"] == "1"


def test_a_refusal_is_an_error_where_one_is_wanted() -> None:
    refusal = refused(app(), new=new_base("arm64"))

    assert refusal.error().problem.code is Code.PREFLIGHT
    assert refusal.error().problem.next_step == refusal.next_step


def test_a_config_that_is_not_the_manifests_is_malformed() -> None:
    with pytest.raises(DrydockError, match="not the one that its manifest names"):
        rebased(replace(app(), config=old_base().config))


def test_a_manifest_with_more_layers_than_its_config_is_malformed() -> None:
    image = app()
    manifest = json.loads(image.manifest.data)
    manifest["layers"] = manifest["layers"][:-1]

    with pytest.raises(DrydockError, match="its manifest has 4 layers, its config 5"):
        rebased(replace(image, manifest=Blob(OCI_MANIFEST, canonical_json(manifest))))


@pytest.mark.parametrize("text", ['{"x": NaN}', '{"x": ' + "[" * 150 + "]" * 150 + "}"])
def test_a_config_that_can_be_read_but_not_kept_is_malformed(text: str) -> None:
    with pytest.raises(DrydockError) as raised:
        rebased(with_config_of_any_text(json.loads(text)))

    assert raised.value.problem.code is Code.INVALID


@pytest.mark.parametrize(
    ("sought", "twice"),
    [
        ('"rootfs":', '"Rootfs":{"type":"layers","diff_ids":[]},"rootfs":'),
        ('"config":{', '"CONFIG":{"Entrypoint":["/other"]},"config":{'),
        ('"config":{', '"config":{"Entrypoint":["/other"]},"config":{'),
        ('"Cmd":', '"cmd":["other"],"Cmd":'),
        ('"diff_ids":', '"Diff_IDs":[],"diff_ids":'),
        ('"empty_layer":', '"Empty_Layer":false,"empty_layer":'),
    ],
)
def test_a_config_that_runtimes_may_read_otherwise_is_malformed(sought: str, twice: str) -> None:
    text = app().config.data.decode()
    assert sought in text
    with pytest.raises(DrydockError) as caught:
        rebased(with_config_text(app(), text.replace(sought, twice, 1)))
    assert caught.value.problem.code == Code.INVALID


@pytest.mark.parametrize(("sought", "twin"), [("digest", "Digest"), ("mediaType", "MediaType"), ("layers", "Layers")])
def test_a_layer_that_runtimes_may_read_otherwise_is_malformed(sought: str, twin: str) -> None:
    image = app()
    before, name, after = image.manifest.data.decode().rpartition(f'"{sought}":')
    odd = f'{before}"{twin}":"sha256:{"0" * 64}",{name}{after}'
    with pytest.raises(DrydockError) as caught:
        rebased(replace(image, manifest=Blob(OCI_MANIFEST, odd.encode())))
    assert caught.value.problem.code == Code.INVALID


def test_labels_that_differ_by_capitals_are_two() -> None:
    labels = config_of(rebased(labelled(team="a", Team="b")))["config"]["Labels"]
    assert (labels["team"], labels["Team"]) == ("a", "b")


def test_a_hundred_layers_and_five_hundred_steps_are_gone_through_a_few_times() -> None:
    base = make_image([make_layer({f"base/{number}": b""}) for number in range(20)], created=BUILT)
    image = of_many_steps(base)
    calls = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(counted)
    try:
        made = rebased(image, base)
    finally:
        sys.setprofile(None)

    assert (made.base_layers, made.kept_layers, len(config_of(made)["history"])) == (3, 80, 11 + 480)
    assert calls < 12 * (100 + 500)


def of_many_steps(base: Image) -> Image:
    """80 layers on a base of 20, and 480 steps on its 20."""
    layers = [make_layer({f"app/{number}": b""}) for number in range(80)]
    image = make_image(layers, base=base, created=datetime(2026, 1, 1, tzinfo=UTC))
    empty = [{"created_by": f"ENV A{number}=b", "empty_layer": True} for number in range(400)]
    return with_config(image, history=[*image.document["history"], *empty])


def test_one_image_is_read_once() -> None:
    image = held(app())

    assert image.config is image.config
    assert image.document is image.document
