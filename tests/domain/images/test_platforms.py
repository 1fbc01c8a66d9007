"""One spelling for each platform, as containerd writes it."""

import pytest

from functions_app.domain.images.manifests import Platform
from functions_app.domain.images.platforms import ARCHITECTURES, IMPLIED, OPERATING_SYSTEMS, VARIANTS, wanted

TABLE = [
    ("linux", "amd64", "", "linux/amd64"),
    ("linux", "amd64", "v1", "linux/amd64"),
    ("linux", "amd64", "v2", "linux/amd64/v2"),
    ("linux", "x86_64", "", "linux/amd64"),
    ("linux", "x86-64", "", "linux/amd64"),
    ("Linux", "X86_64", "", "linux/amd64"),
    ("", "amd64", "", "linux/amd64"),
    ("linux", "arm64", "", "linux/arm64"),
    ("linux", "arm64", "8", "linux/arm64"),
    ("linux", "arm64", "v8", "linux/arm64"),
    ("linux", "arm64", "V8", "linux/arm64"),
    ("linux", "arm64", "v8.0", "linux/arm64"),
    ("linux", "aarch64", "", "linux/arm64"),
    ("linux", "aarch64", "8", "linux/arm64"),
    ("linux", "arm64", "9", "linux/arm64/v9"),
    ("linux", "arm64", "9.0", "linux/arm64/v9"),
    ("linux", "arm64", "v9.0", "linux/arm64/v9"),
    ("linux", "armhf", "", "linux/arm/v7"),
    ("linux", "armel", "v7", "linux/arm/v6"),
    ("linux", "arm", "", "linux/arm/v7"),
    ("linux", "arm", "5", "linux/arm/v5"),
    ("linux", "arm", "6", "linux/arm/v6"),
    ("linux", "arm", "7", "linux/arm/v7"),
    ("linux", "arm", "8", "linux/arm/v8"),
    ("linux", "i386", "v1", "linux/386"),
    ("macos", "arm64", "", "darwin/arm64"),
    ("windows", "amd64", "", "windows/amd64"),
    ("linux", "riscv64", "", "linux/riscv64"),
    ("", "", "", ""),
]


@pytest.mark.parametrize(
    ("os", "architecture", "variant", "usual"),
    TABLE,
)
def test_a_platform_has_one_name_however_it_is_spelt(os: str, architecture: str, variant: str, usual: str) -> None:
    assert str(Platform(os, architecture, variant)) == usual


def test_every_row_of_the_tables_has_its_example() -> None:
    assert OPERATING_SYSTEMS.keys() <= {row[0] for row in TABLE}
    assert {*ARCHITECTURES, *IMPLIED} <= {row[1].lower() for row in TABLE}
    usual = {(ARCHITECTURES.get(row[1], row[1]), row[2]) for row in TABLE}
    assert VARIANTS.keys() <= usual


@pytest.mark.parametrize(
    ("text", "usual"),
    [
        ("linux/x86_64", "linux/amd64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm", "linux/arm"),
        ("linux/armhf", "linux/arm/v7"),
        ("nonsense", "nonsense"),
    ],
)
def test_what_people_ask_for_is_known_by_its_usual_name(text: str, usual: str) -> None:
    assert wanted(text) == usual
