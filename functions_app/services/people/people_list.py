"""Who may sign in, and what they may."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Count, Max

from functions_app import clock
from functions_app.models import ApiToken
from functions_app.services.people import access
from functions_app.services.people.access import APPROVER, OPERATOR, VIEWER
from functions_app.services.people.actor import Actor

ADMINISTRATOR, NONE = "administrator", "none"


@dataclass(frozen=True)
class PersonRow:
    """Somebody with an account; `group` is the highest of theirs, NONE where they may not sign in.

    What acts for them beside: tokens that are in use, and chat users that are linked.
    """

    name: str
    group: str
    last_seen: datetime | None
    signed_in: datetime | None = None
    tokens: int = 0
    chat_users: int = 0


def require_administrator(actor: Actor, action: str = "", target: str = "") -> None:
    """Raise DENIED for everybody else; with an action, the refused attempt is in the audit table."""
    access.require_administrator(actor, "Only administrators see and settle who may sign in here.", action, target)


def everybody() -> list[PersonRow]:
    """Everybody who may sign in, by name. Two queries."""
    people = User.objects.filter(is_active=True).annotate(seen=Max("sessions__seen")).order_by("username")
    return [PersonRow(person.username, group_of(person), person.seen) for person in people.prefetch_related("groups")]


def with_what_acts_for_them() -> list[PersonRow]:
    """Everybody with an account, who may sign in or not, and what acts for them; those who may first. Three queries."""
    people = User.objects.annotate(seen=Max("sessions__seen"), linked=Count("chat_links", distinct=True)).order_by(
        "-is_active", "username"
    )
    living = ApiToken.objects.filter(revoked_at=None, expires_at__gt=clock.now())
    tokens = dict(living.order_by().values_list("person").annotate(number=Count("*")))
    return [
        PersonRow(
            person.username, group_of(person), person.seen, person.last_login, tokens.get(person.pk, 0), person.linked
        )
        for person in people.prefetch_related("groups")
    ]


def group_of(person: User) -> str:
    """What somebody is: the highest of their groups, NONE where they may not sign in."""
    if not person.is_active:
        return NONE
    if person.is_superuser:
        return ADMINISTRATOR
    held = {group.name for group in person.groups.all()}
    return next((name for name in (APPROVER, OPERATOR, VIEWER) if name in held), NONE)
