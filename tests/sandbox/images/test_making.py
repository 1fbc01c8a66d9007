"""Image contents are real: tars unpack, digests and diff_ids are true, and a day's bases are always the same."""

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sandbox.fleet.apps import HANDLERS, base_of
from sandbox.fleet.images import REPOSITORIES, AppImage, Repository
from sandbox.images.bases import STREAMS, BaseRelease, all_releases, foreign_base, releases
from sandbox.images.making import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Executable,
    Image,
    Index,
    Layer,
    SymlinkTo,
    make_image,
    make_index,
    make_layer,
)

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 11, 21)
BUILT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def members(layer: Layer) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(layer.blob.data), mode="r:*") as archive:
        return {member.name: member for member in archive}


def base(name: str = "python:3.12", architecture: str = "amd64") -> Image:
    return releases(name, TODAY)[-1].images[architecture]


def every_app_image() -> list[tuple[Repository, AppImage]]:
    return [(repository, image) for repository in REPOSITORIES for image in repository.images]


def images_of(image: Image | Index) -> tuple[Image, ...]:
    return image.images if isinstance(image, Index) else (image,)


# Layers


def test_a_layer_unpacks_to_the_files_it_was_given() -> None:
    layer = make_layer({"var/task/app.py": b"x = 1\n", "usr/bin/run": Executable(b"#!/bin/sh\n"), "tmp/": b""})
    with tarfile.open(fileobj=io.BytesIO(layer.blob.data), mode="r:gz") as archive:
        source = archive.extractfile("var/task/app.py")
        assert source is not None
        assert source.read() == b"x = 1\n"
    found = members(layer)
    assert found["usr/bin/run"].mode == 0o755
    assert found["var/task/app.py"].mode == 0o644
    assert found["tmp"].isdir()


def test_a_layer_lists_every_parent_directory_before_what_is_in_it() -> None:
    assert list(members(make_layer({"a/b/c.txt": b"", "a.txt": b""}))) == ["a", "a.txt", "a/b", "a/b/c.txt"]


def test_a_layer_holds_symbolic_links() -> None:
    link = members(make_layer({"bin/python": SymlinkTo("python3.12")}))["bin/python"]
    assert link.issym()
    assert link.linkname == "python3.12"


def test_a_diff_id_is_the_digest_of_the_uncompressed_tar() -> None:
    layer = make_layer({"app.py": b"pass\n"})
    assert layer.diff_id == sha256(gzip.decompress(layer.blob.data))
    assert layer.digest == sha256(layer.blob.data)
    assert layer.tar == gzip.decompress(layer.blob.data)


def test_an_uncompressed_layer_has_the_same_diff_id_as_the_compressed_one() -> None:
    plain, packed = make_layer({"app.py": b"pass\n"}, compression="none"), make_layer({"app.py": b"pass\n"})
    assert plain.diff_id == packed.diff_id == plain.digest
    assert plain.tar == packed.tar


def test_the_same_files_in_another_order_give_the_same_layer() -> None:
    assert make_layer({"a": b"1", "b": b"2"}) == make_layer({"b": b"2", "a": b"1"})


# Images


@pytest.mark.parametrize(
    ("flavour", "manifest_type", "prefix"),
    [("oci", OCI_MANIFEST, "application/vnd.oci."), ("docker", DOCKER_MANIFEST, "application/vnd.docker.")],
)
def test_a_manifest_is_of_one_flavour_throughout(flavour: str, manifest_type: str, prefix: str) -> None:
    image = make_image(
        [make_layer({"app.py": b""})],
        base=base(),
        created=BUILT,
        flavour=flavour,  # type: ignore[arg-type]  # pytest's parameters are plain strings
    )
    document = json.loads(image.manifest.data)
    assert document["mediaType"] == image.manifest.media_type == manifest_type
    types = [document["config"]["mediaType"], *(layer["mediaType"] for layer in document["layers"])]
    assert all(media_type.startswith(prefix) for media_type in types)


def test_every_descriptor_states_the_true_digest_and_size() -> None:
    image = make_image([make_layer({"app.py": b""})], base=base(), created=BUILT)
    document = json.loads(image.manifest.data)
    descriptors = [document["config"], *document["layers"]]
    assert [(entry["digest"], entry["size"]) for entry in descriptors] == [
        (sha256(blob.data), len(blob.data)) for blob in image.blobs
    ]
    assert image.digest == sha256(image.manifest.data)


