"""What a rebase pushes equals a rebuild on the new base, whoever built the app; other people's tools read it there.

Pushed to the sandbox's ECR and to Debian's docker-registry in its place.
"""

import dataclasses
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from functions_app.aws.session import Target
from functions_app.domain.changes.patching.base_moves import BaseMove
from functions_app.domain.images.manifests import Manifest, parse_manifest
from functions_app.domain.layers.overlay import overlay
from functions_app.domain.layers.tar import read_tar
from functions_app.domain.refs import ImageRef
from functions_app.registry.blobs import open_layer
from functions_app.registry.client import CONFIG_LIMIT
from functions_app.services.images import rebases
from functions_app.services.images.rebases import Images
from functions_app.services.images.registries import open_registry
from sandbox.images.making import Blob, Image, Index, Layer, make_index, sha256_digest
from tests import distribution_server
from tests.domain.rebase.images import RELEASED
from tests.domain.rebase.test_kinds import essence
from tests.fixtures import REGION, ClientFactory, Sandbox, login, push_image, registry_client
from tests.image_kinds.assembly import BASE, new_base, old_base
from tests.image_kinds.builders import BUILDERS, buildkit
from tests.image_kinds.recast import assemble
from tests.image_kinds.tools import Workshop, by_buildah
from tests.packages import require
from tests.publishing import LOGIN, unique_repository

pytestmark = [pytest.mark.django_db, pytest.mark.needs("skopeo"), pytest.mark.needs("umoci")]


@dataclass
class Place:
    """A registry that stands for ECR and for the public one, and the tools beside it."""

    shop: Workshop
    owner: Target
    login: tuple[str, str]
    app: str
    base: str

    @property
    def url(self) -> str:
        """Of the registry."""
        return f"http://{self.shop.registry}"

    @property
    def host(self) -> str:
        """ECR's name for it."""
        return f"{self.owner.account_id}.dkr.ecr.{REGION}.amazonaws.com"

    def push(self, app: Image | Index) -> None:
        """As the app's owner does."""
        with registry_client(self.url, self.login) as http:
            push_image(http, self.app, app, ["v1"])

    def publish(self, *bases: Image | Index) -> None:
        """As the base's publisher does."""
        with registry_client(self.url, LOGIN) as http:
            for each in bases:
                push_image(http, self.base, each)

    def rebase(self, app: str, old: Image, new: Image, index_digest: str = "") -> Images:
        """Rebase the image with this digest, and push what comes of it."""
        at = f"public.ecr.aws/{self.base}"
        move = BaseMove(
            stream="harbour/base:1",
            stream_id=0,
            platform=f"linux/{old.architecture}",
            from_release_id=0,
            from_label="1",
            from_reference=f"{at}@{old.digest}",
            to_release_id=0,
            to_label="2",
            to_reference=f"{at}@{new.digest}",
            to_name=BASE,
            index_digest=index_digest,
            released=RELEASED,
            releases=1,
        )
        reference = ImageRef.parse(f"{self.host}/{self.app}@{app}")
        images = rebases.put_together(reference, "v1", move, self.owner)
        into = reference.with_digest(images.result.digest)
        rebases.push_result(images, into, self.owner, watch=lambda: None, progress=lambda _: None)
        return images

    def read(self, images: Images) -> tuple[Mapping[str, Any], Mapping[str, object]]:
        """Config and files of what was pushed, by its tag, each blob verified."""
        with open_registry(self.host, target=self.owner) as registry:
            described, data = registry.manifest(self.app, images.result.tag)
            assert described.digest == images.result.digest
            manifest = parse_manifest(data, described.media_type)
            assert isinstance(manifest, Manifest)
            document = json.loads(registry.blob(self.app, manifest.config.digest, CONFIG_LIMIT))
            layers = []
            for layer, diff_id in zip(manifest.layers, document["rootfs"]["diff_ids"], strict=True):
                with open_layer(registry, self.app, layer, diff_id) as tar:
                    layers.append(read_tar(tar))
        return document, overlay([layer.entries for layer in layers])

    def copied(self, images: Images) -> str:
        """What skopeo copies from there into a folder."""
        copy = f"oci:{self.shop.folder / 'copied'}:it"
        self.shop.copy(self.source(images.result.digest), copy, f"--src-creds={':'.join(self.login)}")
        return copy

    def source(self, digest: str) -> str:
        """An image of the app's repository in skopeo's words."""
        return self.shop.at(f"{self.app}@{digest}")

    def unpacked(self, images: Images) -> Path:
        """What umoci unpacks of it."""
        copy = self.copied(images).removeprefix("oci:")
        self.shop.run("umoci", "unpack", "--rootless", "--image", copy, str(self.shop.folder / "bundle"))
        return self.shop.folder / "bundle" / "rootfs"


@pytest.fixture(scope="module")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's docker-registry; it asks nobody who they are."""
    with distribution_server.serving(tmp_path_factory.mktemp("registry"), "nobody") as url:
        yield url


