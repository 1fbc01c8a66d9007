"""The small parts every page is made of, as HTML: icon, digest chip, freshness badge, state badge, time.

They are Python rather than includes because a page of fifty rows draws hundreds of them: a function call and an
f-string cost a tenth of a template include. Each returns escaped, safe HTML.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from html import escape
from typing import Any

from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from functions_app import clock
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.runs import Status, StepStatus

MINUTE, HOUR, DAY = 60, 3600, 86400

# word, icon, colour class: the one place that decides how each verdict looks
FRESHNESS = {
    Freshness.CURRENT: ("Current", "circle-check", "good"),
    Freshness.STALE: ("Stale", "clock-exclamation", "warn"),
    Freshness.END_OF_LIFE: ("End of life", "calendar-off", "bad"),
    Freshness.UNKNOWN: ("Unknown", "help-circle", "calm"),
}
STATES = {
    "Active": ("Active", "circle-check", "plain"),
    "Pending": ("Pending", "hourglass", "info"),
    "Inactive": ("Inactive", "zzz", "warn"),
    "Failed": ("Failed", "circle-x", "bad"),
    "InProgress": ("Updating", "hourglass", "info"),
    "": ("Not read yet", "circle-dashed", "calm"),
}
RUN_STATUS = {
    Status.QUEUED: ("Queued", "hourglass", "calm"),
    Status.RUNNING: ("Running", "progress", "info"),
    Status.WAITING: ("Waiting", "clock", "info"),
    Status.UNDOING: ("Undoing", "arrow-back-up", "warn"),
    Status.SUCCEEDED: ("Succeeded", "circle-check", "good"),
    Status.FAILED: ("Failed", "circle-x", "bad"),
    Status.CANCELLED: ("Cancelled", "ban", "calm"),
}
STEP_STATUS = {
    StepStatus.PENDING: ("Not started", "circle-dashed", "calm"),
    StepStatus.RUNNING: ("Running", "progress", "info"),
    StepStatus.WAITING: ("Waiting", "clock", "info"),
    StepStatus.DONE: ("Done", "circle-check", "good"),
    StepStatus.SKIPPED: ("Skipped", "point", "calm"),
    StepStatus.FAILED: ("Failed", "circle-x", "bad"),
    StepStatus.UNDONE: ("Undone", "arrow-back-up", "warn"),
}
COLOURS = ("blue", "azure", "indigo", "purple", "pink", "red", "orange", "yellow", "lime", "green", "teal", "cyan")


@lru_cache(maxsize=256)
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite; without a label it is decoration and hidden from screen readers."""
    says = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    sprite = static("vendor/tabler-icons/icons.svg")
    return mark_safe(f'<svg class="i" {says}><use href="{sprite}#{escape(name)}"/></svg>')  # noqa: S308


@lru_cache(maxsize=4096)
def badge(word: str, icon_name: str, colour: str, title: str = "") -> SafeString:
    """An icon and a word in one of the colours good, warn, bad, info, calm, plain."""
    hover = f' title="{escape(title)}"' if title else ""
    return mark_safe(f'<span class="bdg {escape(colour)}"{hover}>{icon(icon_name)}{escape(word)}</span>')  # noqa: S308


def behind(releases: int, days: int) -> str:
    """How far behind, in the fewest words: "3 releases, 41 d"."""
    parts = []
    if releases:
        parts.append(f"{releases} release" + ("s" if releases > 1 else ""))
    if days:
        parts.append(f"{days} d")
    return ", ".join(parts)


@lru_cache(maxsize=4096)
def freshness(value: str, reason: str = "", releases: int = 0, days: int = 0) -> SafeString:
    """The verdict on a base: icon, word, how far behind; the reason on hover."""
    word, icon_name, colour = FRESHNESS[Freshness(value)]
    far = behind(releases, days) if value == Freshness.STALE else ""
    tail = f'<span class="far">{far}</span>' if far else ""
    hover = f' title="{escape(reason)}"' if reason else ""
    return mark_safe(f'<span class="bdg {colour}"{hover}>{icon(icon_name)}{word}{tail}</span>')  # noqa: S308


