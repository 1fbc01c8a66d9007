"""The tags that an image had: when each came and went, as far as Drydock saw."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q

from functions_app.domain.images.tag_mutability import TagMutability
from functions_app.models import Image, Tag, TagMove

READ = 500  # moves
SHOWN = 100


@dataclass(frozen=True)
class TagSpan:
    """A tag on an image from when to when. `came` None: Drydock did not see it come; `went` None: it still has it.

    `from_digest` is what the tag pointed to before, `to_digest` what since; '': nothing. `first_seen`: when it came is
    not known, only that it was there then.
    """

    tag: str
    came: datetime | None = None
    went: datetime | None = None
    from_digest: str = ""
    to_digest: str = ""
    first_seen: bool = False
    can_move: bool | None = None  # of a tag of now: whether it can be moved to another image; None: not known


def tag_history(image: Image) -> tuple[TagSpan, ...]:
    """The tags of now, then those of before, the last first, at most SHOWN. Two queries."""
    moves = TagMove.objects.filter(
        Q(from_digest=image.digest) | Q(to_digest=image.digest), repository=image.repository_id
    )
    now = Tag.objects.filter(repository=image.repository_id, digest=image.digest).order_by("name")
    found = spans(
        image.digest, list(moves.order_by("-seen_at", "-pk")[:READ]), dict(now.values_list("name", "since")[:SHOWN])
    )[:SHOWN]
    rule = TagMutability.from_stored(image.repository.tag_mutability, image.repository.tag_filters)
    return tuple(span if span.went else replace(span, can_move=rule.can_move(span.tag)) for span in found)


def spans(digest: str, newest_first: Sequence[TagMove], now: dict[str, datetime]) -> tuple[TagSpan, ...]:
    """Pair each coming of a tag with its going."""
    ended: list[TagSpan] = []
    open_: dict[str, TagSpan] = {}
    for move in reversed(newest_first):
        if move.from_digest == digest:
            span = open_.pop(move.tag, TagSpan(move.tag))
            ended.append(replace(span, went=move.seen_at, to_digest=move.to_digest))
        if move.to_digest == digest:
            open_[move.tag] = TagSpan(move.tag, came=move.seen_at, from_digest=move.from_digest)
    present = (open_.get(tag) or TagSpan(tag, came=since, first_seen=True) for tag, since in sorted(now.items()))
    return (*present, *_last_first(ended))


def _last_first(ended: Iterable[TagSpan]) -> list[TagSpan]:
    return sorted(ended, key=lambda span: (span.went is not None, span.went), reverse=True)
