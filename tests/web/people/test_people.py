"""Settings, People: who may sign in, what acts for them, and what administrators make of them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.models import AuditEntry, BrowserSession, ChatLink
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.people_list import group_of
from functions_app.services.people.tokens import Wanted
from tests.web.people.test_sessions import signed_in

pytestmark = pytest.mark.django_db
PAGE = "/settings/people/"


@pytest.fixture
def admin(superuser: User) -> Client:
    """The browser of an administrator."""
    return signed_in("sam")


def row_of(client: Client, name: str) -> str:
    """What the list says of somebody."""
    text = client.get(PAGE).content.decode()
    row = next(part for part in text.split("<tr data-row>") if f'aria-label="Change what {name} may"' in part)
    return " ".join(strip_tags(row.partition("<form")[0]).split())


def become(client: Client, name: str, group: str, was: str = "") -> int:
    """Have somebody be this; the status of the answer."""
    form = {"group": group, **({"was": was} if was else {})}
    return client.post(f"{PAGE}{name}/", form).status_code


def now(name: str) -> str:
    return group_of(User.objects.get(username=name))


def test_everybody_is_listed_with_what_they_may_and_what_acts_for_them(admin: Client, operator: User) -> None:
    token = tokens.make(Wanted("ci", ["read"]), Actor(operator)).row
    ChatLink.objects.create(token=token, chat_user="U1", person=operator, since=clock.now())
    User.objects.create_user("nina", is_active=False)
    said = row_of(admin, "olga")
    assert said.startswith("olga operator never never")
    assert said.endswith("1 token 1 chat user")
    assert row_of(admin, "sam").startswith("sam you administrator")
    assert "may not sign in" in row_of(admin, "nina")


def test_the_list_costs_as_many_queries_however_many_people(
    admin: Client, viewer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    admin.get(PAGE)
    for number in range(20):
        User.objects.create_user(f"person-{number}")
    with django_assert_num_queries(6):
        admin.get(PAGE)


def test_an_administrator_makes_somebody_an_operator_which_the_audit_tells(admin: Client, viewer: User) -> None:
    assert become(admin, "vera", "operator", was="viewer") == 302
    assert now("vera") == "operator"
    entry = AuditEntry.objects.get(action="person.change")
    assert (entry.actor_name, entry.target, entry.plan) == ("sam", "vera", {"group": "operator"})


def test_who_may_not_sign_in_any_more_is_signed_out_at_once_and_may_be_let_in_again(
    admin: Client, viewer: User
) -> None:
    signed_in("vera")
    become(admin, "vera", "none", was="viewer")
    assert not BrowserSession.objects.filter(person=viewer).exists()
    assert now("vera") == "none"
    become(admin, "vera", "viewer", was="none")
    assert now("vera") == "viewer"


def test_the_only_administrator_stays_one(admin: Client) -> None:
    answer = admin.post(f"{PAGE}sam/", {"group": "viewer"})
    assert answer.status_code == 422
    assert "sam is the only administrator" in answer.content.decode()
    assert now("sam") == "administrator"


def test_what_somebody_else_changed_meanwhile_is_not_changed_back(admin: Client, viewer: User) -> None:
    become(admin, "vera", "operator", was="viewer")
    assert become(admin, "vera", "none", was="viewer") == 412
    assert now("vera") == "operator"


def test_a_group_that_does_not_exist_is_refused(admin: Client, viewer: User) -> None:
    assert become(admin, "vera", "root") == 400
    assert now("vera") == "viewer"


@pytest.mark.parametrize("name", ["viewer", "operator", "approver"])
def test_nobody_else_sees_or_changes_people(request: pytest.FixtureRequest, superuser: User, name: str) -> None:
    person: User = request.getfixturevalue(name)
    client = signed_in(person.username)
    assert client.get(PAGE).status_code == 403
    assert become(client, person.username, "administrator") == 403
    assert now(person.username) == name
    assert AuditEntry.objects.filter(action="person.change", result__startswith="refused").exists()