def test_the_config_lists_the_diff_ids_of_the_layers() -> None:
    image = make_image([make_layer({"app.py": b""})], base=base(), created=BUILT)
    assert image.document["rootfs"] == {"type": "layers", "diff_ids": [sha256(layer.tar) for layer in image.layers]}


def test_history_has_one_entry_for_each_layer_that_is_not_empty() -> None:
    image = make_image([make_layer({"app.py": b""})], base=base(), created=BUILT, config={"Cmd": ["app.handler"]})
    with_layer = [entry for entry in image.document["history"] if not entry.get("empty_layer")]
    assert len(with_layer) == len(image.layers)
    assert image.document["history"][-1]["created_by"] == 'CMD ["app.handler"]'


def test_an_image_inherits_its_bases_settings_and_adds_to_them() -> None:
    image = make_image(
        [], base=base(), created=BUILT, config={"Env": ["TZ=UTC", "STAGE=test"], "Labels": {"a": "b"}, "Cmd": ["x.y"]}
    )
    config = image.document["config"]
    assert config["Entrypoint"] == ["/lambda-entrypoint.sh"]
    assert config["WorkingDir"] == "/var/task"
    assert "LAMBDA_TASK_ROOT=/var/task" in config["Env"]
    assert "TZ=UTC" in config["Env"]
    assert "TZ=:/etc/localtime" not in config["Env"]
    assert config["Labels"] == {"a": "b"}


def test_a_new_entrypoint_drops_the_inherited_command() -> None:
    parent = make_image([], created=BUILT, config={"Entrypoint": ["/run"], "Cmd": ["app.handler"]})
    child = make_image([], base=parent, created=BUILT, config={"Entrypoint": ["/other"]})
    assert "Cmd" not in child.document["config"]


def test_an_image_of_another_architecture_than_its_base_is_refused() -> None:
    with pytest.raises(ValueError, match="the base is amd64"):
        make_image([], base=base(), architecture="arm64", created=BUILT)


def test_build_steps_that_are_not_one_per_layer_are_refused() -> None:
    with pytest.raises(ValueError, match="names 1 steps for 2 layers"):
        make_image([make_layer({"a": b""}), make_layer({"b": b""})], created=BUILT, created_by=["COPY a b"])


@pytest.mark.parametrize(("flavour", "media_type"), [("oci", OCI_INDEX), ("docker", DOCKER_INDEX)])
def test_an_index_points_to_each_platforms_manifest(flavour: str, media_type: str) -> None:
    release = releases("python:3.12", TODAY)[-1]
    index = make_index(release.images.values(), flavour=flavour)  # type: ignore[arg-type]
    document = json.loads(index.manifest.data)
    assert document["mediaType"] == index.manifest.media_type == media_type
    assert index.digest == sha256(index.manifest.data)
    assert [(entry["digest"], entry["platform"]) for entry in document["manifests"]] == [
        (release.images["amd64"].digest, {"architecture": "amd64", "os": "linux"}),
        (release.images["arm64"].digest, {"architecture": "arm64", "os": "linux", "variant": "v8"}),
    ]


# Base images


@pytest.fixture(params=[known.name for known in STREAMS])
def stream(request: pytest.FixtureRequest) -> tuple[BaseRelease, ...]:
    return releases(request.param, TODAY)


def test_a_stream_has_four_releases_in_order_of_time(stream: tuple[BaseRelease, ...]) -> None:
    assert len(stream) == 4
    assert sorted(stream, key=lambda release: release.created) == list(stream)
    assert len({release.images["amd64"].diff_ids for release in stream}) == 4


def test_a_base_has_six_layers_and_neither_labels_nor_command(stream: tuple[BaseRelease, ...]) -> None:
    for release in stream:
        for image in release.images.values():
            config = image.document["config"]
            assert len(image.layers) == 6
            assert "Labels" not in config
            assert "Cmd" not in config
            assert config["Entrypoint"] == ["/lambda-entrypoint.sh"]
            assert config["WorkingDir"] == "/var/task"
            assert "LAMBDA_RUNTIME_DIR=/var/runtime" in config["Env"]


def test_a_dated_tag_tells_when_the_base_was_built(stream: tuple[BaseRelease, ...]) -> None:
    for release in stream:
        assert release.version == f"{release.stream.tag}.{release.created:%Y.%m.%d.%H}"
        assert release.images["amd64"].created == release.created


