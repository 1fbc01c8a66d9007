"""How functions stand on a base, in words and as a bar; and ends of life."""

from collections.abc import Iterator
from datetime import date

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from functions_app.services.inventory.bases.base_list import Standing, Tally
from functions_app.web.html.badges import badge, counted, looking
from functions_app.web.html.escaped import known
from functions_app.web.html.looks import EndOfLife, look

SOON = 180  # days before an end from which it is worth a warning
BAR = '<svg class="standing-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
SHARE = '<rect class="{}" x="{}" width="{}" height="6"/>'


def standing(value: Standing, count: int | None = None) -> SafeString:
    """How a function stands on a base; with a number of functions, that many of them."""
    like = look(Standing, value)
    return looking(like) if count is None else counted(like, count)


def standings(tally: Tally) -> SafeString:
    """How many functions stand how on a base: a badge for each standing that some have."""
    return SafeString("".join(standing(value, count) for value, count in tally.shares))


def standing_bar(tally: Tally) -> SafeString:
    """The shares of all standings as one bar; the words stand beside it."""
    return format_html(BAR, format_html_join("", SHARE, _shares(tally)))


def _shares(tally: Tally) -> Iterator[tuple[SafeString, ...]]:
    at, total = 0.0, tally.total
    for value, count in tally.shares:
        width = 100 * count / total
        yield known(value.value), known(f"{at:.2f}"), known(f"{width:.2f}")
        at += width


def end(day: date | None, days: int | None) -> SafeString:
    """An end of life: the day, and how long until then or since."""
    if day is None or days is None:
        return format_html('<span class="muted">{}</span>', "no date known")
    if days > SOON:
        return format_html("{}, in {} d", f"{day:%F}", days)
    far = f"in {days} d" if days > 0 else f"{-days} d ago" if days else "today"
    like = look(EndOfLife, EndOfLife.NEAR if days > 0 else EndOfLife.PAST)
    return badge(f"{day:%F}, {far}", like.icon, like.colour)
