"""Who may do what, and the record of who did: viewers look, operators change, the audit table remembers both."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import redact_value
from functions_app.domain.text import storable
from functions_app.models import AuditEntry, Run

VIEWER = "viewer"
OPERATOR = "operator"
SCHEDULE = "schedule"  # the actor's name where beat is the actor


def is_operator(user: User | AnonymousUser) -> bool:
    """Whether this person may change things: a superuser or a member of the operators. One query, once per object."""
    known: bool | None = getattr(user, "_drydock_operator", None)
    if known is None:
        known = user.is_active and (user.is_superuser or user.groups.filter(name=OPERATOR).exists())
        user._drydock_operator = known  # type: ignore[union-attr]
    return known


def require_operator(user: User | AnonymousUser, action: str = "", target: str = "") -> None:
    """Raise DENIED for everybody who may only look; with an action, the refused attempt is in the audit table."""
    if not is_operator(user):
        if action:
            audit(user, action, target, None, "refused: not an operator")
        raise DrydockError(
            Code.DENIED,
            "Only operators may do this; you may look at everything.",
            next_step=f"Ask an administrator to add you to the group “{OPERATOR}”.",
        )


def audit(
    actor: User | AnonymousUser | None,
    action: str,
    target: str,
    plan: dict[str, Any] | None,
    result: str,
    run: Run | None = None,
    actor_name: str = "",
) -> AuditEntry:
    """Add one entry: a change, or a refused attempt at one. `plan` is redacted; no actor means the schedule."""
    person = actor if isinstance(actor, User) else None
    return AuditEntry.objects.create(
        at=clock.now(),
        actor=person,
        actor_name=person.get_username() if person else actor_name or SCHEDULE,
        action=action,
        target=storable(target, 400),
        plan=redact_value(plan or {}),
        result=storable(result, 300),
        run=run,
    )
