"""The functions' part of a sync: functions, versions and aliases, with as few calls as AWS's API allows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from functions_app.aws import lambdas
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet import LATEST, AliasFact, FunctionDetail, FunctionFact, VersionFact
from functions_app.models import Alias, AliasMove, Function, Run, Version
from functions_app.services.row_updates import update_rows
from functions_app.services.sync_scope import CHUNK, ScopeRead, chunks, read_each

ALIAS_BUDGET = 300  # functions whose aliases a scheduled sync reads without a reason, the oldest-read first
SETTLED = ("Active", "Successful")
DETAIL = (
    "image_uri", "state", "state_reason", "state_reason_code", "last_update_status", "last_update_reason",
    "last_update_reason_code", "tags", "detailed_revision",
)  # fmt: skip
FACT = (
    "arn", "description", "architecture", "memory_mb", "timeout_s", "ephemeral_mb", "role_arn", "log_group",
    "env_keys", "image_settings", "last_modified", "revision_id", "digest", "synced_at", "gone_at",
)  # fmt: skip


@dataclass
class Listing:
    """What ListFunctions told."""

    functions: dict[str, FunctionFact] = field(default_factory=dict)
    versions: dict[str, list[VersionFact]] = field(default_factory=lambda: defaultdict(list))


def read_functions(scope: ScopeRead) -> None:
    """Bring functions, versions and aliases up to date. Raises DrydockError when the listing fails: then nothing is
    changed. Single functions that fail keep their old rows and are told in the scope's problems.
    """
    listing = Listing()
    for page in lambdas.functions(scope.target):
        listing.functions.update({fact.name: fact for fact in page.functions})
        for name, version in page.versions:
            listing.versions[name].append(version)
        if scope.stopped():
            return
    before = _known(scope)
    _store_functions(scope, listing.functions, before)
    ids = {name: row.pk for name, row in _known(scope).items() if name in listing.functions}
    _store_versions(ids, listing)
    scope.counts["functions"] = len(ids)
    scope.counts["versions"] = sum(map(len, listing.versions.values()))
    _read_details(scope, ids, _need_detail(listing.functions, before))
    _read_aliases(scope, ids, _need_aliases(scope, listing.functions, before))


def _known(scope: ScopeRead) -> dict[str, Function]:
    rows = Function.objects.filter(account=scope.account, region=scope.region)
    return {
        row.name: row
        for row in rows.only(
            "name", "revision_id", "detailed_revision", "state", "last_update_status", "aliases_synced_at", "gone_at"
        )
    }


def _function_values(fact: FunctionFact, now: datetime) -> dict[str, Any]:
    settings = {
        "entrypoint": list(fact.entrypoint),
        "command": list(fact.command),
        "working_directory": fact.working_directory,
    }
    return {
        "arn": fact.arn,
        "description": fact.description[:300],
        "architecture": fact.architecture,
        "memory_mb": fact.memory_mb,
        "timeout_s": fact.timeout_s,
        "ephemeral_mb": fact.ephemeral_mb,
        "role_arn": fact.role_arn,
        "log_group": fact.log_group,
        "env_keys": list(fact.env_keys),
        "image_settings": {name: value for name, value in settings.items() if value},
        "last_modified": fact.latest.last_modified,
        "revision_id": fact.latest.revision_id,
        "digest": fact.latest.digest,
        "synced_at": now,
        "gone_at": None,
    }


def _store_functions(scope: ScopeRead, facts: Mapping[str, FunctionFact], before: Mapping[str, Function]) -> None:
    changed = [fact for name, fact in facts.items() if name not in before or _differs(before[name], fact)]
    rows = [
        Function(account=scope.account, region=scope.region, name=fact.name, **_function_values(fact, scope.now))
        for fact in changed
    ]
    for part in chunks(rows):
        Function.objects.bulk_create(
            part,
            update_conflicts=True,
            unique_fields=["account", "region", "name"],
            update_fields=list(FACT),
        )
    gone = [row.pk for name, row in before.items() if name not in facts and row.gone_at is None]
    for ids in chunks(gone):
        Function.objects.filter(pk__in=ids).update(gone_at=scope.now)
    Function.objects.filter(account=scope.account, region=scope.region, gone_at=None).update(synced_at=scope.now)
    scope.counts["changed"] = len(changed) + len(gone)


def _differs(row: Function, fact: FunctionFact) -> bool:
    return row.gone_at is not None or row.revision_id != fact.latest.revision_id


def _need_detail(facts: Mapping[str, FunctionFact], before: Mapping[str, Function]) -> list[str]:
    """New, changed, or not settled when it was read last: its state may have moved on without a new revision."""

    def settled(row: Function | None, fact: FunctionFact) -> bool:
        return (
            row is not None
            and row.detailed_revision == fact.latest.revision_id
            and (row.state, row.last_update_status) == SETTLED
        )

    return sorted(name for name, fact in facts.items() if not settled(before.get(name), fact))


def _need_aliases(scope: ScopeRead, facts: Mapping[str, FunctionFact], before: Mapping[str, Function]) -> list[str]:
    """New and changed functions, then the oldest-read: a moved alias shows in no listing. All, when a person asks."""
    if scope.all_aliases:
        return sorted(facts)
    due, rest = [], []
    for name, fact in facts.items():
        row = before.get(name)
        if row is None or row.aliases_synced_at is None or _differs(row, fact):
            due.append(name)
        else:
            rest.append((row.aliases_synced_at, name))
    return sorted(due) + [name for _, name in sorted(rest)[:ALIAS_BUDGET]]


def _store_versions(ids: Mapping[str, int], listing: Listing) -> None:
    wanted: dict[tuple[int, str], VersionFact] = {}
    for name, function_id in ids.items():
        for fact in (listing.functions[name].latest, *listing.versions.get(name, ())):
            wanted[function_id, fact.number] = fact
    stored: dict[tuple[int, str], tuple[int, str]] = {}
    for part in chunks(sorted(ids.values())):
        rows = Version.objects.filter(function_id__in=part).values_list("function_id", "number", "pk", "digest")
        stored |= {(function_id, number): (pk, digest) for function_id, number, pk, digest in rows}
    news = [
        _version_row(function_id, fact)
        for (function_id, number), fact in wanted.items()
        if stored.get((function_id, number), (0, ""))[1] != fact.digest
    ]
    for fresh in chunks(news):
        Version.objects.bulk_create(
            fresh,
            update_conflicts=True,
            unique_fields=["function", "number"],
            # What ran before is forgotten with its digest: URI and image are found anew.
            update_fields=["digest", "description", "last_modified", "image_uri", "image"],
        )
    vanished = [pk for key, (pk, _) in stored.items() if key not in wanted]
    for keys in chunks(vanished):
        Version.objects.filter(pk__in=keys).delete()


def _version_row(function_id: int, fact: VersionFact) -> Version:
    return Version(
        function_id=function_id,
        number=fact.number,
        ordinal=0 if fact.number == LATEST else int(fact.number),
        digest=fact.digest,
        description=fact.description[:300],
        last_modified=fact.last_modified,
    )


def _read_details(scope: ScopeRead, ids: Mapping[str, int], names: Sequence[str]) -> None:
    batch: list[tuple[int, FunctionDetail]] = []
    for name, detail in read_each(scope, lambda name: lambdas.get_function(scope.target, name), names):
        batch.append((ids[name], detail))
        if len(batch) == CHUNK:
            store_details(batch)
            batch = []
    store_details(batch)
    scope.counts["details"] = len(names)


def store_details(details: Sequence[tuple[int, FunctionDetail]]) -> None:
    """Keep what GetFunction told, by the function's key: states, tags, and the URI that $LATEST was deployed by."""
    rows = [
        (
            detail.image_uri,
            detail.state,
            detail.state_reason[:500],
            detail.state_reason_code,
            detail.last_update_status,
            detail.last_update_reason[:500],
            detail.last_update_reason_code,
            dict(detail.tags),
            detail.fact.latest.revision_id,
            function_id,
        )
        for function_id, detail in details
    ]
    with transaction.atomic():
        update_rows(Function, DETAIL, rows)
        uris = {function_id: detail for function_id, detail in details if detail.image_uri}
        same = Version.objects.filter(function_id__in=uris, image_uri="").values_list("pk", "function_id", "digest")
        # A version with the digest of $LATEST was published from it, by the same URI.
        update_rows(
            Version,
            ["image_uri"],
            [(uris[owner].image_uri, pk) for pk, owner, digest in same if digest == uris[owner].fact.latest.digest],
        )
        moved = Version.objects.filter(function_id__in=uris, number=LATEST).exclude(image_uri="")
        update_rows(
            Version,
            ["image_uri"],
            [
                (uris[owner].image_uri, pk)
                for pk, owner, uri in moved.values_list("pk", "function_id", "image_uri")
                if uri != uris[owner].image_uri
            ],
        )


