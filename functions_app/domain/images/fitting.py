"""Whether a function could run an image, by what the snapshot has of it: what a list to deploy from shows first."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions_app.domain.images.lambda_rules import ARCHITECTURES

SYSTEM = "linux"  # Lambda's own


@dataclass(frozen=True)
class Offered:
    """An image as it is listed; no architecture: not read. `base`: others are built on it, and no function runs it."""

    os: str = ""
    architecture: str = ""
    is_index: bool = False
    platforms: Sequence[str] = ()  # of an index
    base: bool = False


def go_architecture(architecture: str) -> str:
    """Lambda's word for an architecture as images have it."""
    return ARCHITECTURES.get(architecture, architecture)


def lambda_architectures(architecture: str) -> list[str]:
    """Lambda's words for the functions that an image of this architecture may be for: all, where it is not known or
    not one of Lambda's.
    """
    return [word for word, go in ARCHITECTURES.items() if go == architecture] or list(ARCHITECTURES)


def why_not(image: Offered, architecture: str) -> str:
    """Why a function of this architecture (Lambda's word) can't run it, or nobody would; '' where it may."""
    if image.is_index:
        held = ", ".join(image.platforms) or "platforms that it does not name"
        return f"an index of {held}: Lambda takes single images only"
    if image.os not in ("", SYSTEM):
        return f"for {image.os}: Lambda runs {SYSTEM}"
    if image.architecture not in ("", go_architecture(architecture)):
        return f"for {image.architecture}: the function is {architecture}"
    return "a base image: others are built on it, and no function runs it" if image.base else ""
