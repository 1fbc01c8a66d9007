"""Functions that somebody chose: frozen at that moment, and theirs alone for a day."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.selections import KEPT, LIFE, MOST, too_many
from functions_app.domain.tokens import TokenScope
from functions_app.models import Selection
from functions_app.services.people import access
from functions_app.services.people.actor import Actor


def freeze(functions: Sequence[int], actor: Actor) -> Selection:
    """Keep these functions in this order, and of one's own selections the newest `KEPT`. Raises INVALID for none, and
    for more than `MOST`; DENIED through what may not read.
    """
    try:
        access.require_scopes(actor, {TokenScope.READ})
    except DrydockError as error:
        access.audit(actor, "selection.make", "functions", None, f"refused: {error}")
        raise
    if not functions:
        raise DrydockError(
            Code.INVALID, "No function was selected.", next_step="Tick some, or select all that the filter finds."
        )
    if why := too_many(len(functions), MOST, "A selection"):
        raise DrydockError(Code.INVALID, why, next_step="Filter for fewer.")
    if actor.person is None:
        raise DrydockError(Code.DENIED, "Only a person, or a bot of theirs, selects functions.")
    now = clock.now()
    own = Selection.objects.filter(person=actor.person)
    with transaction.atomic():
        made = own.create(person=actor.person, made_at=now, expires_at=now + LIFE, functions=[*functions])
        own.filter(pk__in=[*own.order_by("-made_at").values_list("pk", flat=True)[KEPT:]]).delete()
    return made


def load(selection_id: UUID, actor: Actor, action: str = "") -> Selection:
    """One's own selection. Raises NOT_FOUND for one that is over; DENIED for another's, which with an action is in the
    audit table.
    """
    found = Selection.objects.filter(pk=selection_id, expires_at__gt=clock.now()).first()
    if found is None:
        raise DrydockError(
            Code.NOT_FOUND,
            f"There is no such selection; one's newest {KEPT} are kept, for a day.",
            next_step="Select the functions again.",
        )
    if actor.person is None or found.person_id != actor.person.pk:
        if action:
            access.audit(actor, action, f"selection {selection_id}", None, "refused: somebody else's")
        raise DrydockError(
            Code.DENIED, "Somebody else selected these functions.", next_step="Select them in the list yourself."
        )
    return found
