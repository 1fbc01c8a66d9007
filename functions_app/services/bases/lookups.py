"""Which releases to look up since images may stand on them: claimed by a tag, or suggested by when they were built.

Digests that images claim are not looked up: whoever builds an image may write any, and what a repository holds under a
digest need not be a release of the stream that the image names. A tag is the registry's own word.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from functions_app.domain.bases.claims import read_claim
from functions_app.domain.bases.detection import Tier
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.bases.release_dates import told
from functions_app.domain.bases.settings_marks import guess_runtime
from functions_app.domain.bases.stream_names import StreamNames
from functions_app.models import BaseStream, Image
from functions_app.services.bases.stream_reading import Wanted
from functions_app.services.bases.streams import followed

IMAGES_LIMIT = 2000  # the newest of those whose base nobody knows
MOMENTS_LIMIT = 50  # hours of one stream
COLUMNS = (
    "annotations", "labels", "history", "settings", "created_at", "pushed_at", "base_stream_id", "base_tier",
)  # fmt: skip


def wanted_releases(streams: Sequence[BaseStream]) -> dict[int, Wanted]:
    """By stream what images of an unknown base claim or suggest. One query."""
    names = StreamNames({row.name: followed(row) for row in streams})
    by_name = {row.name: row.pk for row in streams}
    by_runtime = {f"{row.runtime} {row.runtime_version}": row.pk for row in streams if row.runtime}
    tags: dict[int, set[str]] = defaultdict(set)
    moments: dict[int, set[datetime]] = defaultdict(set)
    doubtful = Q(base_tier=Tier.EXACT, freshness=Freshness.UNKNOWN)
    unknown = Image.objects.filter(Q(base_release=None) | doubtful, is_index=False, inspected_at__isnull=False)
    for row in unknown.order_by("-pk").values_list(*COLUMNS)[:IMAGES_LIMIT]:
        facts = dict(zip(COLUMNS, row, strict=True))
        stream, tag = _named(facts, names, by_name)
        if tag:
            tags[stream].add(tag)
        stream = stream or facts["base_stream_id"] or by_runtime.get(_guessed(facts), 0)
        if stream in by_name.values() and (at := _built(facts)):
            moments[stream].add(at.replace(minute=0, second=0, microsecond=0))
    return {
        row.pk: Wanted(frozenset(tags[row.pk]), tuple(sorted(moments[row.pk], reverse=True)[:MOMENTS_LIMIT]))
        for row in streams
        if tags[row.pk] or moments[row.pk]
    }


def _named(facts: Mapping[str, Any], names: StreamNames, by_name: Mapping[str, int]) -> tuple[int, str]:
    """The stream that an image says it stands on, and the tag where that is one of a release."""
    claim = read_claim(facts["annotations"], facts["labels"])
    found = names.find(claim.name) if claim and claim.name else None
    return (by_name[found.stream], found.tag) if found else (0, "")


def _guessed(facts: Mapping[str, Any]) -> str:
    """The runtime that its settings speak of, where they are all that is left of a base: `python 3.12`."""
    if facts["base_tier"] != Tier.HEURISTIC:
        return ""
    settings = facts["settings"]
    steps = [str(step.get("created_by", "")) for step in facts["history"]]
    command = (*settings.get("entrypoint", ()), *settings.get("command", ()))
    return guess_runtime(steps, settings.get("env_keys", ()), command)


def _built(facts: Mapping[str, Any]) -> datetime | None:
    """When an image was built: what it stands on was there by then."""
    pushed, created = facts["pushed_at"], facts["created_at"]
    return (told(created, pushed) if pushed else created) or pushed