def test_only_the_newest_release_carries_the_moving_tags(stream: tuple[BaseRelease, ...]) -> None:
    newest = stream[-1]
    tags = {image.digest: names for image, names in newest.tagged(newest=True)}
    moving = newest.stream.tag
    assert tags[newest.index.digest] == [newest.version, moving]
    assert tags[newest.images["amd64"].digest] == [f"{newest.version}-x86_64", f"{moving}-x86_64"]
    assert tags[newest.images["arm64"].digest] == [f"{newest.version}-arm64", f"{moving}-arm64"]
    older = stream[0]
    assert [names for _, names in older.tagged(newest=False)] == [
        [f"{older.version}-x86_64"],
        [f"{older.version}-arm64"],
        [older.version],
    ]


def test_runtimes_on_one_os_share_its_layer_and_no_more_than_common_ones() -> None:
    python, node = base("python:3.12"), base("nodejs:22")
    assert python.diff_ids[0] == node.diff_ids[0]
    assert python.diff_ids[1] != node.diff_ids[1]
    assert base("python:3.9").diff_ids[0] != python.diff_ids[0]


def test_no_base_is_the_beginning_of_another() -> None:
    chains = [image.diff_ids for known in all_releases(TODAY) for release in known for image in release.images.values()]
    assert len(set(chains)) == len(chains) == len(STREAMS) * 4 * 2


def test_a_foreign_base_shares_no_layer_with_a_lambda_base() -> None:
    known = {
        diff_id
        for stream in all_releases(TODAY)
        for release in stream
        for image in release.images.values()
        for diff_id in image.diff_ids
    }
    assert known.isdisjoint(foreign_base(TODAY).diff_ids)


def test_releases_are_as_old_on_another_day() -> None:
    later = date(2027, 2, 3)
    assert releases("python:3.12", later)[-1].created - releases("python:3.12", TODAY)[-1].created == later - TODAY


def test_another_process_builds_the_same_bytes_on_the_same_day() -> None:
    program = (
        "from datetime import date\n"
        "from sandbox.fleet.images import REPOSITORIES\n"
        f"today = date.fromisoformat('{TODAY}')\n"
        "print(*(image.build(today).digest for repository in REPOSITORIES for image in repository.images))\n"
    )
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.split() == [image.build(TODAY).digest for _, image in every_app_image()]


# The demo's app images


@pytest.mark.parametrize(
    ("repository", "image"), every_app_image(), ids=lambda part: getattr(part, "tag", getattr(part, "name", ""))
)
def test_an_app_image_begins_with_the_layers_of_the_base_it_names(repository: Repository, image: AppImage) -> None:
    for built in images_of(image.build(TODAY)):
        expected = base_of(image.base, image.behind, built.architecture, TODAY)
        assert built.diff_ids[: len(expected.diff_ids)] == expected.diff_ids
        assert len(built.diff_ids) == len(expected.diff_ids) + 2 + bool(image.added)
        assert built.created > expected.created


def test_an_app_image_says_where_it_came_from_and_keeps_its_app_in_the_last_layer() -> None:
    repository = REPOSITORIES[0]
    image = repository.image("1.8.0").build(TODAY)
    assert isinstance(image, Image)
    labels = image.document["config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == "1.8.0"
    assert len(labels["org.opencontainers.image.revision"]) == 40
    assert labels["org.opencontainers.image.source"].endswith("/orders")
    assert image.document["config"]["Cmd"] == ["app.handler"]
    assert "var/task/app.py" in members(image.layers[-1])


def test_the_handlers_in_an_image_are_the_files_of_the_repository() -> None:
    image = REPOSITORIES[2].image("1.1.0").build(TODAY)
    assert isinstance(image, Image)
    with tarfile.open(fileobj=io.BytesIO(image.layers[-1].tar)) as archive:
        source = archive.extractfile("var/task/chatter.py")
        assert source is not None
        assert source.read() == (HANDLERS / "chatter.py").read_bytes()


def test_an_image_may_tell_no_time() -> None:
    image = make_image([make_layer({"a": b"a"})], created=None, config={"Cmd": ["a"]})

    assert "created" not in image.document
    assert not any("created" in step for step in image.document["history"])


def test_an_index_may_leave_the_platforms_to_the_configs() -> None:
    image = make_image([make_layer({"a": b"a"})], created=BUILT, architecture="aarch64", variant="8")

    (entry,) = json.loads(make_index([image], platforms=False).manifest.data)["manifests"]

    assert entry == image.manifest.descriptor
    assert (image.document["architecture"], image.document["variant"]) == ("aarch64", "8")
