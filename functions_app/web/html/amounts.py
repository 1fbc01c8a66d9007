"""Amounts in words: bytes, shares, how far behind."""

from functions_app.domain.text import counted


def size(count: int) -> str:
    """Bytes in decimal units, as ECR counts them: "213.4 MB"."""
    number = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError("unreachable")


def percent(weight: float) -> str:
    """A share of calls: "90 %"."""
    return f"{weight * 100:.3g} %"


def behind(releases: int, days: int) -> str:
    """How far behind and stale for how long, in the fewest words: "3 releases, 41 d"."""
    parts = []
    if releases:
        parts.append(counted(releases, "release"))
    if days:
        parts.append(f"{days} d")
    return ", ".join(parts)
