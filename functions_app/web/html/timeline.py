"""The timeline of a base: its releases by date, with how many aliases run each."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.services.inventory.bases.base import Mark
from functions_app.web.html.escaped import NOTHING, known

STEP, FAR = 64, 320  # px between two releases: at least, at most
WIDTH = 1060  # px that it fills where there is room
TOP, HIGH, BOTTOM = 22, 64, 40  # px: room for the number, the highest bar, the dates
EDGE = 40  # px at either end
MARKS = 36  # releases drawn
DRAWING = (
    '<svg class="timeline {kind}" width="{across}" height="{down}" viewBox="0 0 {across} {down}" role="img" '
    ' aria-label="{count} releases from {first} to {last}; the table below says the same">'
    '<path class="axis" d="M0 {base}H{across}"/>{marks}</svg>'
)
MARK = (
    '<g class="{kind}"><title>{label}: {aliases} aliases</title>{bar}<circle cx="{x}" cy="{base}" r="4.5"/>'
    '<text class="d" x="{x}" y="{day_y}" text-anchor="middle">{day}</text>'
    '<text class="y" x="{x}" y="{below_y}" text-anchor="middle">{below}</text></g>'
)
BAR = (
    '<rect x="{left}" y="{top}" width="18" height="{high}" rx="2"/>'
    '<text class="n" x="{x}" y="{number_y}" text-anchor="middle">{aliases}</text>'
)


def drawn(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The releases the timeline has room for, oldest first: those in use, the current one, and the newest."""
    needed = {mark.pk for mark in marks if mark.aliases or mark.current}
    spare = max(0, MARKS - len(needed))
    newest = [mark.pk for mark in reversed(marks) if mark.pk not in needed][:spare]
    return tuple(mark for mark in marks if mark.pk in needed or mark.pk in newest)[-MARKS:]


def timeline(marks: Sequence[Mark]) -> SafeString:
    """Releases by date, the newest at the right; above each how many aliases run it. The table says the same.

    Drawn twice, apart and close together: bases.css shows the one that fits the screen.
    """
    return _drawing(marks, "wide", WIDTH) + _drawing(marks, "close", 0) if marks else NOTHING


def _drawing(marks: Sequence[Mark], kind: str, width: int) -> SafeString:
    """One drawing; gaps follow the days between releases, as far as the width allows."""
    most = max(mark.aliases for mark in marks) or 1
    base = TOP + HIGH
    days = [(after.created_at - before.created_at).days for before, after in pairwise(marks)]
    scale = (width - 2 * EDGE) / (sum(days) or 1)
    places = list(accumulate((min(FAR, max(STEP, scale * gap)) for gap in days), initial=float(EDGE)))
    return format_html(
        DRAWING,
        kind=kind,
        across=f"{places[-1] + EDGE:.0f}",
        down=base + BOTTOM,
        count=len(marks),
        first=f"{marks[0].created_at:%F}",
        last=f"{marks[-1].created_at:%F}",
        base=base,
        marks=SafeString("".join(_mark(mark, at, base, most) for mark, at in zip(marks, places, strict=True))),
    )


def _mark(mark: Mark, x: float, base: int, most: int) -> SafeString:
    words = _known(
        kind="now" if mark.current else "old",
        label=mark.label,
        aliases=mark.aliases,
        x=f"{x:.0f}",
        base=base,
        day=f"{mark.created_at:%d %b}",
        day_y=base + 19,
        below="current" if mark.current else f"{mark.created_at:%Y}",
        below_y=base + 33,
    )
    return format_html(MARK, bar=_bar(mark.aliases, x, base, most) if mark.aliases else NOTHING, **words)


def _bar(aliases: int, x: float, base: int, most: int) -> SafeString:
    high = max(4, round(HIGH * aliases / most))
    words = _known(
        left=f"{x - 9:.0f}",
        top=base - high,
        high=high,
        x=f"{x:.0f}",
        number_y=base - high - 6,
        aliases=aliases,
    )
    return format_html(BAR, **words)


def _known(**words: str | int) -> dict[str, SafeString]:
    """Words and numbers that come again and again, escaped."""
    return {name: known(str(word)) for name, word in words.items()}
