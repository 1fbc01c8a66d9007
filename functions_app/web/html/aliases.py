"""An alias: what it points to, how calls are split, and whether its tag moved."""

from functools import lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.web.html.amounts import percent
from functions_app.web.html.escaped import NOTHING
from functions_app.web.html.icons import icon

ALIAS = (
    '<span class="one"><span class="al" title="{name}">{name}</span><span class="to" aria-hidden="true">→</span>'
    '<b class="v">{version}</b>{share}{marks}</span>{second}'
)
SHARE = " <em>{}</em>"
SECOND = '<span class="br">{}<b class="v">{}</b><em>{}</em>{}</span>'
BAR = (
    '<svg class="split" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
    '<rect class="one" width="{0}" height="4"/><rect class="two" x="{0}" width="{1}" height="4"/></svg>'
)
NO_ALIAS = '<span class="one"><span class="al none">$LATEST</span><span class="sub">no alias</span>{}</span>'
KEPT = '<span class="back-mark" title="A way back: how old its base is counts nowhere">{}</span>'
OTHERS = '<span class="sub" title="Not shown: {}">+{}</span>'
MOVED_HOVER = "The tag it was deployed by points to another image now"
MOVED = f'<span class="moved" title="{MOVED_HOVER}">{{}}<span>tag moved</span></span>'
UNKNOWN = '<span class="sub" title="{}">not known</span>'


@lru_cache(maxsize=4096, typed=True)
def alias(
    name: str,
    version: str,
    second_version: str = "",
    second_weight: float = 0.0,
    second_mark: SafeString = NOTHING,
    *,
    kept: bool = False,
    drifted: bool = False,
    unread: str = "",
    others: tuple[str, ...] = (),
) -> SafeString:
    """Where an alias points; where calls are split the second version beneath: its share, both as a bar, how it stands.

    `others`: the aliases that are not shown, in words. Without a name: what is called without an alias.
    """
    marks = (format_html(KEPT, icon("arrow-back-up", "way back")) if kept else NOTHING) + (
        moved() if drifted else NOTHING
    )
    marks += format_html(UNKNOWN, unread) if unread else NOTHING
    marks += format_html(OTHERS, ", ".join(others), len(others)) if others else NOTHING
    if not name:
        return format_html(NO_ALIAS, marks)
    share = second = NOTHING
    if second_version and second_weight:
        share = format_html(SHARE, percent(1 - second_weight))
        bar = _bar(max(1, min(99, round(second_weight * 100))))
        second = format_html(SECOND, bar, second_version, percent(second_weight), second_mark)
    return format_html(ALIAS, name=name, version=version, share=share, marks=marks, second=second)


@lru_cache(maxsize=99)
def _bar(second: int) -> SafeString:
    """The two shares of a split alias as one bar."""
    return format_html(BAR, 100 - second, second)


@lru_cache(maxsize=1)
def moved() -> SafeString:
    """The mark of a tag that points elsewhere than where it did at the deployment."""
    return format_html(MOVED, icon("unlink"))
