"""Watch base images: poll the streams' tags, and keep every release. One that fails spoils no other."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from django.db.models import Case, Q, Value, When

from functions_app.domain.bases.history import Progress
from functions_app.domain.errors import Code, Problem
from functions_app.domain.runs import Log
from functions_app.models import BaseRelease, BaseStream
from functions_app.services.bases.lookups import wanted_releases
from functions_app.services.bases.poll_schedule import next_poll, try_again
from functions_app.services.bases.repository_reading import read_by_repository
from functions_app.services.bases.runtime_facts import is_listed
from functions_app.services.bases.stream_reading import (
    NOTHING_WANTED,
    CurrentReading,
    Known,
    PastReading,
    Wanted,
    read_current,
    read_past,
)
from functions_app.services.bases.stream_storing import (
    not_read_since,
    store_current,
    store_past,
    store_past_problem,
    store_unmoved,
)
from functions_app.services.snapshot.bulk_updates import update_rows

AHEAD_OF_US = timedelta(days=1)  # longer than any poll takes, and than clocks of two hosts differ
PASSING = frozenset({Code.UNREACHABLE, Code.THROTTLED})  # what may be over in a minute
NOTHING: Mapping[int, Wanted] = MappingProxyType({})


class Row(NamedTuple):
    """What is read of a release that is known; `whole`: with its layers and config."""

    manifest: str
    around: str  # the digest of the index that holds it
    tag: str
    platform: str
    whole: bool


@dataclass
class Polled:
    """What a poll did: how many streams it was to read, how many it could not, how many only in part."""

    asked: int = 0
    changed: set[int] = field(default_factory=set)
    unread: list[Problem] = field(default_factory=list)
    partly: set[int] = field(default_factory=set)

    def tell(self, stream: BaseStream, news: str, problem: Problem | None, log: Log) -> None:
        """Count and log what was found of a stream, and what of it could not be read."""
        log.info(f"{stream.name}: {news or 'no news'}")
        if news:
            self.changed.add(stream.pk)
        if problem:
            self.partly.add(stream.pk)
            log.warning(f"{stream.name}: not all of its releases could be read. {problem.message}")


def poll(
    now: datetime,
    log: Log,
    streams: Collection[int] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Polled:
    """Read these streams (None: all) that are switched on. One that fails spoils no other.

    What the tags of all point to comes first; then the releases before it, some at each poll: newer ones, those that
    images may stand on, and ever older ones, so that "3 releases behind" is known soon and in the end everything.
    """
    enabled = BaseStream.objects.filter(enabled=True).order_by("pk")
    rows = {row.pk: row for row in (enabled if streams is None else enabled.filter(pk__in=streams))}
    update_rows(BaseStream, ["next_poll_at"], [(next_poll(row, now), pk) for pk, row in rows.items()])
    # Nobody reads tomorrow: a clock was wrong, and nothing read until then would count.
    BaseStream.objects.filter(pk__in=rows, polled_at__gt=now + AHEAD_OF_US).update(polled_at=None)
    polled, moved = Polled(asked=len(rows)), {}
    for done, (pk, outcome) in enumerate(_currents(list(rows.values())), 1):
        progress(done, len(rows))
        if isinstance(outcome, Problem):
            _not_read(rows[pk], outcome, now, log, polled)
            continue
        news = store_current(rows[pk], outcome, now) if outcome else store_unmoved(rows[pk], now)
        moved[pk] = outcome is not None
        polled.tell(rows[pk], news, outcome.problem if outcome else None, log)
    for pk, past in _pasts([rows[pk] for pk in moved], moved, now):
        if isinstance(past, Problem):
            store_past_problem(rows[pk], past)
        news = "" if isinstance(past, Problem) else store_past(rows[pk], past, now)
        problem = past if isinstance(past, Problem) else past.problem
        if news or problem:
            polled.tell(rows[pk], news, problem, log)
    for cause, times in Counter(problem.cause for problem in polled.unread).items():
        if times > 1:
            log.warning(f"{times} streams could not be read for one reason: {cause}")
    return polled


def _not_read(stream: BaseStream, problem: Problem, now: datetime, log: Log, polled: Polled) -> None:
    if _awaited(stream, problem):
        log.info(f"{stream.name}: not there: not released yet, or taken away")
        not_read_since(stream, now).update(polled_at=now, problem=None)
        return
    if problem.cause not in {each.cause for each in polled.unread}:
        log.warning(f"{stream.name}: {problem.message} {problem.next_step}".strip())
    polled.unread.append(problem)
    not_read_since(stream, now).update(problem=problem.as_json())
    if problem.code in PASSING:
        try_again(stream, now)


def _currents(streams: Sequence[BaseStream]) -> Iterator[tuple[int, CurrentReading | Problem | None]]:
    """What the tags point to; None where one did not move."""
    known = _known(streams)
    return read_by_repository(
        streams, lambda registry, stream, ref, _: read_current(registry, stream, ref, known[stream.pk])
    )


def _pasts(
    streams: Sequence[BaseStream], moved: Mapping[int, bool], now: datetime
) -> Iterator[tuple[int, PastReading | Problem]]:
    """Earlier releases of the streams that have some to be read."""
    known = _known(streams, wanted_releases(streams))
    worth = [stream for stream in streams if moved[stream.pk] or known[stream.pk].leaves_something(now)]
    return read_by_repository(
        worth, lambda registry, stream, ref, tags: read_past(registry, stream, ref, tags, known[stream.pk], now)
    )


def _known(streams: Collection[BaseStream], wanted: Mapping[int, Wanted] = NOTHING) -> dict[int, Known]:
    """What is known of streams, from their rows as they are now. Two queries."""
    rows: dict[int, list[Row]] = defaultdict(list)
    releases = BaseRelease.objects.filter(stream__in=streams).annotate(
        whole=Case(When(Q(layers=[]) | Q(config={}), then=Value(False)), default=Value(True))
    )
    columns = releases.values_list("stream_id", "manifest_digest", "index_digest", "tag", "platform", "whole")
    for pk, *row in columns:
        rows[pk].append(Row(*row))
    stored = BaseStream.objects.filter(pk__in=[row.pk for row in streams]).values_list("pk", "tag_digest", "history")
    return {
        pk: _known_of(tag_digest, Progress.from_json(kept), rows[pk], wanted.get(pk, NOTHING_WANTED))
        for pk, tag_digest, kept in stored
    }


def _known_of(tag_digest: str, progress: Progress, rows: Sequence[Row], wanted: Wanted) -> Known:
    whole = [row for row in rows if row.whole]
    counting = [] if progress.again else whole
    return Known(
        tag_digest=tag_digest,
        digests=frozenset(row.around or row.manifest for row in counting),
        tags=frozenset(row.tag for row in counting if row.tag),
        manifests={row.manifest: row.platform for row in whole},
        incomplete={row.around or row.manifest: row.tag for row in rows if not row.whole},
        progress=progress,
        wanted=wanted,
    )


def _awaited(stream: BaseStream, problem: Problem) -> bool:
    """Whether it is no fault that a tag is missing: the data file names runtimes before and long after their time."""
    return problem.code is Code.NOT_FOUND and is_listed(stream) and not stream.releases.exists()
