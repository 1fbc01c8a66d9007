"""What only GetFunction tells of $LATEST: state, tags and the image's URI, of what changed and what is oldest."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from functions_app.domain.errors import Problem
from functions_app.domain.fleet.functions import LATEST, FunctionDetail, FunctionFact
from functions_app.domain.fleet.parts import DETAILED, LISTED, Part
from functions_app.domain.text import storable
from functions_app.models import Function, Version
from functions_app.services.snapshot.bulk_updates import update_rows
from functions_app.services.snapshot.listed_functions import FACT, function_values, lock_outdated
from functions_app.services.snapshot.missed_parts import LISTED_COLUMNS, known_before, store_read, store_within
from functions_app.services.sync.version_details import SETTLED, own_values, store_own

BUDGET = 300  # functions that a scheduled sync reads again without a reason, those read longest ago first
DETAIL = ("image_uri", "tags", "detailed_revision", "detailed_at")

Detail = tuple[datetime, FunctionDetail]  # when the reading began, and what it told


def oldest(before: Mapping[str, Function]) -> Collection[str]:
    """Names of the functions whose details were read longest ago: a state moves on without a new revision (idle ones
    become Inactive, a deleted image shows in no listing).
    """
    read = sorted((row.detailed_at, name) for name, row in before.items() if row.detailed_at and row.gone_at is None)
    return frozenset(name for _, name in read[:BUDGET])


def is_due(row: Function | None, fact: FunctionFact, state: tuple[str, str] | None) -> bool:
    """Whether a function is new, changed or not settled; `state` and last update are those known of its $LATEST."""
    if row is None or row.detailed_at is None or row.gone_at is not None:
        return True
    return row.detailed_revision != fact.latest.revision_id or state != SETTLED


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
    _store_own({pk: details[pk] for pk in held})


def _within(detail: Detail, parts: Collection[Part]) -> tuple[datetime, Mapping[Part, Problem]]:
    read_at, told = detail
    return read_at, {part: problem for part, problem in told.unread.items() if part in parts}


def _values(read_at: datetime, detail: FunctionDetail) -> Sequence[object]:
    return storable(detail.image_uri, 600), dict(detail.tags), detail.fact.latest.revision_id, read_at


def _store_latest(details: Mapping[int, FunctionDetail]) -> None:
    own = Version.objects.filter(function_id__in=details, number=LATEST).values_list("pk", "function_id")
    configured = [(details[owner].fact.latest.configuration.as_json(), pk) for pk, owner in own]
    update_rows(Version, ["configuration"], configured)
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


def _store_own(details: Mapping[int, Detail]) -> None:
    """State and URI of $LATEST, where the snapshot's $LATEST runs what the detail tells of."""
    rows = Version.objects.filter(function_id__in=details, number=LATEST).order_by("pk")
    store_own(
        {
            pk: own_values(*details[owner])
            for pk, owner, digest in rows.values_list("pk", "function_id", "digest")
            if digest == details[owner][1].fact.latest.digest
        }
    )
