"""The colours of accounts: none may be taken for a status, whose hues run from red over amber to green."""

import colorsys
from collections.abc import Collection

CLEAR = 40.0  # degrees of hue to each status; what is hardly coloured has no hue to mistake
GREY = 0.25  # saturation
# by name, as static/app.css has them
COLOURS = {
    "blue": "#2f6fd0",
    "violet": "#7c4dd6",
    "cyan": "#1597b0",
    "magenta": "#b83fb8",
    "indigo": "#4850c8",
    "slate": "#6b7685",
}
FIRST = "blue"
# what accounts could have before: two that were told apart still are, where there are colours enough
EARLIER = {
    "red": "magenta", "pink": "magenta", "orange": "violet", "yellow": "slate", "lime": "slate", "green": "indigo",
    "teal": "cyan", "purple": "violet", "azure": "blue",
}  # fmt: skip


def account_colour(stored: str) -> str:
    """The colour an account is shown in, whatever was stored for it once."""
    return stored if stored in COLOURS else EARLIER.get(stored, FIRST)


def next_colour(taken: Collection[str]) -> str:
    """A colour for one more account: the first that none has, or the one that fewest have."""
    shown = [account_colour(each) for each in taken]
    return min(COLOURS, key=shown.count)


def is_clear(colour: str, statuses: Collection[str]) -> bool:
    """Whether a colour (#rrggbb) keeps clear of these and of what lies between red and green."""
    hue, saturation = _hue(colour)
    if saturation < GREY:
        return True
    hues = [_hue(each)[0] for each in statuses]
    between = min(hues, key=_from_red) <= hue <= max(hues, key=_from_red)
    return not between and all(_distance(hue, each) >= CLEAR for each in hues)


def _hue(colour: str) -> tuple[float, float]:
    """Hue in degrees, and saturation (0 to 1)."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
    return hue * 360, saturation


def _distance(one: float, other: float) -> float:
    apart = abs(one - other) % 360
    return min(apart, 360 - apart)


def _from_red(hue: float) -> float:
    """Degrees from red towards green: what lies just before red is negative."""
    return hue if hue <= 180 else hue - 360
