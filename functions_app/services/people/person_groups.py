"""What a person may do: administrator, approver, operator, viewer, or none; settled by whoever may, and audited."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import Group, User
from django.db import transaction

from functions_app.domain.errors import Code, DrydockError
from functions_app.services.people import access, sessions
from functions_app.services.people.actor import Actor
from functions_app.services.people.people_list import ADMINISTRATOR, NONE

# An approver is an operator who may also confirm; an administrator is Django's superuser, who is in every group.
GROUPS: Mapping[str, Sequence[str]] = {
    ADMINISTRATOR: (),
    access.APPROVER: (access.OPERATOR, access.APPROVER),
    access.OPERATOR: (access.OPERATOR,),
    access.VIEWER: (access.VIEWER,),
    NONE: (),
}
ACTION = "person.change"


def settle(person: User, group: str, actor: Actor) -> str:
    """Have a person be this and nothing else, whatever they were before; what they are now, in words.

    Who is shut out (none) loses their sessions at once.
    """
    with transaction.atomic():
        person.is_active = group != NONE
        person.is_superuser = person.is_staff = group == ADMINISTRATOR
        person.save(update_fields=["is_active", "is_superuser", "is_staff"])
        person.user_permissions.clear()
        person.groups.set(Group.objects.get_or_create(name=each)[0] for each in GROUPS[group])
        if group == NONE:
            sessions.drop_all(person)  # or an old cookie would be good again once they may sign in again
        result = "may not sign in" if group == NONE else f"is {group} and nothing else"
        access.audit(actor, ACTION, person.get_username(), {"group": group}, result)
    return result


def hold_administrators() -> None:
    """Hold the rows of all administrators to the end of the transaction, before any other row of a person.

    Two of them who shut each other out at the same moment would both find the other one left.
    """
    list(User.objects.filter(is_superuser=True).order_by("pk").select_for_update())


def require_another_administrator(person: User, group: str) -> None:
    """Raise PREFLIGHT where nobody would be left who may settle anything: the server's command alone could then."""
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
    if person.is_superuser and group != ADMINISTRATOR and not others.exists():
        raise DrydockError(
            Code.PREFLIGHT,
            f"{person.get_username()} is the only administrator.",
            next_step="Make somebody else one before.",
        )
