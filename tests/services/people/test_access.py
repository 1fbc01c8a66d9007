"""Who may do what: what the person may, as far as what they came through may it as well."""

import pytest
from django.contrib.auth.models import Group, User

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.tokens import TokenScope
from functions_app.models import AuditEntry
from functions_app.services.people import access
from functions_app.services.people.actor import SCHEDULE, SHELL, Actor

pytestmark = pytest.mark.django_db
READ, APPROVE = frozenset({TokenScope.READ}), frozenset({TokenScope.APPROVE})


def member(*groups: str) -> Actor:
    """Somebody in these groups."""
    person = User.objects.create_user("nils")
    person.groups.set(Group.objects.get_or_create(name=group)[0] for group in groups)
    return Actor(person)


@pytest.mark.parametrize(
    ("groups", "changes", "approves"),
    [
        ((), False, False),
        (("viewer",), False, False),
        (("operator",), True, False),
        (("operator", "approver"), True, True),
        (("approver",), False, False),
    ],
)
def test_an_approver_is_an_operator_who_may_also_confirm(
    groups: tuple[str, ...], changes: bool, approves: bool
) -> None:
    actor = member(*groups)
    assert (access.is_operator(actor), access.is_approver(actor)) == (changes, approves)


@pytest.mark.parametrize(
    ("scopes", "changes", "approves"),
    [
        (frozenset(TokenScope), True, True),
        (READ, False, False),
        (APPROVE, False, True),
        (READ | APPROVE, False, True),
        (frozenset({TokenScope.DEPLOY_NONPROD}), True, False),
        (frozenset(), False, False),
    ],
)
def test_a_superuser_may_through_a_token_what_the_token_may(
    superuser: User, scopes: frozenset[TokenScope], changes: bool, approves: bool
) -> None:
    actor = Actor(superuser, "token ci", scopes)
    assert (access.is_operator(actor), access.is_approver(actor)) == (changes, approves)


def test_a_token_gives_nobody_what_the_person_may_not(viewer: Actor) -> None:
    actor = Actor(viewer.person, "token ci", frozenset(TokenScope))
    assert (access.is_operator(actor), access.is_approver(actor)) == (False, False)


@pytest.mark.parametrize("actor", [SCHEDULE, Actor(None), Actor(None, SHELL, named="root"), Actor(None, "run 5")])
def test_who_is_no_person_is_no_operator(actor: Actor) -> None:
    assert (access.is_operator(actor), access.is_approver(actor)) == (False, False)


def test_a_superuser_who_is_shut_out_may_nothing(superuser: User) -> None:
    superuser.is_active = False
    assert (access.is_operator(Actor(superuser)), access.is_approver(Actor(superuser))) == (False, False)


def test_a_refused_attempt_names_the_person_and_what_they_came_through(superuser: User) -> None:
    with pytest.raises(DrydockError) as caught:
        access.require_operator(Actor(superuser, "token ci", READ), "stream.add", "python:3.12")
    assert caught.value.problem.code is Code.DENIED
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.via, entry.action) == (superuser, "token ci", "stream.add")
    assert entry.result == "refused: made to look alone"


def test_only_a_token_is_told_what_an_administrators_token_needs(viewer: Actor, superuser: User) -> None:
    steps = []
    for actor in (viewer, Actor(superuser, "token ci", READ)):
        with pytest.raises(DrydockError) as caught:
            access.require_administrator(actor, "Only administrators settle this.")
        steps.append(caught.value.problem.next_step)
    assert steps[0] == "Ask an administrator."
    assert "scope admin" in steps[1]
