"""`manage.py person`: what an administrator does in a shell is in the audit table as well."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from functions_app.management.commands import person
from functions_app.models import AuditEntry
from functions_app.services.people import access
from functions_app.services.people.actor import Actor

pytestmark = pytest.mark.django_db


def typed(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    """What is typed at the prompts: a terminal is what a test does not have."""
    waiting = list(answers)
    monkeypatch.setattr(person, "getpass", lambda prompt: waiting.pop(0))


def test_a_new_operator_may_sign_in_and_change_things(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "quay-winch-hawser", "quay-winch-hawser")
    call_command("person", "nils", "operator")
    assert Client().login(username="nils", password="quay-winch-hawser")
    assert access.is_operator(Actor(User.objects.get(username="nils")))
    assert AuditEntry.objects.get().action == "person.change"


def test_somebody_who_is_shut_out_loses_the_session_at_once(operator: Actor) -> None:
    client = Client()
    client.force_login(User.objects.get(username="olga"))
    assert client.get("/functions/").status_code == 200
    call_command("person", "olga", "none")
    assert client.get("/functions/").status_code == 302


def test_an_operator_who_becomes_a_viewer_may_only_look(operator: Actor) -> None:
    call_command("person", "olga", "viewer")
    assert not access.is_operator(Actor(User.objects.get(username="olga")))


def test_a_weak_password_two_that_differ_and_nobody_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "short", "short", "quay-winch-hawser", "other")
    for name, group in (("nils", "viewer"), ("nils", "viewer"), ("nobody", "none")):
        with pytest.raises(CommandError):
            call_command("person", name, group)
    assert not User.objects.exists()


def test_an_approver_is_an_operator_too_and_an_operator_no_approver(operator: Actor) -> None:
    assert not access.is_approver(operator)
    call_command("person", "olga", "approver")
    olga = Actor(User.objects.get(username="olga"))
    assert (access.is_operator(olga), access.is_approver(olga)) == (True, True)


@pytest.mark.parametrize("group", ["viewer", "operator", "approver"])
def test_an_administrator_who_becomes_less_is_that_and_nothing_else(superuser: User, group: str) -> None:
    call_command("person", superuser.username, group)
    before = Actor(User.objects.get(pk=superuser.pk))
    assert not User.objects.get(pk=superuser.pk).is_superuser
    assert access.is_operator(before) is (group != "viewer")
    assert access.is_approver(before) is (group == "approver")


def test_somebody_who_becomes_administrator_may_do_everything(viewer: Actor) -> None:
    call_command("person", "vera", "administrator")
    vera = Actor(User.objects.get(username="vera"))
    assert (access.is_operator(vera), access.is_approver(vera)) == (True, True)
