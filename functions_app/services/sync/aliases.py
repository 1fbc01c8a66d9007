"""Aliases, and the history of where each pointed: a moved alias shows in no listing, so they are read one by one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from functions_app import eventlog
from functions_app.domain.changes.alias_moves import versions_put
from functions_app.domain.events import EventKind
from functions_app.domain.fleet.functions import AliasFact
from functions_app.domain.fleet.parts import Part
from functions_app.domain.text import storable
from functions_app.models import Alias, AliasMove, Event, Function, Run
from functions_app.services.snapshot.bulk_updates import update_rows
from functions_app.services.snapshot.listed_functions import lock_outdated
from functions_app.services.snapshot.missed_parts import store_read
from functions_app.services.snapshot.scope_reading import CHUNK

Aliases = tuple[datetime, Sequence[AliasFact]]  # when the reading began, and all aliases of the function


@transaction.atomic
def store_aliases(found: Mapping[int, Aliases], run: Run | None = None) -> int:
    """Keep the aliases of functions (by key), with every move since the last time; how many moved.

    A function whose aliases were read later by somebody else keeps those. `run`: who may have moved its own alias.
    """
    held = lock_outdated({pk: at for pk, (at, _) in found.items()}, "aliases_synced_at")
    read_at = {pk: found[pk][0] for pk in sorted(held)}
    stored = {(row.function_id, row.name): row for row in Alias.objects.filter(function_id__in=held)}
    wanted = {(pk, fact.name): fact for pk in read_at for fact in found[pk][1]}
    moves = [
        record_alias_move(owner, fact, read_at[owner], _mover(run, fact.name, fact.version))
        for (owner, name), fact in wanted.items()
        if (owner, name) not in stored or _route(stored[owner, name]) != _route(fact)
    ]
    moved = len(moves)
    gone = [row for key, row in stored.items() if key not in wanted]
    moves += [
        AliasMove(
            function_id=row.function_id, alias=row.name, version="", at=read_at[row.function_id],
            run=_mover(run, row.name, ""),
        )
        for row in gone
    ]  # fmt: skip
    AliasMove.objects.bulk_create(moves, batch_size=CHUNK)
    _tell_moves(moves, stored)
    Alias.objects.bulk_create(
        [_alias_row(owner, fact, read_at[owner]) for (owner, _), fact in wanted.items()],
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["function", "name"],
        update_fields=["description", "version", "second_version", "second_weight", "revision_id", "synced_at"],
    )
    Alias.objects.filter(pk__in=[row.pk for row in gone]).delete()
    update_rows(Function, ["aliases_synced_at"], [(at, pk) for pk, at in read_at.items()])
    store_read(Part.ALIASES, read_at)
    if run is not None:
        _claim(run, wanted)
    return moved + len(gone)


def _tell_moves(moves: Sequence[AliasMove], stored: Mapping[tuple[int, str], Alias]) -> None:
    """Tell of aliases that were known and point elsewhere, or are gone; one that is read first has not moved."""
    seen = [move for move in moves if (move.function_id, move.alias) in stored]
    if not seen:
        return
    functions = Function.objects.in_bulk({move.function_id for move in seen})
    eventlog.tell(*(_told(move, stored[move.function_id, move.alias], functions[move.function_id]) for move in seen))


def _told(move: AliasMove, before: Alias, function: Function) -> Event:
    name = f"{function.name}:{move.alias}"
    split = f" and, for {move.second_weight:.0%}, {move.second_version}" if move.second_version else ""
    moved = f"{name} points to {move.version}{split} now, to {before.version} before"
    text = moved if move.version else f"{name} is gone, it pointed to {before.version}"
    now = {name: getattr(move, name) for name in ("alias", "version", "second_version", "second_weight")}
    facts = {**now, "before": before.version, "read_at": move.at.isoformat()}
    return eventlog.event(EventKind.ALIAS_MOVED, text, arn=function.arn, run=move.run_id, **facts)


def _mover(run: Run | None, alias: str, version: str) -> Run | None:
    """The run, if the alias is its own and points where the run may have put it; others move aliases meanwhile."""
    if run is None or version not in versions_put(run.plan, run.memory.get("version"), alias):
        return None
    return run


def _claim(run: Run, wanted: Mapping[tuple[int, str], AliasFact]) -> None:
    """A sync may have seen the run's move before the run told of it: its line in the history gets the run."""
    for (owner, name), fact in wanted.items():
        if _mover(run, name, fact.version) is None:
            continue
        since = run.started_at or run.created_at
        last = AliasMove.objects.filter(function_id=owner, alias=name, at__gte=since).first()
        if last and last.run_id is None and _route(last) == _route(fact):
            AliasMove.objects.filter(pk=last.pk).update(run=run)


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


def _route(alias: Alias | AliasMove | AliasFact) -> tuple[str, str, float]:
    return alias.version, alias.second_version, alias.second_weight


def _alias_row(owner: int, fact: AliasFact, read_at: datetime) -> Alias:
    return Alias(
        function_id=owner,
        name=fact.name,
        description=storable(fact.description, 300),
        version=fact.version,
        second_version=fact.second_version,
        second_weight=fact.second_weight,
        revision_id=fact.revision_id,
        synced_at=read_at,
    )
