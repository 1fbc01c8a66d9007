"""The one moto that the sandbox corrects: its classes are subclassed and replaced, so no other version will do."""

from importlib.metadata import PackageNotFoundError, version

MOTO = "5.2.5"


class WrongMoto(Exception):
    """Another moto is installed, or none."""


def check() -> None:
    """Raises WrongMoto, naming both versions, unless exactly MOTO is installed."""
    try:
        found = version("moto")
    except PackageNotFoundError:
        found = "none"
    if found != MOTO:
        raise WrongMoto(
            f"the sandbox corrects moto {MOTO} and no other, but the installed moto is {found}: "
            "pip install -r requirements-sandbox.txt"
        )
