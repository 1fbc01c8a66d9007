"""Who may sign in, and what they may."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Max

from functions_app.domain.errors import Code, DrydockError
from functions_app.services.people.access import APPROVER, OPERATOR, VIEWER, audit, is_administrator
from functions_app.services.people.actor import Actor

ADMINISTRATOR, NONE = "administrator", "none"


@dataclass(frozen=True)
class PersonRow:
    """Somebody who may sign in; `group` is the highest of theirs."""

    name: str
    group: str
    last_seen: datetime | None


def require_administrator(actor: Actor, action: str = "", target: str = "") -> None:
    """Raise DENIED for everybody else; with an action, the refused attempt is in the audit table."""
    if not is_administrator(actor):
        if action:
            audit(actor, action, target, None, "refused: not an administrator")
        raise DrydockError(
            Code.DENIED,
            "Only administrators see and settle who may sign in here.",
            next_step="Ask one, or use a token of one with the scope admin.",
        )


def everybody() -> list[PersonRow]:
    """Everybody who may sign in, by name. Two queries."""
    people = User.objects.filter(is_active=True).annotate(seen=Max("sessions__seen")).order_by("username")
    return [PersonRow(person.username, group_of(person), person.seen) for person in people.prefetch_related("groups")]


def group_of(person: User) -> str:
    """What somebody is: the highest of their groups, NONE where they may not sign in."""
    if not person.is_active:
        return NONE
    if person.is_superuser:
        return ADMINISTRATOR
    held = {group.name for group in person.groups.all()}
    return next((name for name in (APPROVER, OPERATOR, VIEWER) if name in held), NONE)
