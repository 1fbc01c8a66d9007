"""Lambda's rules for images, and what of them the registry alone can't tell."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions_app.domain.images.lambda_rules import Check, lambda_rules
from functions_app.domain.images.manifests import ImageConfig, Manifest, parse_config, parse_manifest
from functions_app.domain.text import storable
from sandbox.images.making import Flavour, Image, make_image, make_index, make_layer

LAYERS = [make_layer({"a.txt": b"a"}), make_layer({"b.txt": b"b"})]


def build(**settings: Any) -> Image:
    return make_image(LAYERS, created=datetime(2026, 1, 2, tzinfo=UTC), **settings)


def read(image: Image) -> tuple[Manifest, ImageConfig]:
    manifest = parse_manifest(image.manifest.data, image.manifest.media_type)
    assert isinstance(manifest, Manifest)
    return manifest, parse_config(image.config.data)


def verdicts(checks: tuple[Check, ...]) -> dict[str, bool | None]:
    return {check.name: check.ok for check in checks}


def test_an_image_that_fits_passes_all_of_lambdas_rules() -> None:
    manifest, config = read(build(config={"Entrypoint": ["/lambda-entrypoint.sh"], "Cmd": ["app.handler"]}))

    assert set(verdicts(lambda_rules(manifest, config, architecture="x86_64", size_bytes=10**8)).values()) == {True}


def test_an_index_fails_and_says_how_to_build_without_one() -> None:
    index = parse_manifest(make_index([build()]).manifest.data)

    (check,) = lambda_rules(index, None, architecture="x86_64", size_bytes=0)

    assert check.ok is False
    assert "--provenance=false" in check.text


@pytest.mark.parametrize(
    ("settings", "architecture", "size", "failing"),
    [
        ({}, "arm64", 1, "Platform"),
        ({"os": "windows"}, "x86_64", 1, "Platform"),
        ({}, "x86_64", 11 * 1024**3, "Size"),
        ({"config": {"Entrypoint": ["/x"], "Env": ["A=" + "x" * 17_000]}}, "x86_64", 1, "Settings"),
    ],
)
def test_a_rule_that_is_broken_is_named(settings: dict[str, Any], architecture: str, size: int, failing: str) -> None:
    checks = lambda_rules(*read(build(**settings)), architecture=architecture, size_bytes=size)

    assert [name for name, ok in verdicts(checks).items() if ok is False] == [failing]


def test_what_the_registry_cannot_tell_is_left_open() -> None:
    manifest, config = read(build())
    checks = verdicts(lambda_rules(manifest, config, architecture="x86_64", size_bytes=5 * 1024**3))

    assert (checks["Size"], checks["Entry point"]) == (None, None)
    assert verdicts(lambda_rules(manifest, None, architecture="x86_64", size_bytes=1))["Platform"] is None


@pytest.mark.parametrize("flavour", ["oci", "docker"])
def test_both_flavours_of_manifest_are_accepted(flavour: Flavour) -> None:
    manifest, config = read(build(flavour=flavour))
    assert verdicts(lambda_rules(manifest, config, architecture="x86_64", size_bytes=1))["Media type"] is True


@pytest.mark.parametrize("media_type", ["application/vnd.oci.image.layer.v1.tar+zstd", "", "<script>"])
def test_layers_that_are_not_gzip_are_left_open_and_named(media_type: str) -> None:
    manifest, config = read(build())
    layers = (manifest.layers[0], replace(manifest.layers[1], media_type=media_type))
    checks = lambda_rules(replace(manifest, layers=layers), config, architecture="x86_64", size_bytes=1)
    (check,) = (check for check in checks if check.name == "Media type")
    assert check.ok is None
    assert f"1 of {media_type or 'no type'}" in check.text


@pytest.mark.parametrize(("megabytes", "ok"), [(9 * 1024, True), (11 * 1024, False)])
def test_the_uncompressed_size_decides_where_it_is_known(megabytes: int, ok: bool) -> None:
    manifest, config = read(build())
    size = megabytes * 1024**2
    checks = lambda_rules(manifest, config, architecture="x86_64", size_bytes=5 * 1024**3, uncompressed_bytes=size)
    assert verdicts(checks)["Size"] is ok


@pytest.mark.parametrize(("architecture", "ok"), [("amd64", True), ("arm64", True), ("riscv64", False)])
def test_without_a_function_either_of_lambdas_architectures_will_do(architecture: str, ok: bool) -> None:
    manifest, config = read(build(architecture=architecture))
    assert verdicts(lambda_rules(manifest, config, architecture="", size_bytes=1))["Platform"] is ok


@pytest.mark.parametrize(("architecture", "wanted"), [("x86_64", "x86_64"), ("aarch64", "arm64"), ("aarch64", "")])
def test_an_architecture_by_another_name_is_left_open(architecture: str, wanted: str) -> None:
    checks = lambda_rules(*read(build(architecture=architecture)), architecture=wanted, size_bytes=1)

    (platform,) = [check for check in checks if check.name == "Platform"]
    assert (platform.ok, f"but calls it linux/{architecture}" in platform.text) == (None, True)


def test_an_index_that_names_no_platforms_is_not_said_to_be_empty() -> None:
    index = parse_manifest(make_index([build()], platforms=False).manifest.data)

    (check,) = lambda_rules(index, None, architecture="", size_bytes=1)

    assert "of platforms that it does not name" in check.text


@pytest.mark.parametrize(
    ("env", "ok", "says"),
    [
        (["A=" + "x" * 1000], True, "1.0 KB"),
        (["A=" + "x" * 20_000], False, "19.6 KB"),
        (["A=" + "ü" * 9000], False, "17.6 KB"),
        (["A=" + "ü" * 7000], True, "13.7 KB"),
    ],
)
def test_the_size_of_settings_counts_values_and_bytes(env: list[str], ok: bool, says: str) -> None:
    manifest, config = read(build(config={"Entrypoint": ["/x"], "Env": env}))

    (found,) = (
        each for each in lambda_rules(manifest, config, architecture="", size_bytes=1) if each.name == "Settings"
    )

    assert (found.ok, says in found.text) == (ok, True), found.text


def test_settings_of_which_the_size_was_not_kept_are_not_known() -> None:
    manifest, config = read(build(config={"Entrypoint": ["/x"]}))
    kept = replace(config, settings_bytes=None)

    checks = {each.name: each for each in lambda_rules(manifest, kept, architecture="", size_bytes=1)}

    assert checks["Settings"].ok is None


@pytest.mark.parametrize(
    "command",
    [
        ["app.handler", "--password", "hunter2 hunter2"],
        ["app.handler", "--api-key=hunter2"],
        ["sh", "-c", "TOKEN=hunter2 exec app"],
        ["x" * 100, "ghp_hunter2" + "a1B2" * 9],
    ],
)
def test_secrets_of_a_command_are_not_told(command: list[str]) -> None:
    manifest, config = read(build(config={"Entrypoint": ["/start"], "Cmd": command}))

    told = " ".join(check.text for check in lambda_rules(manifest, config, architecture="x86_64", size_bytes=1))

    assert f"Starts /start {command[0]}" in told
    assert "hunter2" not in told


def test_what_no_page_shows_and_no_database_takes_is_written_out() -> None:
    manifest, config = read(build(config={"Entrypoint": ["/a"]}))
    odd = replace(
        config, entrypoint=("/a\0\ud800\u202e",), platform=replace(config.platform, architecture="arm\0\ud800")
    )
    layers = tuple(replace(layer, media_type="\0\ud800") for layer in manifest.layers)

    checks = lambda_rules(replace(manifest, layers=layers), odd, architecture="x86_64", size_bytes=1)

    assert [check.text for check in checks if check.text != storable(check.text)] == []
