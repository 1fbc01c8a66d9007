"""The versions that a listing told of, and whether their function is still the one that was known."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST, FunctionFact, VersionFact, is_another
from functions_app.domain.text import storable
from functions_app.models import Alias, Function, Version
from functions_app.services.snapshot.bulk_updates import update_rows
from functions_app.services.snapshot.scope_reading import chunks
from functions_app.services.sync.odd_entries import OddEntries
from functions_app.services.sync.version_details import OWN

Key = tuple[int, str]  # the function's key, the version's number


@dataclass
class Listing:
    """What ListFunctions told."""

    functions: dict[str, FunctionFact] = field(default_factory=dict)
    versions: dict[str, list[VersionFact]] = field(default_factory=lambda: defaultdict(list))
    odd: OddEntries = field(default_factory=OddEntries)
    others: int = 0  # entries that are no image functions


@dataclass(frozen=True)
class _Stored:
    pk: int
    digest: str
    last_modified: datetime
    configured: bool  # whether all of its configuration is known


def store_listed_versions(ids: Mapping[str, int], listing: Listing, gone: Collection[int], read_at: datetime) -> None:
    """Keep the versions of functions (name -> key), which are held; `gone` are those that were thought deleted."""
    wanted: dict[Key, VersionFact] = {}
    for name, function_id in ids.items():
        for fact in (listing.functions[name].latest, *listing.versions.get(name, ())):
            wanted[function_id, fact.number] = fact
    columns = ("function_id", "number", "pk", "digest", "last_modified", "configured")
    all_told = Q(configuration__isnull=False) & ~Q(configuration__has_key="unread")
    known_rows = Version.objects.filter(function_id__in=ids.values()).annotate(configured=all_told)
    rows = known_rows.values_list(*columns).iterator()
    stored = {(function_id, number): _Stored(*facts) for function_id, number, *facts in rows}
    names = {function_id: name for name, function_id in ids.items()}
    kept = {key for key in stored if key not in wanted and listing.odd.keeps(names[key[0]], key[1])}
    others = _others(names, stored, wanted, kept, gone)
    _end_histories(others, read_at)
    news = [
        _version_row(function_id, fact)
        for (function_id, number), fact in wanted.items()
        if function_id in others or (known := stored.get((function_id, number))) is None or known.digest != fact.digest
    ]
    for fresh in chunks(news):
        Version.objects.bulk_create(
            fresh,
            update_conflicts=True,
            unique_fields=["function", "number"],
            # What ran before is forgotten with its digest: its own state and URI, and its image, are found anew.
            update_fields=["digest", "description", "last_modified", "configuration", "image", "deployed_tag", *OWN],
        )
    _renew_latest(stored, wanted)
    _configure(stored, wanted)
    vanished = [each.pk for key, each in stored.items() if key not in wanted and key not in kept]
    for keys in chunks(vanished):
        Version.objects.filter(pk__in=keys).delete()


def _others(
    ids: Iterable[int],
    stored: Mapping[Key, _Stored],
    wanted: Mapping[Key, VersionFact],
    kept: Collection[Key],
    gone: Collection[int],
) -> frozenset[int]:
    """Functions (by key) that only have the name of one that was known; `kept` are versions that odd entries name."""
    before: dict[int, dict[str, tuple[datetime, str]]] = defaultdict(dict)
    now: dict[int, dict[str, tuple[datetime, str]]] = defaultdict(dict)
    for (function_id, number), known in stored.items():
        if number.isdecimal():
            before[function_id][number] = known.last_modified, known.digest
            if (function_id, number) in kept:
                now[function_id][number] = before[function_id][number]
    for (function_id, number), fact in wanted.items():
        if number.isdecimal():
            _, digest = before[function_id].get(number, (None, ""))
            now[function_id][number] = fact.last_modified, fact.digest or digest
    return frozenset(pk for pk in ids if is_another(before[pk], now[pk], was_gone=pk in gone))


def _end_histories(functions: Collection[int], read_at: datetime) -> None:
    """What aliases of this name pointed to before is nothing that these functions could go back to."""
    Alias.objects.filter(function__in=functions).delete()
    Function.objects.filter(pk__in=functions).update(histories_from=read_at, aliases_synced_at=None)


def _renew_latest(stored: Mapping[Key, _Stored], wanted: Mapping[Key, VersionFact]) -> None:
    """$LATEST, or its published twin, that was changed and runs the same image: state and tag are not known now."""
    changed = [
        (storable(fact.description, 300), fact.last_modified, fact.configuration.as_json(), None, known.pk)
        for key, fact in wanted.items()
        if not fact.number.isdecimal()
        and (known := stored.get(key))
        and known.digest == fact.digest
        and known.last_modified != fact.last_modified
    ]
    update_rows(Version, ["description", "last_modified", "configuration", "detailed_at"], changed)


def _configure(stored: Mapping[Key, _Stored], wanted: Mapping[Key, VersionFact]) -> None:
    """What an older Drydock did not keep, or AWS did not tell before; a published version's never changes."""
    rows = [
        (fact.configuration.as_json(), known.pk)
        for key, fact in wanted.items()
        if (known := stored.get(key)) and not known.configured
    ]
    update_rows(Version, ["configuration"], rows)


def _version_row(function_id: int, fact: VersionFact) -> Version:
    return Version(
        function_id=function_id,
        number=fact.number,
        ordinal={LATEST: 0, PUBLISHED_LATEST: -1}[fact.number] if fact.number.startswith("$") else int(fact.number),
        digest=fact.digest,
        description=storable(fact.description, 300),
        last_modified=fact.last_modified,
        configuration=fact.configuration.as_json(),
    )
