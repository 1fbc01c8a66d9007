"""What the demo's fleet offers to patch: stale images, and how safe a rebase of each is by its true files."""

import io
from datetime import date
from functools import cache

import pytest

from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.tar import read_tar
from functions_app.domain.rebase.safety.findings import Level, Verdict
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide, SideFiles
from sandbox.fleet.apps import base_of
from sandbox.fleet.functions import FUNCTIONS, DemoFunction
from sandbox.fleet.golden import BASE, RELEASES, golden_image
from sandbox.fleet.golden import NAME as GOLDEN
from sandbox.fleet.images import REPOSITORIES, AppImage
from sandbox.images.bases import releases
from sandbox.images.making import Image, Layer

TODAY = date(2026, 11, 21)
STALE = [image for repository in REPOSITORIES for image in repository.images if image.behind and not image.deleted]


@cache
def read(layer: Layer) -> LayerContents:
    return read_tar(io.BytesIO(layer.tar))


def side(base: Image, name: str) -> SideFiles:
    runtime, _, version = name.partition(":")
    return SideFiles(tuple(map(read, base.layers)), runtime, version)


def verdict_on(stale: AppImage) -> Verdict:
    """How safe it is to put this image on the newest release of its base."""
    architecture = stale.architectures[0]
    old, new = (base_of(stale.base, behind, architecture, TODAY) for behind in (stale.behind, 0))
    image = stale.build(TODAY)
    assert isinstance(image, Image)
    return verdict(image, old, new, stale.base)


def verdict(image: Image, old: Image, new: Image, name: str) -> Verdict:
    """How safe it is to put an image from one release of the base of this name onto another."""
    config = image.document["config"]
    app = AppSide(
        tuple(map(read, image.layers[len(old.layers) :])),
        steps=tuple(step["created_by"] for step in image.document["history"][len(old.document["history"]) :]),
        entrypoint=tuple(config["Entrypoint"]),
        command=tuple(config.get("Cmd", ())),
        workdir=config["WorkingDir"],
        environment=dict(setting.split("=", 1) for setting in config["Env"]),
    )
    return judge(side(old, name), side(new, name), app)


@pytest.mark.parametrize("stale", STALE, ids=lambda image: f"{image.app.title} {image.tag} on {image.base}")
def test_a_stale_image_of_the_demo_is_safe_unless_its_build_changed_the_base(stale: AppImage) -> None:
    codes = {finding.code for finding in verdict_on(stale).findings}
    assert codes == {"pinned boto3": {"package-pinned"}, "company certificates": {"certificates"}}.get(
        stale.added, set()
    )


def test_the_demos_golden_image_can_be_put_on_the_newest_release_by_whoever_looks_at_its_certificates() -> None:
    old, new = (releases(BASE, TODAY)[number].images["amd64"] for number in (RELEASES[-1].base_number, -1))
    found = verdict(golden_image(0, TODAY), old, new, BASE)
    assert (found.level, [finding.code for finding in found.findings]) == (Level.REVIEW, ["certificates"])


def stale_images(function: DemoFunction) -> list[AppImage]:
    """What its aliases run that is not on the newest release of its base, or on a golden image that is not."""
    repository = function.pulls_from or function.repository
    numbers = {*function.aliases.values(), *(number for number, _ in function.split.values())}
    images = [repository.image(function.deploys[number - 1]) for number in sorted(numbers)]
    return [image for image in images if not image.deleted and (image.behind or image.base == GOLDEN)]


def test_most_stale_functions_of_the_demo_are_safe_to_patch_and_some_are_not() -> None:
    stale = [images for function in FUNCTIONS if (images := stale_images(function))]
    levels = [
        max((verdict_on(image).level for image in images), key=list(Level).index)
        for images in stale
        if all(image.behind for image in images)  # else its golden image is patched first
    ]
    assert levels.count(Level.SAFE) >= 0.6 * len(stale)
    assert levels.count(Level.REVIEW) >= 2
    assert levels.count(Level.UNSAFE) >= 2
