"""Keep which parts of a function the last attempt did not get, until one does; the rest of the snapshot stays."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, cast

from django.db import transaction

from functions_app.domain.errors import Problem
from functions_app.domain.fleet.parts import Part, PartAge, ages
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


def _kept(tried_at: datetime, problem: Problem) -> dict[str, object]:
    return {"tried_at": tried_at.isoformat(), "problem": problem.as_json()}
