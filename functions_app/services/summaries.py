"""The columns of Function that the functions list shows: worked out from versions, aliases, images and tags."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from functions_app.domain import fleet
from functions_app.domain.errors import DrydockError
from functions_app.domain.fleet import LATEST, Condition, LiveVersion
from functions_app.domain.freshness import Freshness
from functions_app.domain.refs import ImageRef
from functions_app.models import Alias, Function, Tag, Version
from functions_app.services import rollback_targets
from functions_app.services.row_updates import cut, update_rows

BATCH = 500
COLUMNS = (
    "freshness", "freshness_reason", "releases_behind", "days_behind", "base_name", "problem_rank", "problem",
    "alias_chips", "drifted", "owner", "managed_by", "search_text",
)  # fmt: skip


def refresh_summaries(function_ids: Sequence[int] | None = None) -> int:
    """Rewrite the summaries of these functions (None: all); how many changed. Four queries per 500 functions."""
    ids = sorted(set(function_ids)) if function_ids is not None else _all_ids()
    return sum(_refresh(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH))


def _all_ids() -> list[int]:
    return list(Function.objects.filter(gone_at=None).order_by("pk").values_list("pk", flat=True))


@dataclass(frozen=True)
class _Known:
    """What one batch is worked out from."""

    aliases: dict[int, list[Alias]]
    versions: dict[tuple[int, str], Version]
    tag_digests: dict[tuple[str, str], str]  # (repository uri, tag) -> digest now
    tags_of: dict[str, set[str]]  # digest -> tags now


@transaction.atomic
def _refresh(ids: Sequence[int]) -> int:
    # Held: what a refresh stores after this has read must not be summarised by what was there before.
    functions = list(Function.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    rollback_targets.refresh_counts(ids)
    known = _read(ids)
    changed = []
    for function in functions:
        before = [getattr(function, name) for name in COLUMNS]
        after = _summary(function, known)
        if before != after:
            changed.append([*after, function.pk])
    update_rows(Function, COLUMNS, changed)
    return len(changed)


def _read(ids: Sequence[int]) -> _Known:
    aliases: dict[int, list[Alias]] = defaultdict(list)
    numbers = {LATEST}
    for alias in Alias.objects.filter(function_id__in=ids).order_by("name"):
        aliases[alias.function_id].append(alias)
        numbers |= {alias.version, alias.second_version} - {""}
    wanted = Version.objects.filter(function_id__in=ids, number__in=numbers)
    related = wanted.select_related("image__base_release__stream").only(
        "function_id", "number", "digest", "image_uri", "deployed_tag", "image__gone_at", "image__freshness",
        "image__freshness_reason", "image__releases_behind", "image__days_behind", "image__base_release__stream__name",
    )  # fmt: skip
    versions = {(version.function_id, version.number): version for version in related}
    digests = {version.digest for version in versions.values()}
    names = {tag for version in versions.values() if (tag := _tag_of(version)[1])}
    tag_digests: dict[tuple[str, str], str] = {}
    tags_of: dict[str, set[str]] = defaultdict(set)
    found = Tag.objects.filter(digest__in=digests) | Tag.objects.filter(name__in=names)
    for uri, name, digest in found.values_list("repository__uri", "name", "digest"):
        tag_digests[uri, name] = digest
        tags_of[digest].add(name)
    return _Known(aliases, versions, tag_digests, tags_of)


def _tag_of(version: Version) -> tuple[str, str]:
    """Repository uri and tag that the version was deployed by; no tag where it was by digest."""
    if not version.image_uri:
        return "", ""
    try:
        ref = ImageRef.parse(version.image_uri)
    except DrydockError:
        return "", ""  # a URI Lambda took and we do not understand: then nothing is known of its tag
    return ref.name, version.deployed_tag if ref.digest else ref.tag


def _moved_tag(version: Version | None, known: _Known) -> str:
    """The tag the version was deployed by, if it points elsewhere now."""
    if version is None:
        return ""
    uri, tag = _tag_of(version)
    now = known.tag_digests.get((uri, tag), "") if tag else ""
    return tag if now and version.digest and now != version.digest else ""


def _summary(function: Function, known: _Known) -> list[Any]:
    aliases = known.aliases.get(function.pk, [])
    live = _live(function, aliases, known)
    chips = [_chip(alias, known) for alias in aliases]
    drifted = sorted(
        {
            tag
            for number in {LATEST, *(alias.version for alias in aliases), *(alias.second_version for alias in aliases)}
            if (tag := _moved_tag(known.versions.get((function.pk, number)), known))
        }
    )
    condition = Condition(
        function.state,
        function.state_reason,
        function.state_reason_code,
        function.last_update_status,
        function.last_update_reason,
    )
    finding = fleet.find_problem(condition, live, drifted)
    worst = fleet.worst(live)
    owner = cut(fleet.owner_of(function.tags), 120)
    base = worst.base if worst else ""
    digests = {function.digest, *(chip[key] for chip in chips for key in ("digest", "second_digest"))} - {""}
    return [
        (worst.freshness if worst else Freshness.UNKNOWN).value,
        cut(worst.reason if worst else "", 300),
        worst.releases_behind if worst else 0,
        worst.days_behind if worst else 0,
        base,
        finding.rank,
        cut(finding.text, 300),
        chips,
        bool(drifted),
        owner,
        fleet.managed_by(function.tags),
        _search_text(
            [function.name, *(alias.name for alias in aliases), owner, base, function.description],
            digests,
            {tag for digest in digests for tag in known.tags_of.get(digest, ())},
        ),
    ]


def _live(function: Function, aliases: Iterable[Alias], known: _Known) -> list[LiveVersion]:
    users: dict[str, list[str]] = defaultdict(list)
    for alias in aliases:
        for number in {alias.version, alias.second_version} - {""}:
            users[number].append(alias.name)
    if not users:
        users[LATEST] = []
    found = ((number, names, known.versions.get((function.pk, number))) for number, names in sorted(users.items()))
    return [_live_version(number, tuple(names), version) for number, names, version in found]


def _live_version(number: str, aliases: tuple[str, ...], version: Version | None) -> LiveVersion:
    image = version.image if version else None
    if image is None:
        reason = "Its image is in a repository that Drydock does not read."
        return LiveVersion(number, aliases, image_gone=False, freshness=Freshness.UNKNOWN, reason=reason)
    return LiveVersion(
        number,
        aliases,
        image_gone=image.gone_at is not None,
        freshness=Freshness(image.freshness),
        reason=image.freshness_reason,
        releases_behind=image.releases_behind,
        days_behind=image.days_behind,
        base=image.base_release.stream.name if image.base_release else "",
    )


def _chip(alias: Alias, known: _Known) -> dict[str, Any]:
    first = known.versions.get((alias.function_id, alias.version))
    second = known.versions.get((alias.function_id, alias.second_version)) if alias.second_version else None
    return {
        "name": alias.name,
        "version": alias.version,
        "digest": first.digest if first else "",
        "second_version": alias.second_version,
        "second_weight": alias.second_weight,
        "second_digest": second.digest if second else "",
        "drifted": bool(_moved_tag(first, known) or _moved_tag(second, known)),
    }


def _search_text(words: Iterable[str], digests: Iterable[str], tags: Iterable[str]) -> str:
    # Twelve digits of a digest are what people see and what the search looks for; shorter texts are scanned sooner.
    brief = sorted(digest.removeprefix("sha256:")[:12] for digest in digests)
    return " ".join(word for word in (*words, *brief, *sorted(tags)) if word).lower()
