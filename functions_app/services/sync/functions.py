"""The functions' part of a sync: functions, versions and aliases, with as few calls as AWS's API allows."""

from collections.abc import Iterable, Mapping
from threading import Event

from django.db import transaction

from functions_app import clock
from functions_app.aws import lambdas
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST, FunctionFact
from functions_app.domain.fleet.parts import LISTED, Part
from functions_app.models import AliasStanding, BaseUse, Function, FunctionTag, Run
from functions_app.services.snapshot import fleet_revision, function_counts
from functions_app.services.snapshot.bulk_updates import update_rows
from functions_app.services.snapshot.listed_functions import FACT, function_values, lock_outdated, stored_features
from functions_app.services.snapshot.missed_parts import (
    LISTED_COLUMNS,
    known_before,
    store_missed,
    store_read,
    store_within,
)
from functions_app.services.snapshot.readers import Readers
from functions_app.services.snapshot.reading_progress import FUNCTIONS
from functions_app.services.snapshot.scope_reading import ScopeRead, chunks
from functions_app.services.sync.alias_reads import AliasReads
from functions_app.services.sync.aliases import store_aliases
from functions_app.services.sync.detail_reads import LatestReads, VersionReads
from functions_app.services.sync.function_details import store_details
from functions_app.services.sync.listed_versions import Listing, store_listed_versions
from functions_app.services.sync.odd_entries import OddEntries, store_odd

# With the one that lists, 32: the quota decides the speed, these only cover AWS's latency. A full sync asks for each
# function once, for its aliases once, and for each version that they name.
DETAIL_READERS, CONTROL_READERS, ONE_FUNCTION_READERS = 22, 9, 4


def read_functions(scope: ScopeRead, listed: Event) -> None:
    """Bring functions, versions and aliases up to date; `listed` is set as soon as all functions are listed.

    Raises DrydockError when the listing fails: then nothing is changed. Single functions that fail keep their old rows
    and keep why, as single versions do.
    """
    before = _known(scope)
    with Readers(scope) as readers:
        details = readers.pool(DETAIL_READERS, "details")  # GetFunction has a quota of its own
        latest, versions = LatestReads(scope, readers, details, before), VersionReads(scope, readers, details)
        aliases = AliasReads(scope, readers, readers.pool(CONTROL_READERS, "aliases"), before, versions)
        listing = _list(scope, readers, latest, aliases)
        if scope.stopped():
            return
        listed.set()
        ids = _store(scope, listing, before)
        store_odd(scope, listing.odd, before, listing.functions.keys(), others=listing.others)
        scope.counts["functions"] = len(listing.functions)
        scope.counts["versions"] = sum(map(len, listing.versions.values()))
        if scope.counts["changed"]:
            function_counts.keep([scope.account.pk])  # of a first sync, before each function is read by itself
        try:
            latest.begin(ids)
            aliases.ask_rest(ids, listing.functions)
            readers.take()
            aliases.store()
            readers.take()
            versions.ask_rest(ids.values())
            readers.take()
            latest.end()
            aliases.end()
            versions.end()
        finally:
            function_counts.keep([scope.account.pk])


def _list(scope: ScopeRead, readers: Readers, latest: LatestReads, aliases: AliasReads) -> Listing:
    """What ListFunctions tells; each function is asked for as soon as it is listed."""
    listing = Listing()
    for page in lambdas.functions(scope.target):
        listing.functions.update({fact.name: fact for fact in page.functions})
        scope.progress.found(FUNCTIONS, len(page.functions))
        for name, version in page.versions:
            listing.versions[name].append(version)
        listing.odd.entries += page.odd
        listing.others += page.others
        for fact in page.functions:
            latest.ask(fact)
        aliases.ask_beside(page.functions)
        readers.take_ready()
        if scope.stopped():
            break
    return listing


def _known(scope: ScopeRead) -> dict[str, Function]:
    rows = Function.objects.filter(account=scope.account, region=scope.region)
    return {
        row.name: row
        for row in rows.only(
            "name", "revision_id", "detailed_revision", "detailed_at", "aliases_synced_at", "gone_at", "missed",
            "features",
        )
    }  # fmt: skip


