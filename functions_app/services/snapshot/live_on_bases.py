"""What is live on base images: every alias (of a function without, what calls reach) and its release.

An image may stand on a golden image that stands on another base: then its function is a user of both.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from django.db.models import F, Q

from functions_app.models import Alias, BaseRelease, Function
from functions_app.services.snapshot.live_versions import called_without_alias

FEW = 500  # ids that go into a query as they are; beyond that every row is read


@dataclass(frozen=True)
class ReleaseFact:
    """A release without its layers and config: enough to count and to order."""

    COLUMNS: ClassVar = ("pk", "stream_id", "platform", "chain_id", "current", "created_at", "tag")
    pk: int
    stream_id: int
    platform: str
    chain_id: str
    current: bool
    created_at: Any
    tag: str


@dataclass(frozen=True)
class Family:
    """Releases, and which of them stand on which: `beneath` names those under each, the nearest first."""

    releases: Mapping[int, ReleaseFact]
    beneath: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def above(self, stream_id: int) -> dict[int, int]:
        """Releases of other streams that stand on one of this stream, and on which."""
        found = {}
        for pk, lower in self.beneath.items():
            on = next((each for each in lower if self.releases[each].stream_id == stream_id), None)
            if on is not None and self.releases[pk].stream_id != stream_id:
                found[pk] = on
        return found


def label(release: ReleaseFact | BaseRelease) -> str:
    """A release as people name it: its dated tag, or the day it was built."""
    return release.tag or f"of {release.created_at:%Y-%m-%d}"


def release_facts() -> dict[int, ReleaseFact]:
    """Every release there is. One query."""
    rows = BaseRelease.objects.order_by("-created_at", "pk").values_list(*ReleaseFact.COLUMNS)
    return {row[0]: ReleaseFact(*row) for row in rows}


def family(releases: Mapping[int, ReleaseFact]) -> Family:
    """Find which releases stand on which: those whose layers begin with all of another's. One query."""
    layers = {
        pk: tuple(diff_ids)
        for pk, diff_ids in BaseRelease.objects.values_list("pk", "diff_ids")
        if diff_ids and pk in releases
    }
    known: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for pk, diff_ids in layers.items():
        known[releases[pk].platform, diff_ids].append(pk)
    beneath = {}
    for pk, diff_ids in layers.items():
        platform = releases[pk].platform
        lower = [
            found for count in range(len(diff_ids) - 1, 0, -1) for found in known.get((platform, diff_ids[:count]), ())
        ]
        if lower:
            beneath[pk] = tuple(lower)
    return Family(releases, beneath)


def live_rows(
    release_ids: Collection[int] | None = None,
    stream_id: int | None = None,
    extra: Iterable[str] = (),
) -> list[tuple[Any, ...]]:
    """What is live on these releases, or on unknown ones of the stream; None: on any base. Three queries.

    Function id, alias ("" where the function has none), version, release id (None: an unknown one), stream id, and
    `extra` columns: paths that begin at the version, `image__base_tier`.
    """
    alias_rows = Alias.objects.filter(function__gone_at=None).order_by()
    path = "function__versions__"
    columns = [f"{path}image__base_release_id", f"{path}image__base_stream_id", *(f"{path}{name}" for name in extra)]
    wanted = _on(f"{path}image__", release_ids, stream_id)
    rows: list[tuple[Any, ...]] = list(
        alias_rows.filter(wanted, function__versions__number=F("version")).values_list(
            "function_id", "name", "version", *columns
        )
    )
    rows += alias_rows.filter(
        wanted, function__versions__number=F("second_version"), second_version__gt=""
    ).values_list("function_id", "name", "second_version", *columns)
    unaliased = called_without_alias().filter(_on("image__", release_ids, stream_id), function__gone_at=None)
    columns = ["image__base_release_id", "image__base_stream_id", *extra]
    rows += [(row[0], "", *row[1:]) for row in unaliased.values_list("function_id", "number", *columns)]
    return rows


def _on(path: str, release_ids: Collection[int] | None, stream_id: int | None) -> Q:
    """The versions whose image stands on one of these releases, or on an unknown one of the stream."""
    if release_ids is None:
        return Q(**{f"{path}base_release__isnull": False}) | Q(**{f"{path}base_stream__isnull": False})
    known = Q(**{f"{path}base_release__in": list(release_ids)})
    return known | Q(**{f"{path}base_release": None, f"{path}base_stream": stream_id})


def overdue_ways(today: date, functions: Collection[int] | None = None) -> set[tuple[int, str]]:
    """(function id, alias) of what is overdue by policy; alias "" where the function has none. One query."""
    found = Function.objects.filter(gone_at=None, overdue_on__lte=today)
    late: set[tuple[int, str]] = set()
    for pk, chips in found.values_list("pk", "alias_chips"):
        if functions is not None and pk not in functions:
            continue
        if not chips:
            late.add((pk, ""))
        for chip in chips:
            day = str(chip.get("overdue_on") or "")
            if day and day <= today.isoformat():
                late.add((pk, str(chip["name"])))
    return late
