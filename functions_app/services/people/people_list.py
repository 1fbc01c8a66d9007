"""Who may sign in, and what they may."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Max

from functions_app.services.people import access
from functions_app.services.people.access import APPROVER, OPERATOR, VIEWER
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
    access.require_administrator(actor, "Only administrators see and settle who may sign in here.", action, target)


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
