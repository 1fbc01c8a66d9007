"""The aliases of a function: what each points to, how calls are split, and whether its tag moved."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.web.html.amounts import percent
from functions_app.web.html.badges import freshness
from functions_app.web.html.chips import DIGEST, digest, short
from functions_app.web.html.escaped import NOTHING, known
from functions_app.web.html.icons import icon

ALIASES = '<ul class="als">{lines}</ul>'
LINE = (
    '<li><span class="al">{name}</span><span class="to" aria-hidden="true">→</span><b class="v">{version}</b>'
    + DIGEST
    + "{verdict}{second}{mark}</li>"
)
UNREAD = LINE.replace(DIGEST, "{digest}")
SECOND = '<em>{}</em><span class="br"><b class="v">{}</b>{}{}<em>{}</em>{}</span>'
BAR = (
    '<svg class="split" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
    '<rect class="one" width="{0}" height="4"/><rect class="two" x="{0}" width="{1}" height="4"/></svg>'
)
NO_ALIAS = '<li><span class="al none">$LATEST</span>{}<span class="sub">no alias</span></li>'
MORE = '{}<li class="sub">and {} more</li>'
MOVED = '<span class="moved" title="The tag it was deployed by points to another image now">{}tag moved</span>'
UNKNOWN = '<span class="sub" title="{}">not known</span>'


class _Alias(NamedTuple):
    """An alias as the snapshot keeps it for this column; `second` and its like where calls are split."""

    name: str
    version: str
    digest: str
    freshness: str
    reason: str
    drifted: bool
    second_version: str
    second_digest: str
    second_weight: float
    second_freshness: str
    second_reason: str
    unread: str

    @classmethod
    def of(cls, chip: Mapping[str, Any]) -> "_Alias":
        get = chip.get
        return cls(
            chip["name"],
            chip["version"],
            chip["digest"],
            get("freshness", ""),
            get("reason", ""),
            get("drifted", False),
            get("second_version", ""),
            get("second_digest", ""),
            get("second_weight", 0.0),
            get("second_freshness", ""),
            get("second_reason", ""),
            get("unread", ""),
        )


def aliases(chips: Sequence[Mapping[str, Any]], latest: str, *, shown: int) -> SafeString:
    """The aliases of a function, a line each; where it has none, what $LATEST runs."""
    return format_html(ALIASES, lines=lines(chips, latest, shown))


def lines(chips: Sequence[Mapping[str, Any]], latest: str, shown: int) -> SafeString:
    """What ALIASES needs, for markup that holds it."""
    if not chips:
        return format_html(NO_ALIAS, digest(latest))
    # A verdict each where they differ: an alias on an old version may be stale while another is not.
    verdicts = {chip.get(name) for chip in chips for name in ("freshness", "second_freshness")} - {None, ""}
    return _lines(tuple(map(_Alias.of, chips[:shown])), len(chips) - shown, len(verdicts) > 1)


@lru_cache(maxsize=4096)
def _lines(found: tuple[_Alias, ...], more: int, judged: bool) -> SafeString:
    """Those that are drawn, `more` that are not; the key is as small as what is kept for it."""
    drawn = NOTHING
    for each in found:
        drawn += _line(each, judged)
    return format_html(MORE, drawn, more) if more > 0 else drawn


def _line(each: _Alias, judged: bool) -> SafeString:
    """One alias: name, version and digest, or both with their shares and a bar; a mark where its tag moved.

    `judged`: and the verdict on the base of each.
    """
    around = {
        "name": known(each.name),
        "version": known(each.version),
        "verdict": freshness(each.freshness, each.reason) if judged and each.freshness else NOTHING,
        "second": _second(each, judged) if each.second_version and each.second_weight else NOTHING,
        "mark": _mark(each),
    }
    if not each.digest:
        return format_html(UNREAD, digest=digest(""), **around)
    return format_html(LINE, whole=each.digest, brief=short(each.digest), **around)


def _mark(each: _Alias) -> SafeString:
    mark = moved() if each.drifted else NOTHING
    return mark + format_html(UNKNOWN, each.unread) if each.unread else mark


def _second(each: _Alias, judged: bool) -> SafeString:
    weight = float(each.second_weight)
    return format_html(
        SECOND,
        known(percent(1 - weight)),
        known(each.second_version),
        digest(each.second_digest),
        freshness(each.second_freshness, each.second_reason) if judged and each.second_freshness else NOTHING,
        known(percent(weight)),
        _bar(max(1, min(99, round(weight * 100)))),
    )


@lru_cache(maxsize=99)
def _bar(second: int) -> SafeString:
    """The two shares of a split alias as one bar."""
    return format_html(BAR, 100 - second, second)


@lru_cache(maxsize=1)
def moved() -> SafeString:
    """The mark of a tag that points elsewhere than where it did at the deployment."""
    return format_html(MOVED, icon("unlink"))
