"""Badges: an icon and a word in a status's colour, as looks.py says.

They and the chips are Python rather than includes because a page of fifty rows draws hundreds of them: a cached call
costs a hundredth of a template include.
"""

from datetime import date
from functools import lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.domain import text
from functions_app.domain.bases.detection import Tier
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.images.roles import DEPLOYABLE, Role
from functions_app.domain.images.scans import ScanState, Side
from functions_app.domain.images.statuses import ACTIVE, read_status
from functions_app.domain.images.tag_mutability import TagMutability, Tags
from functions_app.domain.runs import Status, StepStatus
from functions_app.services.inventory.bases.base_list import Standing
from functions_app.web.html.amounts import behind, size
from functions_app.web.html.escaped import NOTHING, known
from functions_app.web.html.icons import icon
from functions_app.web.html.looks import (
    Change,
    FindingChange,
    FunctionState,
    ImageStatus,
    Look,
    Severity,
    UpdateStatus,
    look,
)

MARK = '<span class="sign {}" title="{}">{}<span class="visually-hidden">{}</span></span>'
BADGE = '<span class="bdg {}"{}>{}{}{}</span>'


@lru_cache(maxsize=4096, typed=True)
def badge(word: str, icon_name: str, colour: str, title: str = "") -> SafeString:
    """An icon and a word in one of the colours good, warn, bad, info, calm, plain."""
    return format_html(BADGE, colour, _hover(title), icon(icon_name), word, NOTHING)


def looking(like: Look, title: str = "") -> SafeString:
    """A badge that looks like this."""
    return badge(like.word, like.icon, like.colour, title)


def counted(like: Look, count: int, size_bytes: int = 0) -> SafeString:
    """A badge with how many there are: "3 stale"; and how large they are together."""
    tail = f", {size(size_bytes)}" if size_bytes else NOTHING
    number = '<span class="bdg {}">{}<b>{}</b>&nbsp;{}{}</span>'
    return format_html(number, known(like.colour), icon(like.icon), known(str(count)), known(like.word.lower()), tail)


@lru_cache(maxsize=4096, typed=True)
def freshness(value: str, reason: str = "", releases: int = 0, days: int = 0) -> SafeString:
    """The verdict on a base: icon, word, how far behind; the reason on hover."""
    like = look(Freshness, value)
    far = behind(releases, days) if value == Freshness.STALE else ""
    return format_html(BADGE, known(like.colour), _hover(reason), icon(like.icon), known(like.word), _far(far))


@lru_cache(maxsize=1024)
def overdue(since: date | None = None, today: date | None = None) -> SafeString:
    """The mark of a base that is older than the policy allows, with the days since then."""
    like = look(Standing, Standing.OVERDUE)
    days = (today - since).days if since and today else 0
    hover = _hover(f"By the policy its base should have been replaced by {since:%F}" if since else "")
    return format_html(BADGE, like.colour, hover, icon(like.icon), like.word, _far(f"{days} d" if days else ""))


@lru_cache(maxsize=16, typed=True)
def freshness_mark(value: str) -> SafeString:
    """The verdict as an icon alone, with its word on hover and for who does not see."""
    like = look(Freshness, value)
    return format_html(MARK, like.colour, like.word, icon(like.icon), like.word)


@lru_cache(maxsize=1024)
def overdue_mark(since: date, today: date) -> SafeString:
    """The same as an icon alone, for a narrow column: its words are on hover, and told to who does not see."""
    like = look(Standing, Standing.OVERDUE)
    hover = f"By the policy its base should have been replaced by {since:%F}"
    return format_html(MARK, like.colour, hover, icon(like.icon), f"{like.word} {(today - since).days} d")


@lru_cache(maxsize=1024, typed=True)
def state(value: str, reason: str = "") -> SafeString:
    """A function's state."""
    return looking(look(FunctionState, value), reason)


def update_status(value: str, reason: str = "") -> SafeString:
    """The status of a function's last update, where it is worth a word."""
    return looking(look(UpdateStatus, value), reason)


def run_status(value: str) -> SafeString:
    """A run's status."""
    return looking(look(Status, value))


def run_look(value: str) -> Look:
    """How a run's status looks: in the tab's title and icon too."""
    return look(Status, value)


def step_look(value: str) -> Look:
    """How a step's status looks: a step is drawn as a line of its own."""
    return look(StepStatus, value)


def tier(value: str) -> SafeString:
    """How a base was found, and how sure that is."""
    like = look(Tier, value)
    sure = '{} <span class="fine">confidence {}: {}</span>'
    return format_html(sure, looking(like), Tier(value).confidence, like.meaning)


def severity(value: str) -> SafeString:
    """The severity of a finding."""
    return looking(look(Severity, value))


def scan_state(value: ScanState, total: int = 0) -> SafeString:
    """Whether an image was scanned, and with what result."""
    like = look(ScanState, value)
    if value == ScanState.FOUND:
        like = like._replace(word=text.counted(total, "finding"))
    return looking(like)


def tag_mode(mutability: TagMutability) -> SafeString:
    """What a repository's tags do; the sentence with its filters on hover."""
    return looking(look(Tags, mutability.tags), mutability.words)


@lru_cache(maxsize=256)
def image_role(word: str) -> SafeString:
    """What a manifest is, where it is not simply an image."""
    return NOTHING if word in DEPLOYABLE else looking(look(Role, word), look(Role, word).meaning)


@lru_cache(maxsize=1024)
def image_status(word: str) -> SafeString:
    """ECR's status of an image, where it is worth a word: nothing of one that can be pulled, or of none told."""
    if word in ("", ACTIVE):
        return NOTHING
    told = read_status(word)
    return looking(look(ImageStatus, word), f"It {told.state}. {told.next_step}".strip())


def doomed(count: int) -> SafeString:
    """That lifecycle rules will take away images that are live."""
    images = "a live image" if count == 1 else f"{count} live images"
    title = f"By the last forecast the lifecycle policy will take away {images}"
    return badge(f"Rule takes {images}", "photo-off", "bad", title)


def doomed_image(rule: int, live: bool) -> SafeString:
    """That a lifecycle rule will take this image away; of one that is live in red."""
    title = f"By the last forecast lifecycle rule {rule} will take it away"
    return badge(
        f"Rule {rule} takes it", "photo-off", "bad" if live else "calm", f"{title}; it is live" if live else title
    )


def side(value: Side) -> SafeString:
    """Where a finding is."""
    return looking(look(Side, value))


def change_mark(change: str) -> SafeString:
    """Whether something is kept, added, removed or changed."""
    return looking(look(Change, change))


def finding_change(change: str) -> SafeString:
    """Whether a scan's finding came or went."""
    return looking(look(FindingChange, change))


def _hover(text: str) -> SafeString:
    return format_html(' title="{}"', text) if text else NOTHING


@lru_cache(maxsize=1024)
def _far(text: str) -> SafeString:
    return format_html('<span class="far">{}</span>', text) if text else NOTHING