def _read_aliases(scope: ScopeRead, ids: Mapping[str, int], names: Sequence[str]) -> None:
    batch: dict[int, tuple[AliasFact, ...]] = {}
    for name, aliases in read_each(scope, lambda name: lambdas.aliases(scope.target, name), names):
        batch[ids[name]] = aliases
        scope.counts["aliases"] = scope.counts.get("aliases", 0) + len(aliases)
        if len(batch) == CHUNK:
            store_aliases(batch, scope.now)
            batch = {}
    store_aliases(batch, scope.now)


@transaction.atomic
def store_aliases(found: Mapping[int, Sequence[AliasFact]], now: datetime, run: Run | None = None) -> int:
    """Keep the aliases of functions (by key) as they are now, with every move since the last time; how many moved."""
    stored = {(row.function_id, row.name): row for row in Alias.objects.filter(function_id__in=found)}
    wanted = {(owner, fact.name): fact for owner, facts in found.items() for fact in facts}
    moves = [
        record_alias_move(owner, fact, now, run)
        for (owner, name), fact in wanted.items()
        if (owner, name) not in stored or _route(stored[owner, name]) != _route(fact)
    ]
    gone = [row for key, row in stored.items() if key not in wanted]
    moves += [AliasMove(function_id=row.function_id, alias=row.name, version="", at=now, run=run) for row in gone]
    AliasMove.objects.bulk_create(moves, batch_size=CHUNK)
    Alias.objects.bulk_create(
        [_alias_row(owner, fact, now) for (owner, _), fact in wanted.items()],
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["function", "name"],
        update_fields=["description", "version", "second_version", "second_weight", "revision_id", "synced_at"],
    )
    Alias.objects.filter(pk__in=[row.pk for row in gone]).delete()
    Function.objects.filter(pk__in=found).update(aliases_synced_at=now)
    return len(moves)