def _store(scope: ScopeRead, listing: Listing, before: Mapping[str, Function]) -> dict[str, int]:
    """Store the listing; the keys of its functions by name, without those that were refreshed since it began."""
    news = [fact for name, fact in listing.functions.items() if name not in before]
    for part in chunks(news):
        # Somebody else may have stored one meanwhile: the next step brings it up to date.
        Function.objects.bulk_create(
            [
                Function(account=scope.account, region=scope.region, name=fact.name, **function_values(fact, scope.now))
                for fact in part
            ],
            ignore_conflicts=True,
        )
    rows = Function.objects.filter(account=scope.account, region=scope.region).values_list("name", "pk")
    keys = {name: pk for name, pk in rows if name in listing.functions}
    current: dict[str, int] = {}
    for names in chunks(sorted(keys, key=keys.__getitem__)):
        current |= _store_listed(scope, {name: keys[name] for name in names}, listing, before)
    unlisted = [row for name, row in before.items() if name not in listing.functions and row.gone_at is None]
    gone = [row.pk for row in unlisted if not listing.odd.spares(row.name)]
    _mark_gone(scope, gone)
    changed = [name for name in current if name in before and _differs(before[name], listing.functions[name])]
    scope.counts["changed"] = len(news) + len(changed) + len(gone)
    return current


@transaction.atomic
def _store_listed(
    scope: ScopeRead, keys: Mapping[str, int], listing: Listing, before: Mapping[str, Function]
) -> dict[str, int]:
    held = lock_outdated(dict.fromkeys(keys.values(), scope.now), "synced_at")
    current = {name: pk for name, pk in keys.items() if pk in held}
    changed = [name for name in current if name in before and _differs(before[name], listing.functions[name])]
    gone = _gone(held)
    facts = {pk: listing.functions[name] for name, pk in current.items()}
    store_within(LISTED, {pk: (scope.now, fact.unread) for pk, fact in facts.items()})
    values = {current[name]: function_values(listing.functions[name], scope.now) for name in changed}
    known_before(values, {pk: fact.unread.keys() for pk, fact in facts.items()}, LISTED_COLUMNS)
    update_rows(Function, FACT, [[*(row[column] for column in FACT), pk] for pk, row in values.items()])
    Function.objects.filter(pk__in=held).update(synced_at=scope.now)
    store_read(Part.SETTINGS, held)
    store_listed_versions(current, listing, gone, scope.now)
    return current


def _gone(keys: Iterable[int]) -> frozenset[int]:
    return frozenset(Function.objects.filter(pk__in=keys, gone_at__isnull=False).values_list("pk", flat=True))


def _mark_gone(scope: ScopeRead, keys: Iterable[int]) -> None:
    for part in chunks(sorted(keys)):
        with transaction.atomic():
            held = lock_outdated(dict.fromkeys(part, scope.now), "synced_at")
            Function.objects.filter(pk__in=held).update(gone_at=scope.now, synced_at=scope.now)
            for ready in (BaseUse, AliasStanding, FunctionTag):
                ready.objects.filter(function__in=held).delete()
            if held:
                fleet_revision.changed()  # no summary is written of what is gone


def _differs(row: Function, fact: FunctionFact) -> bool:
    if row.gone_at is not None or row.revision_id != fact.latest.revision_id:
        return True
    # Told again, or known to a newer Drydock, without a change of the function.
    return any(part in row.missed for part in LISTED) or row.features != stored_features(fact.features)


def read_one(function: Function, scope: ScopeRead, run: Run | None) -> None:
    """Read one function, its versions and aliases now. Raises DrydockError; NOT_FOUND marks it gone."""
    read_at = clock.now()
    part = Part.DETAILS
    try:
        detail = lambdas.get_function(scope.target, function.name)
        part = Part.SETTINGS
        versions = lambdas.versions(scope.target, function.name)
        part = Part.ALIASES
        aliases = lambdas.aliases(scope.target, function.name)
    except DrydockError as error:
        if error.problem.code is Code.NOT_FOUND:
            _mark_gone(scope, [function.pk])
        else:
            store_missed(part, {function.pk: (read_at, error.problem)})
        function_counts.keep([function.account_id])
        raise
    published = [fact for fact in versions.facts if fact.number != LATEST]
    with transaction.atomic():
        if held := lock_outdated({function.pk: read_at}, "synced_at"):
            gone = _gone(held)
            store_read(Part.SETTINGS, held)
            store_within(LISTED, {function.pk: (read_at, detail.fact.unread)})
            values = {function.pk: function_values(detail.fact, read_at)}
            known_before(values, {function.pk: detail.fact.unread.keys()}, LISTED_COLUMNS)
            Function.objects.filter(pk=function.pk).update(**values[function.pk])
            odd = OddEntries(list(versions.odd))
            listing = Listing({function.name: detail.fact}, {function.name: published}, odd)
            store_listed_versions({function.name: function.pk}, listing, gone, read_at)
        store_details({function.pk: (read_at, detail)})
        store_aliases({function.pk: (read_at, aliases)}, run)
    with Readers(scope) as readers:
        named = VersionReads(scope, readers, readers.pool(ONE_FUNCTION_READERS, "versions"))
        named.ask_named([function.pk])
        readers.take()
        named.end()
