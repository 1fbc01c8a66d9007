"""Watch base images: poll the streams' tags, keep every release, judge the images that stand on them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import cache

from django.db import transaction
from django.db.models import Q, QuerySet

from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.refs import ImageRef
from functions_app.domain.runs import Done, Log, Outcome
from functions_app.models import BaseRelease, BaseStream
from functions_app.registry.client import Registry
from functions_app.services.bases import poll_schedule
from functions_app.services.bases.daily_counts import count_day
from functions_app.services.bases.poll_schedule import due_streams, next_poll
from functions_app.services.bases.release_dating import date_releases, mark_returned
from functions_app.services.bases.runtime_facts import is_listed
from functions_app.services.bases.stream_reading import Known, StreamReading, read_stream
from functions_app.services.bases.streams import ANEW, seed_streams
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.engine.steps import Context, StepSpec
from functions_app.services.images.registries import open_registry
from functions_app.services.snapshot.bulk_updates import update_rows
from functions_app.services.snapshot.function_summaries import refresh_summaries

AHEAD_OF_US = timedelta(days=1)  # longer than any poll takes, and than clocks of two hosts differ
READERS = 4  # repositories read at a time: public registries throttle the nameless

Outcomes = list[tuple[int, StreamReading | Problem | None]]


def poll(
    now: datetime,
    log: Log,
    streams: Collection[int] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Read these streams (None: all) that are switched on; how many have news. One that fails spoils no other.

    The first poll of a stream reads its newest dated tags too, so that "3 releases behind" is known at once; so does
    every later one that finds the tag moved, for the releases between two polls.
    """
    enabled = BaseStream.objects.filter(enabled=True).order_by("pk")
    rows = {row.pk: row for row in (enabled if streams is None else enabled.filter(pk__in=streams))}
    update_rows(BaseStream, ["next_poll_at"], [(next_poll(row, now), pk) for pk, row in rows.items()])
    # Nobody reads tomorrow: a clock was wrong, and nothing read until then would count.
    BaseStream.objects.filter(pk__in=rows, polled_at__gt=now + AHEAD_OF_US).update(polled_at=None)
    changed, told = 0, Counter[str]()
    for done, (pk, outcome) in enumerate(_read(list(rows.values())), 1):
        progress(done, len(rows))
        stream = rows[pk]
        if isinstance(outcome, Problem) and _awaited(stream, outcome):
            log.info(f"{stream.name}: not there: not released yet, or taken away")
            _not_read_since(stream, now).update(polled_at=now, problem=None)
            continue
        if isinstance(outcome, Problem):
            told[outcome.cause] += 1
            if told[outcome.cause] == 1:
                log.warning(f"{stream.name}: {outcome.message} {outcome.next_step}".strip())
            _not_read_since(stream, now).update(problem=outcome.as_json())
            continue
        news = _store(stream, outcome, now) if outcome else _unchanged(stream, now)
        changed += bool(news)
        log.info(f"{stream.name}: {news or 'no news'}")
        if outcome and outcome.problem:
            log.warning(f"{stream.name}: not all of its releases could be read. {outcome.problem.message}")
    for cause, times in told.items():
        if times > 1:
            log.warning(f"{times} streams could not be read for one reason: {cause}")
    return changed


def _read(streams: Sequence[BaseStream]) -> Iterator[tuple[int, StreamReading | Problem | None]]:
    """Read streams in parallel by repository, one after another within it. Threads read registries, never rows."""
    known = _known(streams)
    groups: dict[tuple[str, str], list[tuple[BaseStream, ImageRef]]] = defaultdict(list)
    for stream in streams:
        try:
            ref = ImageRef.parse(stream.reference)
        except DrydockError as error:
            yield stream.pk, error.problem
            continue
        groups[ref.registry, ref.repository].append((stream, ref))
    with ExitStack() as opened, ThreadPoolExecutor(READERS, thread_name_prefix="bases") as pool:
        registries: dict[str, Registry] = {}
        work = []
        for (host, _), members in groups.items():
            try:
                if host not in registries:
                    registries[host] = opened.enter_context(open_registry(host))
            except DrydockError as error:  # no login to be had: the other hosts are read all the same
                yield from ((stream.pk, error.problem) for stream, _ in members)
                continue
            work.append(pool.submit(_read_repository, registries[host], members, known))
        for future in work:
            yield from future.result()


def _read_repository(
    registry: Registry, members: Sequence[tuple[BaseStream, ImageRef]], known: dict[int, Known]
) -> Outcomes:
    @cache
    def tags() -> tuple[str, ...]:
        return tuple(registry.tags(members[0][1].repository))

    outcomes: Outcomes = []
    for stream, ref in members:
        try:
            outcomes.append((stream.pk, read_stream(registry, stream, ref, tags, known[stream.pk])))
        except DrydockError as error:
            outcomes.append((stream.pk, error.problem))
    return outcomes


def _known(streams: Collection[BaseStream]) -> dict[int, Known]:
    rows: dict[int, list[tuple[str, str]]] = defaultdict(list)
    # A release that was kept without its layers, by an older Drydock, is read again.
    releases = BaseRelease.objects.filter(stream__in=streams).exclude(layers=[]).exclude(stream__tag_digest=ANEW)
    for pk, manifest, index, tag in releases.values_list("stream_id", "manifest_digest", "index_digest", "tag"):
        rows[pk].append((index or manifest, tag))
    return {
        stream.pk: Known(
            tag_digest="" if stream.tag_digest == ANEW else stream.tag_digest,
            digests=frozenset(digest for digest, _ in rows[stream.pk]),
            tags=frozenset(tag for _, tag in rows[stream.pk] if tag),
        )
        for stream in streams
    }


