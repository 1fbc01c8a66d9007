"""Who may do what, and the record of who did: viewers look, operators change, the audit table remembers both."""

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth.models import User

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import redact, redact_value
from functions_app.domain.text import storable
from functions_app.domain.tokens import CHANGING, Beside, TokenScope
from functions_app.models import AuditEntry, Function, Run
from functions_app.services.people.actor import BROWSER, Actor

VIEWER = "viewer"
OPERATOR = "operator"
APPROVER = "approver"
GROUPS = (VIEWER, OPERATOR, APPROVER)  # whoever is in none of them sees nothing


def belongs_here(actor: Actor) -> bool:
    """Whether they are anybody here: a superuser, or in a group. One query at most."""
    return any(_in_group(actor, group) for group in GROUPS)


def may_look(actor: Actor) -> bool:
    """Whether they may see anything at all, through what may. One query at most."""
    return TokenScope.READ in actor.scopes and belongs_here(actor)


def is_administrator(actor: Actor) -> bool:
    """Whether they settle accounts and people: a superuser, through what may, and gets everywhere."""
    return TokenScope.ADMIN in actor.scopes and actor.reach.everything and _is_superuser(actor)


def is_operator(actor: Actor) -> bool:
    """Whether they may change things: a superuser or a member of the operators, through what may. One query at most."""
    return bool(actor.scopes & CHANGING) and _in_group(actor, OPERATOR)


def is_approver(actor: Actor) -> bool:
    """Whether they may confirm what others have planned: a superuser, or an operator who is an approver, too."""
    return TokenScope.APPROVE in actor.scopes and _in_group(actor, OPERATOR) and _in_group(actor, APPROVER)


def _in_group(actor: Actor, group: str) -> bool:
    """A superuser is in every group. Asked once per person's object, or not at all: `backend` tells."""
    person = actor.person
    if person is None or not person.is_active or person.is_superuser:
        return _is_superuser(actor)
    if not hasattr(person, "_drydock_groups"):
        remember_groups(person, person.groups.values_list("name", flat=True))
    return group in person._drydock_groups  # type: ignore[attr-defined]


def remember_groups(person: User, groups: Iterable[str]) -> None:
    """Have nobody ask for this person's groups again."""
    person._drydock_groups = frozenset(groups)  # type: ignore[attr-defined]


def _is_superuser(actor: Actor) -> bool:
    return actor.person is not None and actor.person.is_active and actor.person.is_superuser


def usable_scopes(actor: Actor) -> frozenset[TokenScope]:
    """The scopes that would let a token of this person do something."""
    found = {TokenScope.READ}
    if _in_group(actor, OPERATOR):
        found |= CHANGING - {TokenScope.ADMIN}
    if is_approver(actor):
        found.add(TokenScope.APPROVE)
    if _is_superuser(actor):
        found.add(TokenScope.ADMIN)
    return frozenset(found)


def administrators(most: int) -> list[str]:
    """The names of people who may give others a group; so many at most."""
    found = User.objects.filter(is_superuser=True, is_active=True).order_by("username")
    return list(found.values_list("username", flat=True)[:most])


def require_administrator(actor: Actor, words: str, action: str = "", target: str = "") -> None:
    """Raise DENIED, in these words, for everybody else; with an action, the refused attempt is in the audit table."""
    if not is_administrator(actor):
        if action:
            audit(actor, action, target, None, "refused: not an administrator")
        raise DrydockError(
            Code.DENIED,
            words,
            next_step="Ask an administrator."
            if actor.via == BROWSER
            else "It takes a token of an administrator (a superuser), with the scope admin and no limits.",
        )


def require_operator(actor: Actor, action: str = "", target: str = "") -> None:
    """Raise DENIED for everybody who may only look; with an action, the refused attempt is in the audit table."""
    if not is_operator(actor):
        looking = _in_group(actor, OPERATOR)  # then it is what they came through that may not
        if action:
            audit(actor, action, target, None, f"refused: {'made to look alone' if looking else 'not an operator'}")
        if looking:
            raise DrydockError(
                Code.DENIED,
                f"This {actor.via.partition(' ')[0]} was made to look alone; its owner may do this.",
                next_step="Make one with the scope for it, under Settings, Tokens.",
            )
        raise DrydockError(
            Code.DENIED,
            "Only operators may do this; you may look at everything.",
            next_step=f"Ask an administrator to add you to the group “{OPERATOR}”.",
        )


def require_operator_with(actor: Actor, wanted: Collection[TokenScope], action: str, target: str) -> None:
    """The same, through what was made for all of these scopes; an operator is told first which of them it lacks."""
    if not _in_group(actor, OPERATOR):
        require_operator(actor, action, target)
    try:
        require_scopes(actor, wanted)
    except DrydockError as error:
        audit(actor, action, target, None, f"refused: {error}")
        raise
    require_operator(actor, action, target)


def require_setter(actor: Actor, action: str, target: str) -> None:
    """Raise DENIED for who may not settle how all functions are judged: operators, through the scope `admin`.

    Raises NOT_FOUND where what they came through gets to some functions alone.
    """
    require_operator_with(actor, {TokenScope.ADMIN}, action, target)
    require_reach(actor, None)


def require_scopes(actor: Actor, wanted: Collection[TokenScope]) -> None:
    """Raise DENIED where what they came through was not made for all of it; a person in the browser has every scope."""
    if missing := sorted(set(wanted) - actor.scopes):
        raise DrydockError(
            Code.DENIED,
            f"This {actor.via.partition(' ')[0]} was not made for it: it lacks the scope {' and '.join(missing)}.",
            next_step="Make one with that scope, if its owner is to do this.",
        )


def require_reach(actor: Actor, function: Function | None) -> None:
    """Raise NOT_FOUND for a function that what they came through does not get to: it is told that there is none."""
    if function is None:
        reached = actor.reach.everything
    else:
        reached = actor.reach.covers(function.account.account_id, function.name)
    if not reached:
        raise DrydockError(Code.NOT_FOUND, "There is no such function here.", next_step="Look for it in the list.")


def require_beside(actor: Actor, beside: Iterable[Beside]) -> None:
    """Raise DENIED where a change would change more than what they came through gets to, naming the first of it."""
    for one in beside:
        if not one.is_within(actor.reach):
            there = actor.reach.covers_account(one.account_id)
            why = f"does not get to the account {one.account_id} that it is in"
            raise DrydockError(
                Code.DENIED,
                f"This changes {one.what} too, and this {actor.via.partition(' ')[0]} "
                f"{'was made for some functions alone' if there else why}.",
                next_step="Have somebody do it who gets to that as well.",
            )


def require_approver(actor: Actor) -> None:
    """Raise DENIED for everybody who may not confirm what others have planned."""
    if not is_approver(actor):
        raise DrydockError(
            Code.DENIED,
            "This needs an approver; you may look at it.",
            next_step=f"Ask somebody in the group “{APPROVER}”.",
        )


def audit(
    actor: Actor, action: str, target: str, plan: dict[str, Any] | None, result: str, run: Run | None = None
) -> AuditEntry:
    """Add one entry: a change, or a refused attempt at one. What it tells is redacted."""
    return AuditEntry.objects.create(
        at=clock.now(),
        actor=actor.person,
        actor_name=actor.name,
        via=actor.via,
        action=action,
        target=storable(redact(target), 400),
        plan=redact_value(plan or {}),
        result=storable(redact(result), 300),
        run=run,
    )