@pytest.fixture(params=["sandbox", "docker-registry"])
def place(
    request: pytest.FixtureRequest,
    aws: Sandbox,
    account: str,
    aws_client: ClientFactory,
    settings: Settings,
    tmp_path: Path,
) -> Place:
    url, app, ecr = aws.url, unique_repository(), aws_client("ecr")
    ecr.create_repository(repositoryName=app)
    if request.param == "docker-registry":
        url = request.getfixturevalue("docker_registry")
        mirrors = {"public.ecr.aws": url, "*.amazonaws.com": url}
        settings.ENV = dataclasses.replace(settings.ENV, registry_mirrors=mirrors)
    owner = Target(account, REGION, f"arn:aws:iam::{account}:role/Tests")
    return Place(Workshop(url.removeprefix("http://"), tmp_path), owner, login(ecr), app, unique_repository())


@pytest.mark.parametrize("kind", BUILDERS)
def test_each_kind_is_pushed_as_a_rebuild_would_be_and_other_tools_read_it(place: Place, kind: str) -> None:
    build, old, new = BUILDERS[kind], old_base(), new_base()
    app = build(old)
    place.publish(old, new)
    place.push(app)

    images = place.rebase(app.digest, old, new)

    document, files = place.read(images)
    assert essence(document) == essence(build(new).document)
    assert {"etc/os-release", "etc/ssl"} <= files.keys()
    if any("zstd" in layer.descriptor.media_type for layer in images.result.layers):
        place.copied(images)  # umoci does not unpack zstd; this was our own
    else:
        assert (place.unpacked(images) / "etc" / "os-release").read_bytes() == b"2"


def test_arm64_out_of_an_index_stays_arm64(place: Place) -> None:
    olds, news = ([make(each) for each in ("amd64", "arm64")] for make in (old_base, new_base))
    apps, index = [buildkit(each) for each in olds], make_index(news)
    place.publish(make_index(olds), index)
    place.push(make_index(apps))

    images = place.rebase(apps[1].digest, olds[1], news[1], index.digest)

    document, _ = place.read(images)
    assert essence(document) == essence(buildkit(news[1]).document)
    assert (document["architecture"], document["variant"]) == ("arm64", "v8")
    assert json.loads(images.result.manifest)["annotations"]["org.opencontainers.image.base.digest"] == index.digest
    assert (place.unpacked(images) / "etc" / "os-release").read_bytes() == b"2"


def as_go_writes_them(image: Image) -> Image:
    """The same with layers that end after two blocks of zeros: Debian's skopeo drops what stands after them."""
    layers = []
    for layer in image.layers:
        files = layer.tar.rstrip(b"\0")
        tar = files + bytes(-len(files) % 512 + 1024)
        blob = Blob("application/vnd.oci.image.layer.v1.tar+gzip", gzip.compress(tar, mtime=0))
        layers.append(Layer(blob, sha256_digest(tar)))
    return assemble(image.document, layers)


def test_zstd_chunked_by_skopeo_stays_so_in_the_apps_own_layers(place: Place) -> None:
    old, new = as_go_writes_them(old_base()), as_go_writes_them(new_base())
    app = as_go_writes_them(buildkit(old))
    place.publish(old, new)
    place.push(app)
    chunked, creds = f"oci:{place.shop.folder / 'chunked'}:app", ":".join(place.login)
    options = ["--dest-compress-format", "zstd:chunked"]
    plain = f"dir:{place.shop.folder / 'plain'}"
    place.shop.copy(place.source(app.digest), plain, f"--src-creds={creds}", "--dest-decompress")
    place.shop.copy(plain, chunked, *options)
    place.shop.copy(chunked, place.shop.at(f"{place.app}:chunked"), f"--dest-creds={creds}", "--preserve-digests")
    with open_registry(place.host, target=place.owner) as registry:
        described, data = registry.manifest(place.app, "chunked")

    images = place.rebase(described.digest, old, new)

    document, _ = place.read(images)
    assert essence(document) == essence(as_go_writes_them(buildkit(new)).document)
    theirs, ours = (json.loads(each)["layers"] for each in (data, images.result.manifest))
    assert "io.containers.zstd-chunked.manifest-checksum" in theirs[-1]["annotations"]
    assert ours[len(new.layers) :] == theirs[len(old.layers) :]
    place.copied(images)


@pytest.mark.needs("buildah")
@pytest.mark.parametrize("place", ["docker-registry"], indirect=True)
def test_what_buildah_builds_and_pushes_is_what_it_builds_on_the_new_base(place: Place) -> None:
    require("buildah")
    old, new = old_base(), new_base()
    place.publish(old, new)
    for name, on in (("app", old), ("rebuilt", new)):
        by_buildah(place.shop, f"{place.base}@{on.digest}", f"{place.app}:{name}")
    with open_registry(place.host, target=place.owner) as registry:
        app = registry.manifest(place.app, "app")[0].digest
        rebuilt = parse_manifest(registry.manifest(place.app, "rebuilt")[1])
        assert isinstance(rebuilt, Manifest)
        wanted = json.loads(registry.blob(place.app, rebuilt.config.digest, CONFIG_LIMIT))

    images = place.rebase(app, old, new)

    document, _ = place.read(images)
    left_out = {"diff_ids": None}  # a build dates its own files anew
    assert essence(document) | left_out == essence(wanted) | left_out
    assert document["rootfs"]["diff_ids"][: len(new.layers)] == list(new.diff_ids)
    assert (place.unpacked(images) / "etc" / "os-release").read_bytes() == b"2"