def record_alias_move(function_id: int, fact: AliasFact, at: datetime, run: Run | None = None) -> AliasMove:
    """One line of an alias's history, not saved yet."""
    return AliasMove(
        function_id=function_id,
        alias=fact.name,
        version=fact.version,
        second_version=fact.second_version,
        second_weight=fact.second_weight,
        at=at,
        run=run,
    )


def _route(alias: Alias | AliasFact) -> tuple[str, str, float]:
    return alias.version, alias.second_version, alias.second_weight


def _alias_row(owner: int, fact: AliasFact, now: datetime) -> Alias:
    return Alias(
        function_id=owner,
        name=fact.name,
        description=fact.description[:300],
        version=fact.version,
        second_version=fact.second_version,
        second_weight=fact.second_weight,
        revision_id=fact.revision_id,
        synced_at=now,
    )


def read_one(function: Function, scope: ScopeRead, run: Run | None) -> None:
    """Read one function, its versions and aliases now. Raises DrydockError; NOT_FOUND marks it gone."""
    try:
        detail = lambdas.get_function(scope.target, function.name)
        versions = lambdas.versions(scope.target, function.name)
        aliases = lambdas.aliases(scope.target, function.name)
    except DrydockError as error:
        if error.problem.code is Code.NOT_FOUND:
            Function.objects.filter(pk=function.pk).update(gone_at=scope.now)
        raise
    with transaction.atomic():
        Function.objects.filter(pk=function.pk).update(**_function_values(detail.fact, scope.now))
        published = [fact for fact in versions if fact.number != LATEST]
        _store_versions({function.name: function.pk}, Listing({function.name: detail.fact}, {function.name: published}))
        store_details([(function.pk, detail)])
        store_aliases({function.pk: aliases}, scope.now, run)
