"""Runtimes are called as AWS calls them."""

import pytest

from functions_app.domain.bases.runtimes import runtime_name


@pytest.mark.parametrize(
    ("runtime", "version", "name"),
    [
        ("python", "3.12", "python3.12"),
        ("nodejs", "20", "nodejs20"),
        ("java", "8.al2", "java8.al2"),
        ("provided", "al2023", "provided.al2023"),
        ("", "", ""),
    ],
)
def test_the_name(runtime: str, version: str, name: str) -> None:
    assert runtime_name(runtime, version) == name
