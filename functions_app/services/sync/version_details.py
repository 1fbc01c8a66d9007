"""What a version really is: GetFunction with the version as qualifier tells its own state, last update and image URI.

Code and URI of a published version never change; its state does. So the versions that aliases and weights name are read
once as soon as they are known, those that are not settled or that a run works on at each sync, the others in turn.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from functions_app.domain.errors import Problem
from functions_app.domain.fleet.functions import LATEST, FunctionDetail
from functions_app.domain.fleet.parts import Part
from functions_app.domain.refs import repository_of
from functions_app.domain.runs import ACTIVE
from functions_app.domain.text import storable
from functions_app.models import Function, Run, Version
from functions_app.services.snapshot.bulk_updates import lock_rows, update_rows
from functions_app.services.snapshot.listed_functions import is_outdated
from functions_app.services.snapshot.live_versions import live_versions

BUDGET = 300  # versions whose state a scheduled sync reads again without a reason, those read longest ago first
SETTLED = ("Active", "Successful")
OWN = (
    "image_uri", "state", "state_reason", "state_reason_code", "last_update_status", "last_update_reason",
    "last_update_reason_code", "detailed_at", "detail_problem",
)  # fmt: skip

Due = tuple[int, int, str, str]  # keys of version and function, the function's name, the version's number


def due(functions: QuerySet[Function], *, full: bool) -> list[Due]:
    """Versions of these functions that must be read: all that are named where `full`, else those of which nothing is
    known yet, those that are not settled, and those of a function that a run works on.
    """
    wanted = _named(functions)
    if not full:
        under_way = Exists(Run.objects.filter(function=OuterRef("function"), status__in=sorted(ACTIVE)))
        state, update = SETTLED
        settled = Q(detailed_at__isnull=False, state=state, last_update_status__in=(update, ""))
        wanted = wanted.filter(~settled | under_way)
    return list(_due(wanted.order_by("ordinal", "pk")))


def oldest(functions: QuerySet[Function]) -> list[Due]:
    """Versions whose state was read longest ago, as many as the budget allows."""
    read = _named(functions).filter(detailed_at__isnull=False)
    return list(_due(read.order_by("detailed_at", "pk"))[:BUDGET])


def _named(functions: QuerySet[Function]) -> QuerySet[Version]:
    """What calls reach beside $LATEST: above all versions that an alias or its weight names."""
    return live_versions().filter(function__in=functions).exclude(number=LATEST)


def _due(versions: QuerySet[Version]) -> QuerySet[Version, Due]:
    return versions.values_list("pk", "function_id", "function__name", "number")


@transaction.atomic
def store_versions(details: Mapping[int, tuple[datetime, FunctionDetail]], owners: Collection[int]) -> None:
    """Keep what was told of versions (by key) of these functions, unless something newer is known or they are others.

    The functions are held first, as whoever writes versions does.
    """
    lock_rows(Function.objects.filter(pk__in=owners))
    rows = Version.objects.filter(pk__in=details).order_by("pk").values_list("pk", "digest", "detailed_at")
    store_own(
        {
            pk: own_values(*details[pk])
            for pk, digest, known in rows
            if digest == details[pk][1].fact.latest.digest and is_outdated(known, details[pk][0])
        }
    )


def store_problems(problems: Mapping[int, Problem]) -> None:
    """Keep why these versions (by key) could not be read: what was known of them stays, with its age."""
    update_rows(Version, ["detail_problem"], [(problems[pk].as_json(), pk) for pk in sorted(problems)])


def own_values(read_at: datetime, detail: FunctionDetail) -> Sequence[Any]:
    """The columns OWN of a version."""
    return (
        storable(detail.image_uri, 600),
        storable(detail.state, 20),
        storable(detail.state_reason, 500),
        storable(detail.state_reason_code, 60),
        storable(detail.last_update_status, 20),
        storable(detail.last_update_reason, 500),
        storable(detail.last_update_reason_code, 60),
        read_at,
        problem.as_json() if (problem := detail.unread.get(Part.IMAGE_URI)) else None,
    )


def store_own(values: Mapping[int, Sequence[Any]]) -> None:
    """Write the columns OWN of versions, whose functions are held. One whose image is in another repository than was
    taken for its own loses that image: it is linked anew. A URI that AWS does not tell this time stays as it was.
    """
    told = dict(Version.objects.filter(pk__in=[pk for pk, own in values.items() if not own[0]]).values_list(
        "pk", "image_uri"
    ))  # fmt: skip
    values = {pk: (own[0] or told.get(pk, ""), *own[1:]) for pk, own in values.items()}
    update_rows(Version, OWN, [(*values[pk], pk) for pk in sorted(values)])
    linked = Version.objects.filter(pk__in=values, image__isnull=False).exclude(image_uri="")
    wrong = [
        pk
        for pk, uri, repository in linked.order_by("pk").values_list("pk", "image_uri", "image__repository__uri")
        if repository_of(uri) != repository
    ]
    Version.objects.filter(pk__in=wrong).update(image=None)
