"""What is live on base images, ready for their pages: written with the functions' summaries."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from functions_app.domain.fleet.functions import unqualified
from functions_app.domain.images.manifests import chain_ids
from functions_app.models import Alias, BaseRelease, BaseUse, Function, Version
from functions_app.services.snapshot.derived_rows import rewrite

COLUMNS = (
    "stream_id", "release_id", "nearest_id", "function_id", "account_id", "name", "region", "owner",
    "alias", "version", "overdue_on",
)  # fmt: skip


class Release(NamedTuple):
    """A release and the stream it belongs to."""

    pk: int
    stream_id: int


class Lineages:
    """The releases beneath others, the nearest first: those whose layers theirs begin with. Each is looked up once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Release, ...]] = {}

    def of(self, release_ids: Iterable[int]) -> Mapping[int, tuple[Release, ...]]:
        """Of each release itself and what is beneath it. Two queries, none for releases that were asked for before."""
        missing = set(release_ids) - self._known.keys()
        if missing:
            self._known |= _lineages(missing)
        return self._known


def _lineages(release_ids: Iterable[int]) -> dict[int, tuple[Release, ...]]:
    rows = BaseRelease.objects.filter(pk__in=release_ids).order_by()
    chains = {
        Release(pk, stream): (platform, [*chain_ids(diff_ids)[-2::-1]])
        for pk, stream, platform, diff_ids in rows.values_list("pk", "stream_id", "platform", "diff_ids")
    }
    wanted = {chain for _, lower in chains.values() for chain in lower}
    known: dict[tuple[str, str], list[Release]] = {}
    found = BaseRelease.objects.filter(chain_id__in=wanted).order_by("pk")
    for pk, stream, platform, chain in found.values_list("pk", "stream_id", "platform", "chain_id"):
        known.setdefault((platform, chain), []).append(Release(pk, stream))
    return {
        release.pk: (release, *(each for chain in lower for each in known.get((platform, chain), ())))
        for release, (platform, lower) in chains.items()
    }


def refresh_uses(
    functions: Sequence[Function], lineages: Lineages | None = None, aliases: Iterable[Alias] | None = None
) -> int:
    """Write anew what these functions have live on bases, by their summaries; how many rows came or went.

    At most seven queries; `lineages` keeps what was looked up for the next lot, `aliases` are theirs where read before.
    """
    there = {function.pk: function for function in functions if function.gone_at is None}
    known_aliases = Alias.objects.filter(function__in=there).order_by() if aliases is None else aliases
    live = _live(there.keys(), known_aliases)
    known = (lineages or Lineages()).of({row[3] for row in live if row[3]})
    wanted = {use for row in live for use in _uses(there[row[0]], row, known)}
    return rewrite(BaseUse, COLUMNS, [function.pk for function in functions], wanted)


def _live(function_ids: Collection[int], aliases: Iterable[Alias]) -> list[tuple[Any, ...]]:
    """What is live of these functions on any base, as live_rows tells it of all. One query.

    Joined here: a database that has no statistics yet, as after a first sync, takes seconds over each join of these.
    """
    ways: dict[int, list[tuple[str, str]]] = {pk: [] for pk in function_ids}
    for alias in aliases:
        if alias.function_id in ways:
            numbers = (alias.version, alias.second_version)
            ways[alias.function_id] += [(alias.name, number) for number in numbers if number]
    numbers_of = {number for several in ways.values() for _, number in several}
    versions = Version.objects.filter(
        function__in=function_ids, number__in=numbers_of | {unqualified(False), unqualified(True)}
    ).values_list("function_id", "number", "image__base_release_id", "image__base_stream_id")
    bases = {(function_id, number): (release, stream) for function_id, number, release, stream in versions}
    for function_id, several in ways.items():
        several += [] if several else [("", unqualified((function_id, unqualified(True)) in bases))]
    return [
        (function_id, name, number, *bases[function_id, number])
        for function_id, several in ways.items()
        for name, number in several
        if any(bases.get((function_id, number), ()))
    ]


def _uses(
    function: Function, row: tuple[Any, ...], known: Mapping[int, tuple[Release, ...]]
) -> Iterator[tuple[Any, ...]]:
    """One for each stream that a live version stands on; of a stream with several releases in the lineage the first."""
    _, alias, version, release_id, stream_id = row
    levels: dict[int, int | None] = {}
    for release in known.get(release_id, ()):
        levels.setdefault(release.stream_id, release.pk)
    if not release_id and stream_id:
        levels = {stream_id: None}
    overdue_on = _overdue_on(function, alias)
    for stream, release_pk in levels.items():
        yield (
            stream, release_pk, release_id, function.pk, function.account_id, function.name, function.region,
            function.owner, alias, version, overdue_on,
        )  # fmt: skip


def _overdue_on(function: Function, alias: str) -> date | None:
    if not alias:
        return function.overdue_on
    day = next((chip.get("overdue_on") for chip in function.alias_chips if chip.get("name") == alias), "")
    return date.fromisoformat(day) if day else None
