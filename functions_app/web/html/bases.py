"""The parts that only base images need, as HTML: standings in words and as a bar, ends of life, the timeline."""

from collections.abc import Sequence
from datetime import date
from html import escape
from itertools import accumulate, pairwise

from django.utils.safestring import SafeString, mark_safe

from functions_app.domain.layers.entries import FileEntry
from functions_app.models import BaseRelease
from functions_app.services.inventory.bases.base import Mark
from functions_app.services.inventory.bases.base_list import Standing, Tally
from functions_app.services.snapshot.live_on_bases import label
from functions_app.web.html import elements

# word, icon, colour class
STANDINGS = {
    Standing.CURRENT: ("Current", "circle-check", "good"),
    Standing.STALE: ("Stale", "clock-exclamation", "warn"),
    Standing.OVERDUE: ("Overdue", "alert-triangle", "bad"),
    Standing.END_OF_LIFE: ("End of life", "calendar-off", "bad"),
    Standing.UNKNOWN: ("Unknown", "help-circle", "calm"),
}
CHANGES = {
    "kept": ("Kept", "circle", "calm"),
    "added": ("Added", "plus", "good"),
    "removed": ("Removed", "x", "bad"),
    "changed": ("Changed", "pencil", "warn"),
}
KINDS = {"dir": "directory", "symlink": "link", "hardlink": "hard link", "device": "device"}
SOON = 180  # days before an end from which it is worth a warning
STEP, FAR = 64, 320  # px between two releases on the timeline: at least, at most
WIDTH = 1060  # px that it fills where there is room
TOP, HIGH, BOTTOM = 22, 64, 40  # px: room for the number, the highest bar, the dates
EDGE = 40  # px at either end
MARKS = 36  # releases drawn


def standing(value: Standing, count: int | None = None) -> SafeString:
    """How a function stands on a base; with a number of functions, that many of them."""
    word, icon_name, colour = STANDINGS[value]
    if count is None:
        return elements.badge(word, icon_name, colour)
    return mark_safe(  # noqa: S308
        f'<span class="bdg {colour}">{elements.icon(icon_name)}<b>{count}</b>&nbsp;{word.lower()}</span>'
    )


def standing_bar(tally: Tally) -> SafeString:
    """The shares of all standings as one bar; the words stand beside it."""
    at, rects = 0.0, []
    for value, count in tally.shares:
        width = 100 * count / tally.total
        rects.append(f'<rect class="{value.value}" x="{at:.2f}" width="{width:.2f}" height="6"/>')
        at += width
    return mark_safe(  # noqa: S308
        '<svg class="standing-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(rects)}</svg>"
    )


def end(day: date | None, days: int | None) -> SafeString:
    """An end of life: the day, and how long until then or since."""
    if day is None or days is None:
        return mark_safe('<span class="muted">no date known</span>')
    if days <= 0:
        return elements.badge(
            f"{day:%Y-%m-%d}, {-days} d ago" if days else f"{day:%Y-%m-%d}, today", "calendar-off", "bad"
        )
    text = f"{day:%Y-%m-%d}, in {days} d"
    return elements.badge(text, "clock-exclamation", "warn") if days <= SOON else mark_safe(escape(text))  # noqa: S308