def overdue(since: date | None = None, today: date | None = None) -> SafeString:
    """The mark of a base that is older than the policy allows, with the days since then."""
    days = (today - since).days if since and today else 0
    far = f'<span class="far">{days} d</span>' if days else ""
    hover = f' title="By the policy its base should have been replaced by {since:%F}"' if since else ""
    return mark_safe(f'<span class="bdg bad"{hover}>{icon("alert-triangle")}Overdue{far}</span>')  # noqa: S308


@lru_cache(maxsize=1024)
def state(value: str, reason: str = "") -> SafeString:
    """A function's state, or that of its last update."""
    word, icon_name, colour = STATES.get(value, (value, "circle-dot", "info"))
    return badge(word, icon_name, colour, reason)


def update_status(value: str, reason: str = "") -> SafeString:
    """The status of a function's last update, where it is worth a word."""
    word = {"Failed": "Update failed", "InProgress": "Updating"}.get(value, value)
    return badge(word, "circle-x" if value == "Failed" else "hourglass", "bad" if value == "Failed" else "info", reason)


@lru_cache(maxsize=64)
def run_status(value: str) -> SafeString:
    """A run's status."""
    word, icon_name, colour = RUN_STATUS[Status(value)]
    return badge(word, icon_name, colour)


@lru_cache(maxsize=1)
def moved() -> SafeString:
    """The mark of a tag that points elsewhere than where it did at the deployment."""
    return mark_safe(  # noqa: S308
        '<span class="moved" title="The tag it was deployed by points to another image now">'
        f"{icon('unlink')}tag moved</span>"
    )


def short(digest: str) -> str:
    """The first 12 hex digits of a digest."""
    return digest.removeprefix("sha256:")[:12]


def digest(value: str) -> SafeString:
    """A digest chip: 12 digits, the whole on hover, copied when pressed (app.js)."""
    if not value:
        return mark_safe('<span class="muted">no digest</span>')
    whole = escape(value)
    brief = short(whole)
    return mark_safe(  # noqa: S308
        f'<button type="button" class="dg" data-copy title="{whole}" aria-label="{brief}, copy digest">{brief}</button>'
    )


def copy_button(value: str, what: str) -> SafeString:
    """A button that copies; it shows only where JavaScript runs."""
    return mark_safe(  # noqa: S308
        f'<button type="button" class="cp" data-copy="{escape(value)}" aria-label="Copy {escape(what)}">'
        f"{icon('copy')}</button>"
    )


def tags(names: Sequence[str], *, shown: int = 4) -> SafeString:
    """Tags as chips; those beyond the first few as a number, all on hover."""
    chips = "".join([f'<span class="tag">{escape(name)}</span>' for name in names[:shown]])
    if len(names) > shown:
        chips += f'<span class="sub" title="{escape(", ".join(names))}">+{len(names) - shown}</span>'
    return mark_safe(chips)  # noqa: S308


def split_bar(second_weight: float) -> SafeString:
    """The two shares of a split alias as one bar."""
    second = max(1, min(99, round(second_weight * 100)))
    return mark_safe(  # noqa: S308
        '<svg class="split" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="one" width="{100 - second}" height="4"/>'
        f'<rect class="two" x="{100 - second}" width="{second}" height="4"/></svg>'
    )


