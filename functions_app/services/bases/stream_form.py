"""The form for a company's own base: what was typed, what is wrong with it by field, and saving it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from functions_app.domain.errors import Code, DrydockError
from functions_app.models import BaseStream
from functions_app.services.bases import streams
from functions_app.services.people.actor import Actor


@dataclass(frozen=True)
class StreamDraft:
    """What was typed into the form, tidied. `deprecated_on` is text: a date, or empty."""

    name: str = ""
    reference: str = ""
    platforms: tuple[str, ...] = ()
    deprecated_on: str = ""
    tag_pattern: str = ""
    enabled: bool = True

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> "StreamDraft":
        """Read the form's fields; platforms are separated by commas or spaces."""
        words = re.split(r"[\s,]+", form.get("platforms", "").strip().lower())
        return cls(
            name=form.get("name", "").strip(),
            reference=form.get("reference", "").strip(),
            platforms=tuple(word for word in dict.fromkeys(words) if word),
            deprecated_on=form.get("deprecated_on", "").strip(),
            tag_pattern=form.get("tag_pattern", "").strip(),
            enabled=form.get("enabled") == "on",
        )

    @classmethod
    def of(cls, stream: BaseStream) -> "StreamDraft":
        """A stream as it is now."""
        day = stream.deprecated_on
        ends = day.isoformat() if day else ""
        platforms = tuple(stream.platforms)
        return cls(stream.name, stream.reference, platforms, ends, stream.tag_pattern, stream.enabled)


def save(draft: StreamDraft, actor: Actor, existing: BaseStream | None = None) -> BaseStream:
    """Add or change a stream. One of Lambda's own can only be switched on and off.

    Raises INVALID or PREFLIGHT for what is wrong with the draft, DENIED for a host that may not be asked.
    """
    if existing is not None and not existing.own:
        return streams.switch_stream(existing, draft.enabled, actor)
    if not draft.reference:
        raise DrydockError(
            Code.INVALID,
            "The reference is missing.",
            next_step="Write HOST/REPOSITORY:TAG, with the tag that each release moves.",
        )
    ends = _day(draft.deprecated_on)
    if existing is None:
        stream = streams.add_stream(
            draft.reference,
            draft.platforms,
            actor,
            name=draft.name,
            deprecated_on=ends,
            tag_pattern=draft.tag_pattern,
        )
    else:
        stream = streams.edit_stream(
            existing,
            actor,
            name=draft.name or None,
            reference=draft.reference,
            platforms=draft.platforms,
            deprecated_on=ends,
            tag_pattern=draft.tag_pattern,
        )
    return stream if stream.enabled == draft.enabled else streams.switch_stream(stream, draft.enabled, actor)


YEARS = range(2000, 2200)  # a year of two digits is a slip of the hand


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
        if day and day.year not in YEARS:
            raise ValueError
        return day
    except ValueError:
        raise DrydockError(
            Code.INVALID, f"{text[:40]!r} is no date.", next_step="Write it as 2028-10-31, or leave it empty."
        ) from None