def drawn(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The releases the timeline has room for, oldest first: those in use, the current one, and the newest."""
    needed = {mark.pk for mark in marks if mark.aliases or mark.current}
    spare = max(0, MARKS - len(needed))
    newest = [mark.pk for mark in reversed(marks) if mark.pk not in needed][:spare]
    return tuple(mark for mark in marks if mark.pk in needed or mark.pk in newest)[-MARKS:]


def release_options(marks: Sequence[Mark], chosen: int | None, with_platform: bool = False) -> SafeString:
    """Releases to choose from. Of hundreds a template would take longer than all the rest of the page."""
    return mark_safe(  # noqa: S308
        "".join(
            f'<option value="{mark.pk}"{" selected" if mark.pk == chosen else ""}>{escape(mark.label)}'
            f"{f' {escape(mark.platform)}' if with_platform else ''}"
            f"{(', current' if with_platform else ' (current)') if mark.current else ''}</option>"
            for mark in marks
        )
    )


def timeline(marks: Sequence[Mark]) -> SafeString:
    """Releases by date, the newest at the right; above each how many aliases run it. The table says the same.

    Drawn twice, apart and close together: bases.css shows the one that fits the screen.
    """
    if not marks:
        return mark_safe("")
    return mark_safe(_drawing(marks, "wide", WIDTH) + _drawing(marks, "close", 0))  # noqa: S308


def _drawing(marks: Sequence[Mark], kind: str, width: int) -> str:
    """One drawing; gaps follow the days between releases, as far as the width allows."""
    most = max(mark.aliases for mark in marks) or 1
    base = TOP + HIGH
    days = [(after.created_at - before.created_at).days for before, after in pairwise(marks)]
    scale = (width - 2 * EDGE) / (sum(days) or 1)
    places = list(accumulate((min(FAR, max(STEP, scale * gap)) for gap in days), initial=float(EDGE)))
    across = f"{places[-1] + EDGE:.0f}"
    shapes = [f'<path class="axis" d="M0 {base}H{across}"/>']
    shapes += [_mark(mark, at, base, most) for mark, at in zip(marks, places, strict=True)]
    down = base + BOTTOM
    return (
        f'<svg class="timeline {kind}" width="{across}" height="{down}" viewBox="0 0 {across} {down}" role="img" '
        f' aria-label="{len(marks)} releases from {marks[0].created_at:%Y-%m-%d} to '
        f'{marks[-1].created_at:%Y-%m-%d}; the table below says the same">{"".join(shapes)}</svg>'
    )


def _mark(mark: Mark, x: float, base: int, most: int) -> str:
    high = max(4, round(HIGH * mark.aliases / most)) if mark.aliases else 0
    kind = "now" if mark.current else "old"
    shapes = [f'<g class="{kind}"><title>{escape(mark.label)}: {mark.aliases} aliases</title>']
    if high:
        shapes.append(f'<rect x="{x - 9:.0f}" y="{base - high}" width="18" height="{high}" rx="2"/>')
        shapes.append(f'<text class="n" x="{x:.0f}" y="{base - high - 6}" text-anchor="middle">{mark.aliases}</text>')
    shapes.append(f'<circle cx="{x:.0f}" cy="{base}" r="4.5"/>')
    shapes.append(f'<text class="d" x="{x:.0f}" y="{base + 19}" text-anchor="middle">{mark.created_at:%d %b}</text>')
    below = "current" if mark.current else f"{mark.created_at:%Y}"
    shapes.append(f'<text class="y" x="{x:.0f}" y="{base + 33}" text-anchor="middle">{below}</text></g>')
    return "".join(shapes)


def change_mark(change: str) -> SafeString:
    """Whether something is kept, added, removed or changed."""
    return elements.badge(*CHANGES[change])


def release_name(release: BaseRelease) -> str:
    """A release in a list to choose from: its label, platform, and whether it is the current one."""
    return f"{label(release)} {release.platform}{', current' if release.current else ''}"


def file_facts(entry: FileEntry, other: FileEntry | None = None) -> SafeString:
    """What a file is: its size, where a link leads, its kind; the mode where that is all that differs."""
    if entry.kind == "symlink":
        return mark_safe(f'<span class="mono wrap">→ {escape(entry.link)}</span>')  # noqa: S308
    text = KINDS.get(entry.kind) if entry.kind != "file" else elements.size(entry.size)
    if other and other.mode != entry.mode and other.kind == entry.kind:
        text = f"{text}, mode {entry.mode:04o}"
    return mark_safe(f'<span class="nb">{escape(text or entry.kind)}</span>')  # noqa: S308
