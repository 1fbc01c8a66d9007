"""Lists that stay short come whole; where one is too long for that, its line says how many there are."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.api import chat
from functions_app.api import tokens as api
from functions_app.models import ChatLink
from functions_app.services.people import sessions, tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Made, Wanted
from tests.conftest import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made(superuser: User) -> Made:
    """A token of an administrator."""
    return tokens.make(Wanted("first", ["read", "admin"]), Actor(superuser))


@pytest.fixture
def ask(made: Made, valkey: Valkey) -> Any:
    """The answer to it at an address."""
    bot = Client(headers={"Authorization": f"Bearer {made.text}"})
    return lambda path: bot.get(f"/api/v1{path}").json()


@pytest.mark.parametrize(
    ("most", "told"), [(2, "3 tokens; only the newest 2 are listed."), (3, "3 tokens."), (4, "3 tokens.")]
)
def test_of_tokens(ask: Any, superuser: User, monkeypatch: pytest.MonkeyPatch, most: int, told: str) -> None:
    for name in ("second", "third"):
        tokens.make(Wanted(name, ["read"]), Actor(superuser))
    monkeypatch.setattr(api, "SHOWN", most)  # two hundred would take long to make
    answer = ask("/tokens")
    assert (answer["text"], len(answer["tokens"])) == (told, min(most, 3))


def test_of_chat_links(ask: Any, made: Made, superuser: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        ChatLink.objects.create(token=made.row, chat_user=name, person=superuser, since=clock.now())
    monkeypatch.setattr(chat, "SHOWN", 2)
    answer = ask("/chat/links")
    assert (answer["text"], len(answer["links"])) == ("3 chat users are linked; only the newest 2 are listed.", 2)


def test_of_sessions(ask: Any, superuser: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        Client().force_login(superuser)
    assert ask("/sessions")["text"] == "3 sessions."
    monkeypatch.setattr(sessions, "SHOWN", 2)
    assert ask("/sessions")["text"] == "2 sessions; 1 that were used longer ago are not listed."