def alias_line(chip: Mapping[str, Any], *, judged: bool = False) -> str:
    """One alias: name, version and digest, or both with their shares and a bar; a mark where its tag moved.

    `judged`: and the verdict on the base of each.
    """
    mark = moved() if chip.get("drifted") else ""
    first = f'<b class="v">{escape(chip["version"])}</b>{digest(chip["digest"])}{_verdict(chip, "", judged)}'
    if chip.get("second_version") and chip.get("second_weight"):
        weight = float(chip["second_weight"])
        second = f'<b class="v">{escape(chip["second_version"])}</b>{digest(chip["second_digest"])}'
        second += _verdict(chip, "second_", judged)
        shares = f"{100 - weight * 100:.3g} %", f"{weight * 100:.3g} %"
        first = f'{first}<em>{shares[0]}</em><span class="br">{second}<em>{shares[1]}</em>{split_bar(weight)}</span>'
    name = f'<span class="al">{escape(chip["name"])}</span><span class="to" aria-hidden="true">→</span>'
    return f"<li>{name}{first}{mark}</li>"


def _verdict(chip: Mapping[str, Any], which: str, judged: bool) -> str:
    value = chip.get(f"{which}freshness") if judged else ""
    return freshness(value, chip.get(f"{which}reason", "")) if value else ""


def _differ(chips: Sequence[Mapping[str, Any]]) -> bool:
    """Whether what is live stands on bases of different freshness."""
    verdicts = {chip.get(name) for chip in chips for name in ("freshness", "second_freshness")}
    return len(verdicts - {None, ""}) > 1


def aliases(chips: Sequence[Mapping[str, Any]], latest: str, *, shown: int) -> SafeString:
    """The aliases of a function, a line each; where it has none, what $LATEST runs."""
    if not chips:
        lines = f'<li><span class="al none">$LATEST</span>{digest(latest)}<span class="sub">no alias</span></li>'
    else:
        # A verdict each where they differ: an alias on an old version may be stale while another is not.
        judged = _differ(chips)
        lines = "".join([alias_line(chip, judged=judged) for chip in chips[:shown]])
        if len(chips) > shown:
            lines += f'<li class="sub">and {len(chips) - shown} more</li>'
    return mark_safe(f'<ul class="als">{lines}</ul>')  # noqa: S308


def account(name: str, colour: str) -> SafeString:
    """An account chip in the account's colour."""
    tint = colour if colour in COLOURS else "blue"
    return mark_safe(f'<span class="acct"><i class="dot bg-{tint}"></i>{escape(name)}</span>')  # noqa: S308


@lru_cache(maxsize=1024)
def owner(value: str) -> SafeString:
    """Who owns it, for a narrow column: of a mail address the part before the @, the whole on hover."""
    name = value.partition("@")[0] or value
    hover = f' title="{escape(value)}"' if name != value else ""
    return mark_safe(f'<span class="owner"{hover}>{escape(name)}</span>' if value else "")  # noqa: S308


def relative(then: datetime, now: datetime) -> str:
    """ "just now", "40 s ago", "3 min ago", "5 h ago", "12 d ago", "in 4 min"."""
    seconds = (now - then).total_seconds()
    size = abs(seconds)
    if size < 5:
        return "just now"
    if size < MINUTE:
        text = f"{int(size)} s"
    elif size < HOUR:
        text = f"{int(size // MINUTE)} min"
    elif size < 2 * DAY:
        text = f"{int(size // HOUR)} h"
    elif size < 730 * DAY:
        text = f"{int(size // DAY)} d"
    else:
        text = f"{int(size // (365 * DAY))} y"
    return f"in {text}" if seconds < 0 else f"{text} ago"


def exact(then: datetime) -> str:
    """The time as shown on hover: "2026-03-01 12:00:05 UTC"."""
    return then.astimezone(UTC).isoformat(" ", "seconds")[:19] + " UTC"


def ago(then: datetime | None, now: datetime | None = None) -> SafeString:
    """A relative time with the exact one on hover; app.js keeps it moving."""
    if then is None:
        return mark_safe('<span class="muted">never</span>')
    text = relative(then, now or clock.now())
    whole = then.astimezone(UTC).isoformat(" ", "seconds")[:19]
    return mark_safe(f'<time datetime="{whole}Z" title="{whole} UTC">{text}</time>')  # noqa: S308


def size(count: int) -> str:
    """Bytes in decimal units, as ECR counts them: "213.4 MB"."""
    number = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError("unreachable")
