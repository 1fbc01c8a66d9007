"""Chips: digest, tags, account, owner, and the button that copies."""

import re
from collections.abc import Sequence
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from functions_app.domain.fleet.account_colours import account_colour
from functions_app.web.html.escaped import NOTHING, known
from functions_app.web.html.icons import icon

DIGEST = '<button type="button" class="dg" data-copy title="{whole}" aria-label="{brief}, copy digest">{brief}</button>'
COPY = '<button type="button" class="cp" data-copy="{value}" aria-label="Copy {what}">{icon}</button>'
_WHOLE = re.compile(r"\b[0-9a-f]{64}\b")
TAG = '<span class="tag">{}</span>'


def short(digest: str) -> str:
    """The first 12 hex digits of a digest."""
    return digest.removeprefix("sha256:")[:12]


def short_digests(text: str) -> str:
    """A text in which digests have their first 12 digits: the whole of it belongs on hover."""
    return _WHOLE.sub(lambda found: found[0][:12], text)


@lru_cache(maxsize=4096, typed=True)
def digest(value: str) -> SafeString:
    """A digest chip: 12 digits, the whole on hover, copied when pressed (app.js)."""
    if not value:
        return format_html('<span class="muted">{}</span>', "no digest")
    return format_html(DIGEST, whole=value, brief=short(value))


def copy_button(value: str, what: str) -> SafeString:
    """A button that copies; it shows only where JavaScript runs."""
    return format_html(COPY, **copy_parts(value, what))


def copy_parts(value: str, what: str) -> dict[str, SafeString]:
    """What COPY needs, for markup that holds it."""
    return {"value": known(value), "what": known(what), "icon": icon("copy")}


def tags(names: Sequence[str], *, shown: int = 4) -> SafeString:
    """Tags as chips; those beyond the first few as a number, all on hover."""
    chips = format_html_join("", TAG, ((known(name),) for name in names[:shown]))
    if len(names) <= shown:
        return chips
    rest = '{}<span class="sub" title="{}">+{}</span>'
    return format_html(rest, chips, ", ".join(names), len(names) - shown)


@lru_cache(maxsize=1024, typed=True)
def account(name: str, colour: str) -> SafeString:
    """An account chip in the account's colour."""
    dot = '<span class="acct"><i class="dot {}"></i>{}</span>'
    return format_html(dot, account_colour(colour), name)


@lru_cache(maxsize=1024, typed=True)
def owner(value: str) -> SafeString:
    """Who owns it, for a narrow column: of a mail address the part before the @, the whole on hover."""
    name = value.partition("@")[0] or value
    if not value:
        return NOTHING
    if name == value:
        return format_html('<span class="owner">{}</span>', name)
    return format_html('<span class="owner" title="{}">{}</span>', value, name)