def _awaited(stream: BaseStream, problem: Problem) -> bool:
    """Whether it is no fault that a tag is missing: the data file names runtimes before and long after their time."""
    return problem.code is Code.NOT_FOUND and is_listed(stream) and not stream.releases.exists()


def _not_read_since(stream: BaseStream, now: datetime) -> QuerySet[BaseStream]:
    """The stream's row, unless somebody read it later: an older reading never overwrites a newer one."""
    return BaseStream.objects.filter(Q(polled_at=None) | Q(polled_at__lte=now), pk=stream.pk)


def _unchanged(stream: BaseStream, now: datetime) -> str:
    _not_read_since(stream, now).filter(tag_digest=stream.tag_digest).update(polled_at=now, problem=None)
    return ""


@transaction.atomic
def _store(stream: BaseStream, reading: StreamReading, now: datetime) -> str:
    """Keep the releases and mark the current ones, all at once; what is new in words, empty for nothing."""
    held = BaseStream.objects.select_for_update().get(pk=stream.pk)
    if (held.reference, held.platforms, held.own) != (stream.reference, stream.platforms, stream.own):
        return ""  # somebody changed it meanwhile, and had it read anew
    rows = {(row.platform, row.chain_id): row for row in stream.releases.all()}
    known = list(rows.values())
    before = {row.pk for row in known if row.current}
    fresh = _merged(stream, rows, reading, now)
    shown = [rows[release.platform, release.chain_id] for release in reading.current]
    date_releases(stream, known, fresh, shown, reading.tags)
    for release in fresh:
        release.save(force_insert=True)
    current = {row.pk for row in shown}
    if held.polled_at and held.polled_at > now:
        current = before  # what somebody read later is current
    else:
        mark_returned(rows.values(), current - before - {row.pk for row in fresh}, now)
        _mark(stream, current, reading, now)
    if not fresh and before == current:
        return ""
    left = {row.platform for row in rows.values() if row.pk in before} - {
        row.platform for row in rows.values() if row.pk in current
    }
    return f"new releases: {len(fresh)}; platforms whose current release changed: {len(current - before)}" + (
        f"; no longer there for {', '.join(sorted(left))}" if left else ""
    )


def _merged(
    stream: BaseStream, rows: dict[tuple[str, str], BaseRelease], reading: StreamReading, now: datetime
) -> list[BaseRelease]:
    """Take what was read into the rows known by platform and layers; the rows that are new, not stored yet."""
    fresh = []
    for release in (*reading.past, *reading.current):
        key = (release.platform, release.chain_id)
        if row := rows.get(key):
            # An older manifest of the same layers tells nothing new, once they are known.
            if not row.layers or not row.tag or release in reading.current:
                _renew(row, release)
            continue
        release.stream, release.first_seen_at = stream, now
        rows[key] = release
        fresh.append(release)
    return fresh


def _mark(stream: BaseStream, current: Collection[int], reading: StreamReading, now: datetime) -> None:
    stream.releases.filter(current=True).exclude(pk__in=current).update(current=False)
    stream.releases.filter(pk__in=current).update(current=True)
    BaseStream.objects.filter(pk=stream.pk).update(
        polled_at=now,
        problem=reading.problem.as_json() if reading.problem else None,
        tag_digest="" if reading.problem else reading.digest,
    )


def _renew(row: BaseRelease, read: BaseRelease) -> None:
    """The same layers under another manifest, or read once more: follow what is known of it now."""
    columns = ["manifest_digest", "index_digest", "layers", "size_bytes", "config"]
    for column in columns:
        setattr(row, column, getattr(read, column))
    row.tag = read.tag or row.tag
    if row.pk:
        row.save(update_fields=[*columns, "tag"])


def _poll_step(context: Context) -> Outcome:
    if "streams" not in context.memory:
        # Kept before the first is read: whoever takes over after a crash reads the same ones, due or not by then.
        context.memory["streams"] = _chosen(context)
        context.save()

    def progress(done: int, total: int) -> None:
        context.progress(done, total, "base streams")

    changed = poll(context.now, context.log, context.memory["streams"], progress)
    problems = BaseStream.objects.filter(enabled=True, problem__isnull=False).count()
    context.result["streams"] = {"changed": changed, "problems": problems}
    return Done(f"streams with news: {changed}; not readable: {problems}")


def _chosen(context: Context) -> list[int]:
    if not BaseStream.objects.exists():  # a new installation
        context.log.info(f"watching Lambda's own bases: {seed_streams()} streams")
    if context.plan.get("streams") is not None:
        return [int(pk) for pk in context.plan["streams"]]
    if context.plan.get("due"):
        return due_streams(context.now)
    return list(BaseStream.objects.filter(enabled=True).values_list("pk", flat=True))


def _judge_step(context: Context) -> Outcome:
    poll_schedule.judging_begins(context.now)
    changed = judge_images(None, now=context.now)
    if context.lease.taken_over:
        refresh_summaries(now=context.now)  # whoever died may have stored verdicts that no summary knows of
    context.result["images_changed"] = changed
    count_day(context.now)
    return Done(f"images with another verdict: {changed}")


STEPS = (
    StepSpec("poll", "Read the base streams", _poll_step),
    StepSpec("judge", "Judge images by the releases known", _judge_step),
)
