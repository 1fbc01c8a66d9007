"""A person in no group: signed in, sees nothing, and is told whom to ask.

What each address answers them stands in tests/every_route.py.
"""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from functions_app.models import Scope
from functions_app.streams.sign_in import Pass, admit, still_good
from tests.factories import make_account


@pytest.fixture
def nobody(client: Client, db: None) -> User:
    """Somebody who has an account here and is in no group that Drydock knows."""
    person = User.objects.create_user("nora", password="a long password")
    person.groups.add(Group.objects.create(name="choir"))
    client.force_login(person)
    return person


def test_the_page_says_so_and_whom_to_ask(client: Client, nobody: User, superuser: User) -> None:
    text = " ".join(client.get("/").content.decode().split())
    assert "You may not look at anything here yet" in text
    assert "Ask sam" in text
    assert 'action="/logout/"' in text


@pytest.mark.parametrize("address", ["/", "/nowhere/", "/functions/1/"])
def test_nothing_of_the_fleet_stands_around_what_they_get(client: Client, nobody: User, address: str) -> None:
    make_account("production")
    Scope.objects.update(problem={"code": "denied", "message": "Not allowed."})
    text = client.get(address).content.decode()
    for told in ("production", "Not allowed.", "/events/fleet", "synced", "/functions/"):
        assert told not in text, told


def test_they_may_sign_out(client: Client, nobody: User) -> None:
    assert client.post("/logout/").status_code == 302


def test_they_watch_no_stream(client: Client, nobody: User) -> None:
    cookies = client.cookies.output(header="", sep=";").strip()
    assert admit(cookies, None)[0] == 0


@pytest.mark.parametrize("group", ["viewer", "operator", "approver"])
def test_a_group_lets_them_look_at_once_and_without_it_their_streams_end(
    client: Client, nobody: User, group: str
) -> None:
    nobody.groups.add(Group.objects.get_or_create(name=group)[0])
    assert client.get("/functions/").status_code == 200
    watching = {Pass(nobody.pk, client.session.session_key or "")}
    assert still_good(watching) == watching
    nobody.groups.clear()
    assert still_good(watching) == set()
    assert client.get("/functions/").status_code == 403
