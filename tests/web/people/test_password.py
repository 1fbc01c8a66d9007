"""A person changes the own password; an administrator sets a new one in a shell."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from functions_app.domain import limits
from functions_app.management.commands import person
from functions_app.models import AuditEntry
from functions_app.web.people.sign_in import hashes_a_password
from tests.web.people.test_sessions import lets_in, signed_in

pytestmark = pytest.mark.django_db
PAGE = "/settings/password/"
OLD, NEW = "a long password", "quay-winch-hawser"


def change(client: Client, old: str = OLD, new: str = NEW, again: str = "") -> tuple[int, str]:
    """Fill in the form: the status, and what is shown."""
    form = {"old_password": old, "new_password1": new, "new_password2": again or new}
    answer = client.post(PAGE, form)
    return answer.status_code, " ".join(answer.content.decode().split())


def test_the_new_password_counts_and_only_this_session_goes_on(viewer: User) -> None:
    here, there = signed_in("vera"), signed_in("vera")
    assert change(here)[0] == 302
    shown = here.get("/settings/sessions/").content.decode()
    assert "Your password is changed" in shown
    assert "<b>1</b> session" in shown
    assert (lets_in(here), lets_in(there)) == (True, False)
    assert Client().login(username="vera", password=NEW)
    assert AuditEntry.objects.get(action="password.change").actor_name == "vera"


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", NEW, "", "That is not your password"),
        ("", NEW, "", "That is not your password"),
        (OLD, NEW, "quay-winch-other", "The two differ"),
        (OLD, "tiny-one", "", "at least 12 characters"),
        (OLD, "vera@example.com", "", "too similar to the email address"),
        (OLD, "password1234", "", "too common"),
        (OLD, OLD, "", "the one you have"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_changed(viewer: User, old: str, new: str, again: str, said: str) -> None:
    User.objects.update(email="vera@example.com")
    client, other = signed_in("vera"), signed_in("vera")
    status, shown = change(client, old, new, again)
    assert (status, said in shown) == (400, True), shown[-1500:]
    assert new not in shown
    assert lets_in(other)


def test_the_old_password_cannot_be_guessed_here_either(viewer: User) -> None:
    client = signed_in("vera")
    for number in range(limits.SIGN_INS):
        assert change(client, f"wrong {number}")[0] == 400
    assert change(client)[0] == 429
    assert not Client().login(username="vera", password=NEW)


@pytest.mark.parametrize("address", ["/login/", PAGE])
def test_passwords_are_hashed_one_at_a_time(address: str) -> None:
    assert hashes_a_password(address)


def test_an_administrator_sets_a_new_password_which_ends_all_sessions(
    viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in("vera")
    monkeypatch.setattr(person, "getpass", lambda _: NEW)  # a terminal is what a test does not have
    call_command("person", "vera", "password")
    assert not lets_in(client)
    assert Client().login(username="vera", password=NEW)
    assert AuditEntry.objects.get(action="password.reset").target == "vera"
    assert viewer.groups.get().name == "viewer"


def test_nobody_who_is_not_there_gets_a_password(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person, "getpass", lambda _: NEW)
    with pytest.raises(CommandError, match="nobody named nils"):
        call_command("person", "nils", "password")
