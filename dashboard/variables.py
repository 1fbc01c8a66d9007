"""Single values of the environment, read from text: what is malformed is named, and what is secret not shown.

All raise ValueError.
"""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from urllib.parse import urlsplit


def number(variables: Mapping[str, str], name: str, default: str, least: float, most: float) -> float:
    """A number within bounds."""
    text = variables.get(name) or default
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text, re.ASCII) or not least <= float(text) <= most:
        raise ValueError(f"{name}: expected a number from {least:g} to {most:g}, got {text!r}")
    return float(text)


def whole(variables: Mapping[str, str], name: str, default: int, most: int) -> int:
    """How many: one at least."""
    text = variables.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not 0 < int(text) <= most:
        raise ValueError(f"{name}: expected 1 to {most}, got {text!r}")
    return int(text)


def span(variables: Mapping[str, str], name: str, default: str, unit: timedelta) -> timedelta:
    """A positive number of hours or days, a thousand at most."""
    return number(variables, name, default, 0.001, 1000) * unit


def url(variables: Mapping[str, str], name: str, schemes: Collection[str]) -> str:
    """An address with one of these schemes, which may hold a login; '' where none is given."""
    text = variables.get(name, "")
    try:
        fits = not text or (text.partition("://")[0] in schemes and urlsplit(text).port != 0)
    except ValueError:  # the error shows what it took for a port: often the half of a password
        fits = False
    if not fits:
        expected = " or ".join(f"{scheme}://..." for scheme in schemes)
        raise ValueError(f"{name}: expected {expected}, with / # ? @ : % of a password written as %2F and so on")
    return text
