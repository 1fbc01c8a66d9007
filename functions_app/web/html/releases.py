"""Releases of a base to choose from, and what a file in one of them is."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.domain.layers.entries import FileEntry
from functions_app.models import BaseRelease
from functions_app.services.inventory.bases.base import Mark
from functions_app.services.snapshot.live_on_bases import label
from functions_app.web.html.amounts import size
from functions_app.web.html.escaped import NOTHING

OPTION = '<option value="{}"{}>{}</option>'
SELECTED = SafeString(" selected")
FILE_KINDS = {"dir": "directory", "symlink": "link", "hardlink": "hard link", "device": "device"}


def releases_to_compare(releases: Iterable[BaseRelease], chosen: int) -> SafeString:
    """Releases of all platforms to choose from. Of hundreds a template would take longer than all the rest."""
    return SafeString("".join(_choice(release, release.pk == chosen) for release in releases))


def _choice(release: BaseRelease, chosen: bool) -> SafeString:
    return _option(release.pk, chosen, f"{label(release)} {release.platform}{', current' if release.current else ''}")


def release_options(marks: Sequence[Mark], chosen: int | None, with_platform: bool = False) -> SafeString:
    """Releases to choose from. Of hundreds a template would take longer than all the rest of the page."""
    return SafeString("".join(_option(mark.pk, mark.pk == chosen, _words(mark, with_platform)) for mark in marks))


def _words(mark: Mark, with_platform: bool) -> str:
    if with_platform:
        return f"{mark.label} {mark.platform}{', current' if mark.current else ''}"
    return f"{mark.label} (current)" if mark.current else mark.label


@lru_cache(maxsize=4096)
def _option(pk: int, chosen: bool, text: str) -> SafeString:
    return format_html(OPTION, pk, SELECTED if chosen else NOTHING, text)


def file_facts(entry: FileEntry, other: FileEntry | None = None) -> SafeString:
    """What a file is: its size, where a link leads, its kind; the mode where that is all that differs."""
    if entry.kind == "symlink":
        return format_html('<span class="mono wrap">→ {}</span>', entry.link)
    text = FILE_KINDS.get(entry.kind) if entry.kind != "file" else size(entry.size)
    if other and other.mode != entry.mode and other.kind == entry.kind:
        text = f"{text}, mode {entry.mode:04o}"
    return _unbroken(text or entry.kind)


@lru_cache(maxsize=1024, typed=True)
def _unbroken(text: str) -> SafeString:
    return format_html('<span class="nb">{}</span>', text)
