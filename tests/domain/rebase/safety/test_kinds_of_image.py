"""The verdict on each kind of image, read from its own tars, on the newest release of its base."""

import io
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import pytest
import zstandard

from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.tar import read_tar
from functions_app.domain.rebase.safety.findings import RULES, Level, Offer, Verdict
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide, SideFiles
from sandbox.images.elf import Elf
from sandbox.images.making import Image, Layer
from sandbox.images.native import native
from tests.domain.rebase.safety.cases import codes, the
from tests.image_kinds import apps, builders, published
from tests.image_kinds.recast import assemble

NEW_TASK = {"var/task/boto3/__init__.py": b"__version__ = '1.34.0'\n", **apps.CODE}


@cache
def read(diff_id: str, tar: bytes) -> LayerContents:
    return read_tar(io.BytesIO(tar))


def contents(layer: Layer) -> LayerContents:
    tar = layer.tar
    return read(layer.diff_id, zstandard.decompress(tar) if tar[:4] == b"\x28\xb5\x2f\xfd" else tar)


def judged(image: Image, old: Image, new: Image, runtime: str = "python", version: str = "3.12") -> Verdict:
    """The verdict on an image that stands on `old`, as it would stand on `new`."""
    below, above = (SideFiles(tuple(map(contents, base.layers)), runtime, version) for base in (old, new))
    config = image.document["config"]
    own = AppSide(
        tuple(map(contents, image.layers[len(old.layers) :])),
        steps=tuple(entry.get("created_by", "") for entry in image.document.get("history", ())[len(old.layers) :]),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        workdir=config.get("WorkingDir", "/"),
        environment=dict(pair.split("=", 1) for pair in config.get("Env", ())),
    )
    return judge(below, above, own)


def on_october(build: Callable[[], object]) -> Verdict:
    image = build()
    assert isinstance(image, Image)
    return judged(image, apps.october(), apps.november())


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("oci, gzip", []),
        ("docker schema 2", []),
        ("oci, zstd", []),
        ("oci, uncompressed", []),
        ("no history", []),
        ("recompressed", []),
        ("package database changed", ["package-database", "system-command"]),
        ("pinned boto3", ["package-pinned"]),
        ("opaque directory and whiteouts", ["opaque-directory"]),
        ("changed entrypoint", []),
        ("built in 1970", []),
        ("no time of creation", []),
        ("empty and doubled layers", []),
    ],
)
def test_each_kind_on_pythons_october_release_has_its_verdict(kind: str, found: list[str]) -> None:
    verdict = on_october(apps.KINDS[kind])

    assert codes(verdict) == found
    assert verdict.level == (RULES[found[0]].level if found else Level.SAFE)


def test_boto3_beside_the_code_is_safe() -> None:
    assert on_october(lambda: apps.app(apps.october(), NEW_TASK)).level == Level.SAFE


# What each builder makes of code, from one release of a golden image to the next.
VERDICTS: Mapping[str, tuple[Level, Sequence[str]]] = {
    "docker, classic": (Level.SAFE, []),
    "buildkit": (Level.SAFE, []),
    "buildah": (Level.SAFE, []),
    "kaniko": (Level.SAFE, []),
    "ko": (Level.SAFE, []),
    "jib": (Level.SAFE, []),
    "buildpacks": (Level.SAFE, []),
    "nix": (Level.SAFE, []),
    "rules_oci": (Level.SAFE, []),
    "no history": (Level.SAFE, []),
    "buildkit, zstd": (Level.SAFE, []),
    "buildkit, uncompressed": (Level.SAFE, []),
    "no layers of its own": (Level.SAFE, []),
    "100 layers of schema 2": (Level.SAFE, []),
    "empty and doubled layers": (Level.SAFE, []),
}


def test_every_builder_has_its_verdict() -> None:
    assert VERDICTS.keys() == builders.BUILDERS.keys()


@pytest.mark.parametrize("kind", builders.BUILDERS)
def test_what_each_builder_makes_of_code_has_its_verdict(kind: str) -> None:
    old, new = published.golden(1), published.golden(2)

    verdict = judged(builders.BUILDERS[kind](old), old, new)

    assert (verdict.level, codes(verdict)) == VERDICTS[kind]


def test_a_program_of_nix_needs_the_loader_of_its_own_store() -> None:
    """The base's would not do: without the store's layer it could be started on neither base."""
    old, new = published.golden(1), published.golden(2)
    image = builders.nix(old)
    without = assemble({**image.document, "history": []}, [*old.layers, *image.layers[len(old.layers) + 1 :]])

    assert the(judged(without, old, new), "already-missing").detail == f"/{builders.NIX_GLIBC}/lib/ld-linux-x86-64.so.2"


def test_an_image_for_another_architecture_is_judged_by_its_own_base() -> None:
    old, new = (published.aws(published.PYTHON, number, "arm64") for number in (2, 3))

    assert judged(apps.app(old), old, new).level == Level.SAFE


def test_a_move_from_amazon_linux_2_is_unsafe() -> None:
    old = published.aws(published.OLD_PYTHON, 3)

    verdict = judged(apps.app(old), old, apps.november(), version="3.12")

    assert codes(verdict) == ["os-changed", "interpreter-changed"]


WHEEL = "var/task/fast/_fast.abi3.so"


def with_wheel(base: Image, needed: Mapping[str, Sequence[str]]) -> Image:
    """An app with one compiled extension: a true ELF file that needs these libraries in these versions."""
    return apps.app(base, {**apps.CODE, WHEEL: native(Elf(needed=needed), "amd64", "wheel")})


def test_a_true_extension_is_served_by_the_next_release_of_its_system() -> None:
    old, new = apps.october(), apps.november()
    wheel = with_wheel(old, {"libc.so.6": ("GLIBC_2.34",), "libssl.so.3": ("OPENSSL_3.0.0",)})

    assert judged(wheel, old, new).level == Level.SAFE


def test_a_true_extension_for_glibc_2_34_is_not_served_by_amazon_linux_2() -> None:
    old, new = apps.november(), published.aws(published.OLD_PYTHON, 3)

    verdict = judged(with_wheel(old, {"libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.34")}), old, new)

    assert (the(verdict, "symbol-missing").paths, the(verdict, "symbol-missing").detail) == (
        (WHEEL,), "GLIBC_2.34 of libc.so.6",
    )  # fmt: skip
    assert (codes(verdict)[0], verdict.offer) == ("os-changed", Offer.MOVE)


def test_a_true_extension_for_openssl_1_0_is_not_served_by_amazon_linux_2023() -> None:
    old, new = published.aws(published.OLD_PYTHON, 3), apps.november()

    verdict = judged(with_wheel(old, {"libssl.so.10": ("libssl.so.10",)}), old, new)

    assert the(verdict, "library-missing").detail == "libssl.so.10"


def test_a_true_extension_for_a_newer_glibc_than_either_base_has_is_for_review() -> None:
    old, new = apps.october(), apps.november()

    assert codes(judged(with_wheel(old, {"libc.so.6": ("GLIBC_2.36",)}), old, new)) == ["already-missing"]


@pytest.mark.parametrize("back", [(3, 2), (3, 0), (2, 1)])
def test_an_older_release_of_the_same_base_is_unsafe(back: tuple[int, int]) -> None:
    old, new = (published.aws(published.PYTHON, number) for number in back)

    assert "os-older" in codes(judged(apps.app(old), old, new))
