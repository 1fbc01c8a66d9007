"""Watch base images: seed the streams, poll their tags, judge the images that stand on them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from functools import cache
from typing import Protocol

from django.contrib.auth.models import User
from django.db import transaction

from functions_app.domain.errors import DrydockError, Problem
from functions_app.domain.refs import ImageRef
from functions_app.domain.runs import Done, Kind, Outcome
from functions_app.models import BaseRelease, BaseStream, Run
from functions_app.registry.client import Registry
from functions_app.services import runs
from functions_app.services.base_reading import Known, Reading, read_stream
from functions_app.services.base_streams import lambda_references, seed_streams
from functions_app.services.base_verdicts import judge_images
from functions_app.services.image_facts import inspect
from functions_app.services.steps import Context, StepSpec

__all__ = ["STEPS", "inspect", "judge_images", "lambda_references", "poll", "seed_streams", "submit_poll"]

READERS = 4  # repositories read at a time: public registries throttle the nameless
LOCK = "base_poll"

Outcomes = list[tuple[int, Reading | Problem | None]]


class Log(Protocol):
    """Where a poll tells what it does: a run's log."""

    def info(self, text: str) -> None:
        """Tell what happened."""

    def warning(self, text: str) -> None:
        """Tell what went wrong."""


def poll(now: datetime, log: Log) -> int:
    """Read every stream that is switched on; how many have news. One that fails spoils no other.

    The first poll of a stream reads its newest dated tags too, so that "3 releases behind" is known at once; so does
    every later one that finds the tag moved, for the releases between two polls.
    """
    streams = {stream.pk: stream for stream in BaseStream.objects.filter(enabled=True)}
    changed = 0
    for pk, outcome in _read(list(streams.values())):
        stream = streams[pk]
        if isinstance(outcome, Problem):
            log.warning(f"{stream.name}: {outcome.message}")
            BaseStream.objects.filter(pk=pk).update(problem=outcome.as_json())
            continue
        news = _store(stream, outcome, now) if outcome else _unchanged(stream, now)
        changed += bool(news)
        log.info(f"{stream.name}: {news or 'no news'}")
        if outcome and outcome.problem:
            log.warning(f"{stream.name}: not all of its older releases could be read. {outcome.problem.message}")
    return changed


def _read(streams: Sequence[BaseStream]) -> Iterator[tuple[int, Reading | Problem | None]]:
    """Read streams in parallel by repository, one after another within it. Threads read registries, never rows."""
    known = _known(streams)
    groups: dict[tuple[str, str], list[tuple[int, ImageRef]]] = defaultdict(list)
    for stream in streams:
        try:
            ref = ImageRef.parse(stream.reference)
        except DrydockError as error:
            yield stream.pk, error.problem
            continue
        groups[ref.registry, ref.repository].append((stream.pk, ref))
    with ExitStack() as open_registries, ThreadPoolExecutor(READERS, thread_name_prefix="bases") as pool:
        hosts = {host for host, _ in groups}
        registries = {host: open_registries.enter_context(Registry.open(host)) for host in hosts}
        work = [
            pool.submit(_read_repository, registries[host], members, known) for (host, _), members in groups.items()
        ]
        for future in work:
            yield from future.result()


def _read_repository(registry: Registry, members: Sequence[tuple[int, ImageRef]], known: dict[int, Known]) -> Outcomes:
    @cache
    def tags() -> tuple[str, ...]:
        return tuple(registry.tags(members[0][1].repository))

    outcomes: Outcomes = []
    for pk, ref in members:
        try:
            outcomes.append((pk, read_stream(registry, ref, tags, known[pk])))
        except DrydockError as error:
            outcomes.append((pk, error.problem))
    return outcomes


def _known(streams: Collection[BaseStream]) -> dict[int, Known]:
    rows: dict[int, list[tuple[str, str, bool]]] = defaultdict(list)
    releases = BaseRelease.objects.filter(stream__in=streams)
    for pk, manifest, index, tag, current in releases.values_list(
        "stream_id", "manifest_digest", "index_digest", "tag", "current"
    ):
        rows[pk].append((index or manifest, tag, current))
    return {
        stream.pk: Known(
            complete=stream.polled_at is not None and stream.problem is None,
            current=frozenset(digest for digest, _, current in rows[stream.pk] if current),
            digests=frozenset(digest for digest, _, _ in rows[stream.pk]),
            tags=frozenset(tag for _, tag, _ in rows[stream.pk] if tag),
        )
        for stream in streams
    }


def _unchanged(stream: BaseStream, now: datetime) -> str:
    BaseStream.objects.filter(pk=stream.pk).update(polled_at=now, problem=None)
    return ""


@transaction.atomic
def _store(stream: BaseStream, reading: Reading, now: datetime) -> str:
    """Keep the releases and mark the current ones, all at once; what is new in words, empty for nothing."""
    rows = {(row.platform, row.chain_id): row for row in stream.releases.all()}
    before = {row.pk for row in rows.values() if row.current}
    fresh = 0
    for release in (*reading.past, *reading.current):
        key = (release.platform, release.chain_id)
        if row := rows.get(key):
            _renew(row, release)
            continue
        release.stream, release.first_seen_at = stream, now
        release.save(force_insert=True)
        rows[key] = release
        fresh += 1
    current = {rows[release.platform, release.chain_id].pk for release in reading.current}
    stream.releases.filter(current=True).exclude(pk__in=current).update(current=False)
    stream.releases.filter(pk__in=current).update(current=True)
    problem = reading.problem.as_json() if reading.problem else None
    polled = {} if reading.problem else {"polled_at": now}
    BaseStream.objects.filter(pk=stream.pk).update(problem=problem, **polled)
    if not fresh and before == current:
        return ""
    return f"new releases: {fresh}; platforms whose current release changed: {len(current - before)}"


def _renew(row: BaseRelease, read: BaseRelease) -> None:
    """The same layers under a newer manifest: follow its digests, so that the next poll sees that nothing moved."""
    row.manifest_digest, row.index_digest, row.tag = read.manifest_digest, read.index_digest, read.tag or row.tag
    row.save(update_fields=["manifest_digest", "index_digest", "tag"])


def _poll_step(context: Context) -> Outcome:
    if not BaseStream.objects.exists():  # a new installation; who watches a choice of streams has made it by now
        context.log.info(f"watching Lambda's own bases: {seed_streams()} streams")
    changed = poll(context.now, context.log)
    problems = BaseStream.objects.filter(enabled=True, problem__isnull=False).count()
    context.result["streams"] = {"changed": changed, "problems": problems}
    return Done(f"streams with news: {changed}; not readable: {problems}")


def _judge_step(context: Context) -> Outcome:
    changed = judge_images(None, now=context.now)
    context.result["images_changed"] = changed
    return Done(f"images with another verdict: {changed}")


STEPS = (
    StepSpec("poll", "Read the base streams", _poll_step),
    StepSpec("judge", "Judge images by the releases known", _judge_step),
)


def submit_poll(actor: User | None) -> Run:
    """Start a poll of the base streams. Raises BUSY when one is under way."""
    return runs.submit(Kind.BASE_POLL, title="Poll base streams", plan={}, actor=actor, lock=LOCK)
