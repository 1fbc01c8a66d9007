"""Who may sign in, and what they may."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Max

from functions_app.domain.errors import Code, DrydockError
from functions_app.services.people.access import APPROVER, OPERATOR, VIEWER, is_administrator
from functions_app.services.people.actor import Actor

ADMINISTRATOR, NONE = "administrator", "none"


@dataclass(frozen=True)
class PersonRow:
    """Somebody who may sign in; `group` is the highest of theirs."""

    name: str
    group: str
    last_seen: datetime | None


def require_administrator(actor: Actor) -> None:
    """Raise DENIED for everybody else."""
    if not is_administrator(actor):
        raise DrydockError(
            Code.DENIED,
            "Only administrators see who may sign in here.",
            next_step="Ask one, or use a token of one with the scope admin.",
        )


def everybody() -> list[PersonRow]:
    """Everybody who may sign in, by name. Two queries."""
    people = User.objects.filter(is_active=True).annotate(seen=Max("sessions__seen")).order_by("username")
    return [PersonRow(person.username, _group(person), person.seen) for person in people.prefetch_related("groups")]


def _group(person: User) -> str:
    if person.is_superuser:
        return ADMINISTRATOR
    held = {group.name for group in person.groups.all()}
    return next((name for name in (APPROVER, OPERATOR, VIEWER) if name in held), NONE)
