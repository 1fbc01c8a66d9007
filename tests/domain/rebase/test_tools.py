"""Other people's tools: what they build is rebased, what the rebase makes they read."""

import json
from pathlib import Path

import pytest

from functions_app.domain.rebase.held import HeldImage
from functions_app.domain.rebase.rebase import Rebase, rebase
from sandbox.images.making import Image
from tests.domain.rebase.images import APP, BASES, INDEX_DIGEST, RELEASED, config_of, held, rebased
from tests.domain.rebase.test_kinds import essence
from tests.image_kinds.assembly import BASE, new_base, old_base
from tests.image_kinds.builders import BUILDERS
from tests.image_kinds.tools import Workshop
from tests.packages import require

DOCKERFILE = """\
ARG BASE
FROM $BASE
env STAGE="prod x" PATH="/opt/app/bin:$PATH"
ENV OLD form of it
LABEL team=harbour release=mine
USER 1000
EXPOSE 8080
COPY app.py ./
CMD ["app.handler"]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    """A folder for what the tools keep; no registry is asked."""
    return Workshop("", tmp_path)


@pytest.mark.parametrize("layers", ["true", "false"])
def test_what_buildah_builds_is_rebased_to_what_it_builds_on_the_new_base(shop: Workshop, layers: str) -> None:
    old = built_by_buildah(shop, old_base(), layers)
    rebuilt = built_by_buildah(shop, new_base(), "false")

    made = rebase(
        old,
        held(old_base(), BASES),
        held(new_base(), BASES),
        released=RELEASED,
        base_name=BASE,
        base_digest=INDEX_DIGEST,
        tag="v7",
    )

    assert isinstance(made, Rebase)
    assert made.notes == ()
    layers_left_out = {"diff_ids": None}  # a build dates its own files anew
    assert essence(config_of(made)) | layers_left_out == essence(rebuilt.document) | layers_left_out
    assert config_of(made)["rootfs"]["diff_ids"][3:] == list(old.config.diff_ids[2:])


@pytest.mark.parametrize("kind", BUILDERS)
def test_skopeo_and_umoci_read_every_result(shop: Workshop, kind: str) -> None:
    require("umoci")
    app = BUILDERS[kind](old_base())
    made = rebased(app)
    pushed, copied = shop.folder / "pushed", shop.folder / "copied"
    write(pushed, made.manifest, {made.config_descriptor.digest: made.config, **blobs(app), **blobs(new_base())})

    shop.run("skopeo", "copy", f"dir:{pushed}", f"oci:{copied}:it")

    if not any("zstd" in layer.descriptor.media_type for layer in made.layers):  # which umoci does not unpack
        shop.run("umoci", "unpack", "--rootless", "--image", f"{copied}:it", str(shop.folder / "bundle"))
        assert (shop.folder / "bundle" / "rootfs" / "etc" / "os-release").read_bytes() == b"2"


def built_by_buildah(shop: Workshop, base: Image, layers: str) -> HeldImage:
    """The Dockerfile above on this base."""
    place, target = shop.folder / f"base-{base.digest[7:19]}", shop.folder / f"built-{base.digest[7:19]}-{layers}"
    context = shop.folder / "context"
    context.mkdir(exist_ok=True)
    (context / "Dockerfile").write_text(DOCKERFILE)
    (context / "app.py").write_text("def handler(event, context):\n    return event\n")
    write(place, base.manifest.data, {base.config.digest: base.config.data, **blobs(base)})
    store = ["--root", str(shop.folder / "store"), "--runroot", str(shop.folder / "run"), "--storage-driver", "vfs"]
    options = ["--isolation", "chroot", f"--layers={layers}", "--build-arg", f"BASE=dir:{place}"]
    shop.run("buildah", *store, "build", "--quiet", *options, "--tag", f"dir:{target}", str(context))
    manifest = (target / "manifest.json").read_bytes()
    config = (target / json.loads(manifest)["config"]["digest"].partition(":")[2]).read_bytes()
    found = HeldImage.read(APP, manifest, config)
    assert isinstance(found, HeldImage)
    return found


def write(folder: Path, manifest: bytes, contents: dict[str, bytes]) -> None:
    """An image in the form of skopeo's `dir:`."""
    folder.mkdir(exist_ok=True)
    (folder / "version").write_text("Directory Transport Version: 1.1\n")
    (folder / "manifest.json").write_bytes(manifest)
    for digest, data in contents.items():
        (folder / digest.partition(":")[2]).write_bytes(data)


def blobs(image: Image) -> dict[str, bytes]:
    """The blobs of its layers."""
    return {layer.digest: layer.blob.data for layer in image.layers}
