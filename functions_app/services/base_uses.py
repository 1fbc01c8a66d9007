"""What is live on base images, ready for their pages: written with the functions' summaries."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from functions_app.domain.images import chain_ids
from functions_app.models import BaseRelease, BaseUse, Function
from functions_app.services.inventory.base_use import live_rows

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


def refresh_uses(functions: Sequence[Function], lineages: Lineages | None = None) -> int:
    """Write anew what these functions have live on bases, by their summaries; how many rows came or went.

    At most eight queries; `lineages` keeps what was looked up for the next lot.
    """
    there = {function.pk: function for function in functions if function.gone_at is None}
    live = live_rows(function_ids=there.keys())
    known = (lineages or Lineages()).of({row[3] for row in live if row[3]})
    wanted = {use for row in live for use in _uses(there[row[0]], row, known)}
    rows = BaseUse.objects.filter(function__in=[function.pk for function in functions]).values_list(*COLUMNS, "pk")
    stored = {row[:-1]: row[-1] for row in rows}
    gone = [pk for use, pk in stored.items() if use not in wanted]
    if gone:
        BaseUse.objects.filter(pk__in=gone).delete()
    new = [BaseUse(**dict(zip(COLUMNS, use, strict=True))) for use in wanted if use not in stored]
    BaseUse.objects.bulk_create(new, batch_size=1000)
    return len(gone) + len(new)


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
