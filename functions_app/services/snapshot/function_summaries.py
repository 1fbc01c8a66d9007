"""The columns of Function that the functions list shows: worked out from versions, aliases, images and tags."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction

from functions_app import clock
from functions_app.domain.bases.detection import REPOSITORY_NOT_READ
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.bases.overdue_policies import Policy, choose_policy, overdue_on
from functions_app.domain.bases.unknown_reasons import ALIASES_NOT_READ
from functions_app.domain.changes.kept_aliases import kept_aliases
from functions_app.domain.fleet import states
from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST, unqualified
from functions_app.domain.fleet.parts import unread
from functions_app.domain.fleet.states import Condition, LiveVersion, called, find_problem, worst_condition
from functions_app.domain.fleet.tags import managed_by, owner_of
from functions_app.domain.pasted.things import LAMBDA_GROUPS
from functions_app.domain.refs import repository_of
from functions_app.domain.text import storable
from functions_app.models import Alias, Function, Version
from functions_app.services.people.accounts import production
from functions_app.services.snapshot import fleet_revision, function_counts, rollback_targets
from functions_app.services.snapshot.alias_standings import refresh_standings
from functions_app.services.snapshot.base_use_rows import Lineages, refresh_uses
from functions_app.services.snapshot.bulk_updates import update_rows
from functions_app.services.snapshot.function_facts import CONDITION, Known, read_known
from functions_app.services.snapshot.function_tags import refresh_tags
from functions_app.services.snapshot.missed_parts import part_ages
from functions_app.services.snapshot.overdue import lateness_of, read_policies
from functions_app.services.snapshot.runtimes import Runtimes
from functions_app.services.snapshot.unread_versions import NOT_YET, unread_reason

BATCH = 500
BEHIND = (Freshness.STALE, Freshness.END_OF_LIFE)
COLUMNS = (
    "freshness", "freshness_reason", "releases_behind", "days_behind", "overdue_on", "end_of_life_on",
    "base_name", "runtime", "problem_rank", "problem", "alias_chips", "drifted", "owner", "managed_by", "search_text",
    "partly_read", "unruled", *CONDITION,
)  # fmt: skip
UNSEEN = Condition()


def refresh_summaries(function_ids: Sequence[int] | None = None, *, now: datetime | None = None) -> int:
    """Rewrite the summaries of these functions (None: all); how many changed. A constant number of queries per 500.

    What is overdue is so by the day of `now`: who keeps that true calls this once a day.
    """
    ids = sorted(set(function_ids)) if function_ids is not None else _all_ids()
    today = (now or clock.now()).date()
    lineages = Lineages()
    runtimes = Runtimes(lineages)
    changed, accounts = 0, set[int]()
    for start in range(0, len(ids), BATCH):
        more, of = _refresh(ids[start : start + BATCH], today, lineages, runtimes)
        changed, accounts = changed + more, accounts | of
    # Whatever was changed before, and by whom: a worker that died had no time to have it counted.
    if function_counts.keep(None if function_ids is None else accounts):
        fleet_revision.changed()
    return changed


def _all_ids() -> list[int]:
    return list(Function.objects.filter(gone_at=None).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _refresh(ids: Sequence[int], today: date, lineages: Lineages, runtimes: Runtimes) -> tuple[int, set[int]]:
    """How many of these functions changed, and the accounts that they all are in."""
    # Held: what a refresh stores after this has read must not be summarised by what was there before. So policies
    # and accounts are read within, too: those of before a long refresh would undo what somebody saved meanwhile.
    rows = Function.objects.select_for_update(of=("self",)).select_related("account")
    functions = list(rows.filter(pk__in=ids).order_by("pk"))
    aliases = list(Alias.objects.filter(function_id__in=ids).order_by("name"))
    rollback_targets.refresh_counts(ids, aliases)
    known = read_known(ids, aliases, read_policies(), today, runtimes)
    changed = []
    for function in functions:
        before = [getattr(function, name) for name in COLUMNS]
        after = _summary(function, known)
        if before != after:
            changed.append([*after, function.pk])
            for name, value in zip(COLUMNS, after, strict=True):
                setattr(function, name, value)
    update_rows(Function, COLUMNS, changed)
    refresh_standings(functions)
    written = refresh_tags(functions) + refresh_uses(functions, lineages, aliases)
    if written or changed:
        fleet_revision.changed()
    return len(changed), {function.account_id for function in functions}


def _summary(function: Function, known: Known) -> list[Any]:
    aliases = known.aliases.get(function.pk, [])
    parts = part_ages(function)
    policy = choose_policy(known.policies, function.account_id, function.tags)
    names = [alias.name for alias in aliases]
    kept = kept_aliases(names)
    live = _live(function, aliases, known, policy, kept)
    carries = production(function.account).include
    chips = [_chip(each, live, known, kept=each.name in kept, production=carries(each.name)) for each in aliases]
    # Only what calls reach runs: that a tag moved on since $LATEST got its image says nothing where an alias decides.
    reached = called(live)
    running = [known.versions.get((function.pk, version.number)) for version in reached]
    drifted = sorted({tag for version in running if (tag := known.moved_tag(version))})
    idle = None
    if all(version.number != LATEST for version in live):
        idle = _condition(known.versions.get((function.pk, LATEST)))
    finding = find_problem(live, drifted, known.today, idle, unread(parts))
    worst = states.worst(live)
    owner = storable(owner_of(function.tags), 120)
    base = worst.base if worst else ""
    places = _places(function, running)
    digests = {function.digest, *(chip[key] for chip in chips for key in ("digest", "second_digest"))} - {""}
    return [
        (worst.freshness if worst else Freshness.UNKNOWN).value,
        storable(worst.reason if worst else "", 300),
        worst.releases_behind if worst else 0,
        worst.days_behind if worst else 0,
        min((version.overdue_on for version in reached if version.overdue_on), default=None),
        min((version.end_of_life_on for version in reached if version.end_of_life_on), default=None),
        base,
        worst.runtime if worst else "",
        finding.rank,
        storable(finding.text, 300),
        chips,
        bool(drifted),
        owner,
        managed_by(function.tags),
        _search_text([function.name, *names, owner, base, function.description, *places], digests, known.tags(digests)),
        any(part.missing for part in parts) or any(version.unread for version in live),
        policy is None and any(version.freshness in BEHIND for version in reached),
        *astuple(worst_condition(live, idle)),
    ]


def _live(
    function: Function, aliases: Iterable[Alias], known: Known, policy: Policy | None, kept: frozenset[str]
) -> list[LiveVersion]:
    users: dict[str, list[str]] = defaultdict(list)
    for alias in aliases:
        for number in {alias.version, alias.second_version} - {""}:
            users[number].append(alias.name)
    if not users and function.aliases_synced_at is None:
        return [LiveVersion(LATEST, (), image_gone=False, freshness=Freshness.UNKNOWN, reason=ALIASES_NOT_READ)]
    if not users:
        users[unqualified((function.pk, PUBLISHED_LATEST) in known.versions)] = []
    found = ((number, names, known.versions.get((function.pk, number))) for number, names in sorted(users.items()))
    return [
        replace(
            _live_version(number, tuple(names), version, policy, kept=bool(names) and kept.issuperset(names)),
            runtime=known.runtimes.get(version.image_id or 0, "") if version else "",
        )
        for number, names, version in found
    ]


def _live_version(
    number: str, aliases: tuple[str, ...], version: Version | None, policy: Policy | None, *, kept: bool
) -> LiveVersion:
    image = version.image if version else None
    condition = _condition(version)
    unread = unread_reason(version) if version else NOT_YET
    if image is None:
        return LiveVersion(
            number,
            aliases,
            image_gone=False,
            freshness=Freshness.UNKNOWN,
            reason=REPOSITORY_NOT_READ,
            condition=condition,
            unread=unread,
            kept=kept,
        )
    return LiveVersion(
        number,
        aliases,
        image_gone=image.gone_at is not None,
        image_status=image.status,
        freshness=Freshness(image.freshness),
        reason=image.freshness_reason,
        releases_behind=image.releases_behind,
        days_behind=image.days_behind,
        base=image.base_stream.name if image.base_stream else "",
        overdue_on=overdue_on(lateness_of(image), policy) if policy else None,
        end_of_life_on=image.end_of_life_on,
        condition=condition,
        unread=unread,
        expiry_rule=image.expiry_rule,
        kept=kept,
    )


def _condition(version: Version | None) -> Condition:
    if version is None or version.detailed_at is None:
        return UNSEEN
    return Condition(*(getattr(version, name) for name in CONDITION))


def _chip(alias: Alias, live: Iterable[LiveVersion], known: Known, *, kept: bool, production: bool) -> dict[str, Any]:
    """An alias as the list shows it, with the verdict on each of its versions; `overdue_on` is the sooner day.

    Who moved it last is told where Drydock has seen it move, else when its version was published; `kept` as a way back.
    """
    first = known.versions.get((alias.function_id, alias.version))
    second = known.versions.get((alias.function_id, alias.second_version)) if alias.second_version else None
    of = {version.number: version for version in live}
    verdict, other = of[alias.version], of.get(alias.second_version)
    days = [version.overdue_on for version in (verdict, other) if version and version.overdue_on]
    at, by = known.moves.get((alias.function_id, alias.name)) or (first.last_modified if first else None, "")
    return {
        "name": alias.name,
        "version": alias.version,
        "digest": first.digest if first else "",
        "freshness": verdict.freshness.value,
        "reason": verdict.reason,
        "base": verdict.base,
        "runtime": verdict.runtime,
        "overdue_on": min(days).isoformat() if days else "",  # read again: %F writes no zeros before a year
        "second_version": alias.second_version,
        "second_weight": alias.second_weight,
        "second_digest": second.digest if second else "",
        "second_freshness": other.freshness.value if other else "",
        "drifted": bool(known.moved_tag(first) or known.moved_tag(second)),
        "unread": verdict.unread or (other.unread if other else ""),
        "releases_behind": verdict.releases_behind,
        "days_behind": verdict.days_behind,
        "state": verdict.condition.state,
        "at": at.isoformat() if at else "",
        "by": by,
        "kept": kept,
        "production": production and not kept,  # nobody calls what is kept
    }


def _places(function: Function, running: Iterable[Version | None]) -> list[str]:
    """Where it is looked for by what is not its name: the repositories it runs from, a log group of another name."""
    uris = (function.image_uri, *(version.image_uri for version in running if version))
    repositories = {repository_of(uri).partition("/")[2] for uri in uris if uri}
    own = f"{LAMBDA_GROUPS}{function.name}"
    return [*sorted(repositories), *({function.log_group} - {own})]


def _search_text(words: Iterable[str], digests: Iterable[str], tags: Iterable[str]) -> str:
    # Twelve digits of a digest are what people see and what the search looks for; shorter texts are scanned sooner.
    brief = sorted(digest.removeprefix("sha256:")[:12] for digest in digests)
    return " ".join(word for word in (*words, *brief, *sorted(tags)) if word).lower()
