"""Keep which parts of a function the last attempt did not get, until one does; the rest of the snapshot stays."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, cast

from django.db import transaction
from django.db.models import Q

from functions_app.domain.errors import Problem
from functions_app.domain.fleet.parts import LISTED, Part, PartAge, ages
from functions_app.models import Function
from functions_app.services.snapshot.bulk_updates import update_rows
from functions_app.services.snapshot.listed_functions import lock_outdated
from functions_app.services.snapshot.scope_reading import CHUNK, chunks

Column = Literal["synced_at", "detailed_at", "aliases_synced_at"]
COLUMN: Mapping[Part, Column] = {
    Part.SETTINGS: "synced_at",
    Part.DETAILS: "detailed_at",
    Part.ALIASES: "aliases_synced_at",
}

LISTED_COLUMNS: Mapping[Part, str] = {Part.ENVIRONMENT: "env_keys", Part.IMAGE_SETTINGS: "image_settings"}


def part_ages(function: Function) -> tuple[PartAge, ...]:
    """Each part of a function with its age and why the last attempt failed."""
    read = [(part, cast("datetime | None", getattr(function, column))) for part, column in COLUMN.items()]
    return ages(read, function.missed)


def store_read(part: Part, held: Collection[int]) -> None:
    """Forget the last failure of a part of these functions, which are locked (`lock_outdated`)."""
    failed = Function.objects.filter(pk__in=held, partly_read=True).values_list("pk", "missed")
    rows = [({name: kept for name, kept in missed.items() if name != part}, pk) for pk, missed in failed]
    update_rows(Function, ["missed"], [row for row, (_, missed) in zip(rows, failed, strict=True) if part in missed])


def store_missed(part: Part, failures: Mapping[int, tuple[datetime, Problem]]) -> None:
    """Keep why a part of these functions (by key) could not be read, unless it was read later by somebody else."""
    keys: Sequence[int] = sorted(failures)
    for some in chunks(keys, CHUNK):
        with transaction.atomic():
            held = lock_outdated({pk: failures[pk][0] for pk in some}, COLUMN[part])
            known = Function.objects.filter(pk__in=held).values_list("pk", "missed")
            rows = [({**missed, part.value: _kept(*failures[pk])}, True, pk) for pk, missed in known]
            update_rows(Function, ["missed", "partly_read"], rows)


def store_within(parts: Collection[Part], told: Mapping[int, tuple[datetime, Mapping[Part, Problem]]]) -> None:
    """Keep which of these parts AWS could not tell of functions (by key), which are locked, and forget the others.

    To be called before what was told is stored: until now is how long a part that is missing for the first time was
    known, and a function that was never read before has no such time.
    """
    failed = [pk for pk, (_, unread) in told.items() if unread]
    rows = Function.objects.filter(Q(pk__in=failed) | Q(partly_read=True), pk__in=told).order_by("pk")
    changed = []
    for pk, missed, *times in rows.values_list("pk", "missed", *COLUMN.values()):
        tried_at, unread = told[pk]
        known = dict(zip(COLUMN, times, strict=True))
        after = {name: kept for name, kept in missed.items() if name not in parts}
        for part in parts:
            if part in unread:
                at = known[Part.SETTINGS if part in LISTED else Part.DETAILS]
                known_at = at.isoformat() if at and at < tried_at else None
                since = missed[part].get("known_at") if part in missed else known_at
                after[part.value] = {**_kept(tried_at, unread[part]), "known_at": since}
        if after != missed:
            changed.append((after, True, pk))
    update_rows(Function, ["missed", "partly_read"], changed)


def known_before(
    values: Mapping[int, dict[str, Any]], unread: Mapping[int, Collection[Part]], columns: Mapping[Part, str]
) -> None:
    """Put what was known of parts that could not be told in the place of nothing, by the function's key."""
    missing = {pk for pk in values if set(columns) & set(unread.get(pk, ()))}
    for pk, *kept in Function.objects.filter(pk__in=missing).values_list("pk", *columns.values()):
        for part, value in zip(columns, kept, strict=True):
            if part in unread[pk]:
                values[pk][columns[part]] = value


def _kept(tried_at: datetime, problem: Problem) -> dict[str, object]:
    return {"tried_at": tried_at.isoformat(), "problem": problem.as_json()}
