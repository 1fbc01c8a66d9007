"""Whether a function could run an image."""

import pytest

from functions_app.domain.images.fitting import Offered, lambda_architectures, why_not


@pytest.mark.parametrize(
    ("image", "architecture", "words"),
    [
        (Offered("linux", "amd64"), "x86_64", ""),
        (Offered("linux", "arm64"), "arm64", ""),
        (Offered(), "x86_64", ""),
        (Offered("linux", "arm64"), "x86_64", "for arm64: the function is x86_64"),
        (Offered("linux", "amd64"), "arm64", "for amd64: the function is arm64"),
        (Offered("windows", "amd64"), "x86_64", "for windows: Lambda runs linux"),
        (
            Offered(is_index=True, platforms=("linux/arm64", "linux/s390x")),
            "x86_64",
            "an index of linux/arm64, linux/s390x: Lambda takes single images only",
        ),
        (
            Offered(is_index=True),
            "x86_64",
            "an index of platforms that it does not name: Lambda takes single images only",
        ),
        (
            Offered("linux", "amd64", base=True),
            "x86_64",
            "a base image: others are built on it, and no function runs it",
        ),
    ],
)
def test_what_a_function_can_run_has_no_reason_against_it(image: Offered, architecture: str, words: str) -> None:
    assert why_not(image, architecture) == words


@pytest.mark.parametrize(
    ("architecture", "functions"),
    [("amd64", ["x86_64"]), ("arm64", ["arm64"]), ("", ["x86_64", "arm64"]), ("s390x", ["x86_64", "arm64"])],
)
def test_an_image_is_for_functions_of_its_architecture(architecture: str, functions: list[str]) -> None:
    assert lambda_architectures(architecture) == functions
