"""What only GetFunction tells: states, tags and the image's URI, of what changed and of what was read longest ago."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from functions_app.aws import lambdas
from functions_app.domain.errors import Problem
from functions_app.domain.fleet.functions import LATEST, FunctionDetail, FunctionFact
from functions_app.domain.fleet.parts import DETAILED, LISTED, Part
from functions_app.domain.text import storable
from functions_app.models import Function, Version
from functions_app.services.snapshot.bulk_updates import update_rows
from functions_app.services.snapshot.listed_functions import FACT, function_values, lock_outdated
from functions_app.services.snapshot.missed_parts import (
    LISTED_COLUMNS,
    known_before,
    store_missed,
    store_read,
    store_within,
)
from functions_app.services.snapshot.reading_progress import FUNCTIONS
from functions_app.services.snapshot.scope_reading import CHUNK, Failures, ScopeRead, read_each

BUDGET = 300  # functions that a scheduled sync reads again without a reason, those read longest ago first
SETTLED = ("Active", "Successful")
DETAIL = (
    "image_uri", "state", "state_reason", "state_reason_code", "last_update_status", "last_update_reason",
    "last_update_reason_code", "tags", "detailed_revision", "detailed_at",
)  # fmt: skip

Detail = tuple[datetime, FunctionDetail]  # when the reading began, and what it told


def read_details(
    scope: ScopeRead, ids: Mapping[str, int], facts: Mapping[str, FunctionFact], before: Mapping[str, Function]
) -> None:
    """Read and store the details of these functions (name -> key), as far as they are due."""
    names = _due(scope, ids, facts, before)
    batch: dict[int, Detail] = {}
    failures: Failures = {}
    scope.progress.read(FUNCTIONS, len(facts) - len(names))  # what is not due is read as it is

    def read(name: str) -> FunctionDetail:
        return lambdas.get_function(scope.target, name)

    for name, read_at, detail in read_each(
        scope, "state and tags", read, names, failures, lambda: scope.progress.read(FUNCTIONS)
    ):
        batch[ids[name]] = read_at, detail
        if len(batch) == CHUNK:
            store_details(batch)
            batch = {}
    store_details(batch)
    store_missed(Part.DETAILS, {ids[name]: failure for name, failure in failures.items()})
    scope.counts["details"] = len(names)


def _due(
    scope: ScopeRead, ids: Mapping[str, int], facts: Mapping[str, FunctionFact], before: Mapping[str, Function]
) -> list[str]:
    """New, changed or not settled, then those read longest ago: a state moves on without a new revision (idle ones
    become Inactive, a deleted image shows in no listing). All, when a person asks.
    """
    due, rest = [], []
    for name in ids:
        row = before.get(name)
        if scope.full or row is None or row.detailed_at is None or not _settled(row, facts[name]):
            due.append(name)
        else:
            rest.append((row.detailed_at, name))
    return sorted(due) + [name for _, name in sorted(rest)[:BUDGET]]


def _settled(row: Function, fact: FunctionFact) -> bool:
    same = row.detailed_revision == fact.latest.revision_id
    return same and (row.state, row.last_update_status) == SETTLED


@transaction.atomic
def store_details(details: Mapping[int, Detail]) -> None:
    """Keep what GetFunction told, by the function's key, unless something newer is known.

    It may tell of a newer revision than the listing did, so the facts and $LATEST follow it.
    """
    read_at = {pk: at for pk, (at, _) in details.items()}
    held = sorted(lock_outdated(read_at, "detailed_at"))
    store_within(DETAILED, {pk: _within(details[pk], DETAILED) for pk in held})
    values = {pk: dict(zip(DETAIL, _values(*details[pk]), strict=True)) for pk in held}
    known_before(
        values,
        {pk: details[pk][1].unread.keys() for pk in held},
        {Part.IMAGE_URI: "image_uri", Part.TAGS: "tags"},
    )
    update_rows(Function, DETAIL, [[*(values[pk][name] for name in DETAIL), pk] for pk in held])
    store_read(Part.DETAILS, held)
    known = Function.objects.filter(pk__in=held).values_list("pk", "synced_at", "revision_id")
    newer = [
        pk for pk, at, revision in known if at <= read_at[pk] and revision != details[pk][1].fact.latest.revision_id
    ]
    store_within(LISTED, {pk: _within(details[pk], LISTED) for pk in newer})
    facts = {pk: function_values(details[pk][1].fact, read_at[pk]) for pk in newer}
    known_before(facts, {pk: details[pk][1].unread.keys() for pk in newer}, LISTED_COLUMNS)
    update_rows(Function, FACT, [[*(facts[pk][name] for name in FACT), pk] for pk in newer])
    _store_latest({pk: details[pk][1] for pk in newer})
    _store_uris({pk: details[pk][1] for pk in held if details[pk][1].image_uri})


def _within(detail: Detail, parts: Collection[Part]) -> tuple[datetime, Mapping[Part, Problem]]:
    read_at, told = detail
    return read_at, {part: problem for part, problem in told.unread.items() if part in parts}


def _values(read_at: datetime, detail: FunctionDetail) -> Sequence[object]:
    return (
        storable(detail.image_uri, 600),
        storable(detail.state, 20),
        storable(detail.state_reason, 500),
        storable(detail.state_reason_code, 60),
        storable(detail.last_update_status, 20),
        storable(detail.last_update_reason, 500),
        storable(detail.last_update_reason_code, 60),
        dict(detail.tags),
        detail.fact.latest.revision_id,
        read_at,
    )


def _store_latest(details: Mapping[int, FunctionDetail]) -> None:
    rows = Version.objects.filter(function_id__in=details, number=LATEST).values_list("pk", "function_id", "digest")
    latest = {
        pk: details[owner].fact.latest for pk, owner, digest in rows if digest != details[owner].fact.latest.digest
    }
    update_rows(
        Version,
        ["digest", "description", "last_modified", "image_uri", "image_id"],
        [
            (fact.digest, storable(fact.description, 300), fact.last_modified, "", None, pk)
            for pk, fact in latest.items()
        ],
    )


def _store_uris(details: Mapping[int, FunctionDetail]) -> None:
    """The URI of $LATEST, also for versions that have none yet: one with its digest was published from it."""
    rows = Version.objects.filter(function_id__in=details, image_uri="") | Version.objects.filter(
        function_id__in=details, number=LATEST
    )
    update_rows(
        Version,
        ["image_uri"],
        [
            (details[owner].image_uri, pk)
            for pk, owner, digest, uri in rows.values_list("pk", "function_id", "digest", "image_uri")
            if digest == details[owner].fact.latest.digest and uri != details[owner].image_uri
        ],
    )
