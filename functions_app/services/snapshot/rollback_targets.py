"""What each alias could go back to, from the snapshot: the choice that rollbacks offer, and its count for the lists."""

import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions_app.domain.changes.ways_back import count_ways_back, is_way_back, ordinal
from functions_app.domain.fleet.functions import LATEST
from functions_app.domain.images.statuses import read_status
from functions_app.models import Alias, AliasMove, Function, Tag, Version
from functions_app.services.snapshot.alias_histories import own_moves
from functions_app.services.snapshot.bulk_updates import update_rows

NEWER = 10  # versions beyond what an alias runs
OFFERED = 50  # published versions that were never seen live: the latest are what somebody goes back to


@dataclass(frozen=True)
class RollbackTarget:
    """A version an alias could go back to; `obstacle` says why it can't, as far as the snapshot knows.

    `live_until` is when it was last seen live under the alias, None where Drydock never saw it there.
    `unread`: its image is in a repository that Drydock does not read, so whether it is there nobody knows here.
    """

    version: str
    digest: str
    tags: tuple[str, ...]
    live_until: datetime | None
    obstacle: str
    unread: bool = False
    doubt: str = ""  # why nobody here knows whether its image can be pulled, where ECR has a word for it
    published_at: datetime | None = None
    same_image: bool = False  # as what the alias points to now
    expiry_rule: int | None = None  # of the lifecycle policy that would take its image away, by the last forecast

    @property
    def seen(self) -> bool:
        """Whether it was seen live under the alias."""
        return self.live_until is not None

    @property
    def expiry(self) -> str:
        """What the lifecycle policy would do to its image, "" where it would spare it."""
        return f"lifecycle rule {self.expiry_rule} will take its image away" if self.expiry_rule else ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What somebody who chooses it should know."""
        remarks = [
            "the same image as now" if self.same_image else "",
            self.expiry,
            "its repository is not read here: the plan asks ECR" if self.unread else "",
            self.doubt,
        ]
        return tuple(remark for remark in remarks if remark)


@dataclass(frozen=True)
class AliasTargets:
    """An alias with what it could go back to: versions seen live first, each kind with the latest first.

    `available` counts those whose image is there, `lost` those whose is not, `unread` those of which that is not
    known; of very many not all are among the targets.
    """

    alias: Alias
    targets: tuple[RollbackTarget, ...]
    available: int
    lost: int
    unread: int = 0
    newer: tuple[RollbackTarget, ...] = ()  # that the alias could be pointed forward to: published and never live here


def targets(function: Function) -> tuple[AliasTargets, ...]:
    """For every alias what it can go back to, from the snapshot. Four queries, however many versions there are."""
    moves: dict[str, list[AliasMove]] = defaultdict(list)
    for move in own_moves().filter(function=function).order_by("at", "id"):
        moves[move.alias].append(move)
    related = function.versions.exclude(number=LATEST).select_related("image__repository")
    versions = {
        version.number: version
        for version in related.only(
            "function_id",
            "number",
            "digest",
            "last_modified",
            "image__digest",
            "image__gone_at",
            "image__status",
            "image__expiry_rule",
            "image__repository_id",
            "image__repository__name",
        )
    }
    aliases = list(function.aliases.order_by("name"))
    chosen = {alias.name: _chosen(alias, moves[alias.name], versions) for alias in aliases}
    newer = {alias.name: _newer(alias, moves[alias.name], versions) for alias in aliases}
    shown = [*chosen.values(), *newer.values()]
    tags = _tags([versions[number] for several in shown for number in several if number in versions])
    states = [
        (number, is_there(version.image.gone_at, version.image.status) if version.image else None)
        for number, version in versions.items()
    ]
    found = []
    for alias in aliases:
        counted = count_ways_back(alias.version, _seen(moves[alias.name]).keys(), states)
        chosen_here = _targets(chosen[alias.name], moves[alias.name], alias, versions, tags)
        forward = _targets(newer[alias.name], moves[alias.name], alias, versions, tags)
        found.append(AliasTargets(alias, chosen_here, counted.available, counted.lost, counted.unread, forward))
    return tuple(found)


def _seen(moves: Iterable[AliasMove]) -> dict[str, tuple[datetime, datetime]]:
    """When each version was live for the last time; what it was replaced by tells until when."""
    return {move.version: (move.at, after.at) for move, after in itertools.pairwise(moves) if move.version}


def _chosen(alias: Alias, moves: Sequence[AliasMove], versions: Mapping[str, Version]) -> list[str]:
    """The numbers, in the order they are offered in: those seen live by when they were left, then the newest."""
    seen = _seen(moves)
    left = {move.version: position for position, move in enumerate(moves[:-1])}  # several may share a moment
    live = [number for number in seen if is_way_back(number, alias.version, seen)]
    live.sort(key=left.__getitem__, reverse=True)
    earlier = [number for number in versions if number not in seen and is_way_back(number, alias.version, ())]
    earlier.sort(key=ordinal, reverse=True)
    return [*live, *earlier[:OFFERED]]


def _newer(alias: Alias, moves: Sequence[AliasMove], versions: Mapping[str, Version]) -> list[str]:
    """Numbered versions beyond what the alias runs, the latest first; those that were live are ways back."""
    seen, now = _seen(moves), max(ordinal(number) for number in (alias.version, alias.second_version or "0"))
    found = [number for number in versions if now < ordinal(number) < math.inf and number not in seen]
    return sorted(found, key=ordinal, reverse=True)[:NEWER]


def _targets(
    numbers: Sequence[str],
    moves: Sequence[AliasMove],
    alias: Alias,
    versions: Mapping[str, Version],
    tags: Mapping[tuple[int, str], tuple[str, ...]],
) -> tuple[RollbackTarget, ...]:
    seen, now = _seen(moves), versions.get(alias.version)
    found = []
    for number in numbers:
        version = versions.get(number)
        _, live_until = seen.get(number, (None, None))
        image = version.image if version else None
        found.append(
            RollbackTarget(
                version=number,
                digest=version.digest if version else "",
                tags=tags.get((image.repository_id, image.digest), ()) if image else (),
                live_until=live_until,
                obstacle=_obstacle(version),
                unread=version is not None and version.image is None,
                doubt=_doubt(version),
                published_at=version.last_modified if version else None,
                same_image=bool(version and now and version.digest and version.digest == now.digest),
                expiry_rule=image.expiry_rule if image else None,
            )
        )
    return tuple(found)


def _obstacle(version: Version | None) -> str:
    if version is None:
        return "The version was deleted."
    if version.image and version.image.gone_at is not None:
        return f"Its image was deleted from {version.image.repository.name}."
    status = read_status(version.image.status) if version.image else None
    if status and status.pullable is False:
        return f"Its image {status.state}. {status.next_step}"
    return ""


def _doubt(version: Version | None) -> str:
    """A status that ECR told and nobody here knows; without any the plan asks ECR, as it always does."""
    word = version.image.status if version and version.image and not version.image.gone_at else ""
    status = read_status(word)
    return f"its image {status.state}: the plan asks ECR" if word and status.pullable is None else ""


def is_there(gone_at: datetime | None, status: str) -> bool | None:
    """Whether an image can be pulled, as far as the snapshot knows: ECR has it, and its status lets it be."""
    if gone_at is not None:
        return False
    return read_status(status).pullable if status else True


def _tags(versions: Iterable[Version]) -> dict[tuple[int, str], tuple[str, ...]]:
    images = [version.image for version in versions if version.image]
    repositories, digests = {image.repository_id for image in images}, {image.digest for image in images}
    rows = Tag.objects.filter(repository__in=repositories, digest__in=digests).order_by("name")
    found: dict[tuple[int, str], tuple[str, ...]] = {}
    for repository, digest, name in rows.values_list("repository_id", "digest", "name"):
        found[repository, digest] = (*found.get((repository, digest), ()), name)
    return found


def seen_versions(function_ids: Collection[int]) -> dict[tuple[int, str], set[str]]:
    """By function and alias the versions it was seen at and left again. One query."""
    found: dict[tuple[int, str], set[str]] = defaultdict(set)
    now: dict[tuple[int, str], str] = {}
    rows = own_moves().filter(function__in=function_ids).order_by("at", "id")
    for function_id, alias, version in rows.values_list("function_id", "alias", "version"):
        left = now.get((function_id, alias))
        if left:
            found[function_id, alias].add(left)
        now[function_id, alias] = version
    return found


def refresh_counts(function_ids: Collection[int], aliases: Iterable[Alias] | None = None) -> int:
    """Rewrite how many versions each alias of these functions could go back to; how many changed. Three queries, or two
    where the aliases were read before.

    None, not 0, where none is known to be there and some are in repositories that are not read: that is no warning.
    """
    rows = list(Alias.objects.filter(function__in=function_ids) if aliases is None else aliases)
    if not rows:
        return 0
    versions: dict[int, list[tuple[str, bool | None]]] = defaultdict(list)
    published = Version.objects.filter(function__in={alias.function_id for alias in rows}, ordinal__gt=0)
    for function_id, number, image_id, gone_at, status in published.values_list(
        "function_id", "number", "image_id", "image__gone_at", "image__status"
    ):
        versions[function_id].append((number, None if image_id is None else is_there(gone_at, status)))
    seen = seen_versions({alias.function_id for alias in rows})
    changed = []
    for alias in rows:
        left = seen.get((alias.function_id, alias.name), set())
        counted = count_ways_back(alias.version, left, versions[alias.function_id])
        after = counted.available or (None if counted.unread else 0), counted.lost
        if (alias.rollback_targets, alias.rollback_lost) != after:
            changed.append((*after, alias.pk))
    update_rows(Alias, ("rollback_targets", "rollback_lost"), changed)
    return len(changed)
