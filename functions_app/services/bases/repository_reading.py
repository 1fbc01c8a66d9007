"""Read base streams from their registries, several repositories at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from typing import TypeVar

from functions_app.domain.errors import DrydockError, Problem
from functions_app.domain.refs import ImageRef
from functions_app.models import BaseStream
from functions_app.registry.client import Registry
from functions_app.services.images.registries import open_registry

READERS = 4  # repositories read at a time: public registries throttle the nameless

T = TypeVar("T")
Tags = Callable[[], tuple[str, ...]]  # of the repository, listed once
Read = Callable[[Registry, BaseStream, ImageRef, Tags], T]


def read_by_repository(streams: Sequence[BaseStream], read: Read[T]) -> Iterator[tuple[int, T | Problem]]:
    """Read streams in parallel by repository, one after another within it. Threads read registries, never rows."""
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
            work.append(pool.submit(_read_repository, registries[host], members, read))
        for future in work:
            yield from future.result()


def _read_repository(
    registry: Registry, members: Sequence[tuple[BaseStream, ImageRef]], read: Read[T]
) -> list[tuple[int, T | Problem]]:
    @cache
    def tags() -> tuple[str, ...]:
        return tuple(registry.tags(members[0][1].repository))

    outcomes: list[tuple[int, T | Problem]] = []
    for stream, ref in members:
        try:
            outcomes.append((stream.pk, read(registry, stream, ref, tags)))
        except DrydockError as error:
            outcomes.append((stream.pk, error.problem))
    return outcomes
