"""What the demo's fleet offers to patch: stale images of which true files say that a rebase is safe."""

import io
from datetime import date
from functools import cache

import pytest

from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.tar import read_tar
from functions_app.domain.rebase.safety.findings import Level
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide, SideFiles
from sandbox.fleet.apps import base_of
from sandbox.fleet.images import REPOSITORIES, AppImage
from sandbox.images.making import Image, Layer

TODAY = date(2026, 11, 21)
STALE = [image for repository in REPOSITORIES for image in repository.images if image.behind and not image.deleted]


@cache
def read(layer: Layer) -> LayerContents:
    return read_tar(io.BytesIO(layer.tar))


def side(base: Image, name: str) -> SideFiles:
    runtime, _, version = name.partition(":")
    return SideFiles(tuple(map(read, base.layers)), runtime, version)


@pytest.mark.parametrize("stale", STALE, ids=lambda image: f"{image.app.title} {image.tag} on {image.base}")
def test_a_stale_image_of_the_demo_is_safe_on_the_newest_release_of_its_base(stale: AppImage) -> None:
    architecture = stale.architectures[0]
    old, new = (base_of(stale.base, behind, architecture, TODAY) for behind in (stale.behind, 0))
    image = stale.build(TODAY)
    assert isinstance(image, Image)
    config = image.document["config"]
    app = AppSide(
        tuple(map(read, image.layers[len(old.layers) :])),
        entrypoint=tuple(config["Entrypoint"]),
        command=tuple(config["Cmd"]),
        workdir=config["WorkingDir"],
        environment=dict(setting.split("=", 1) for setting in config["Env"]),
    )

    verdict = judge(side(old, stale.base), side(new, stale.base), app)

    assert verdict.level is Level.SAFE, verdict.findings
