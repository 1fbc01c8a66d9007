"""What people have: lists that stay short come whole, or say how many more there are; tokens and links by pages."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.models import ChatLink, SavedView
from functions_app.services.people import pages, sessions, tokens
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


def test_tokens_chat_links_and_views_come_page_by_page(
    ask: Any, client: Client, made: Made, superuser: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("second", "third"):
        tokens.make(Wanted(name, ["read"]), Actor(superuser))
    for name in ("first", "second", "third"):
        ChatLink.objects.create(token=made.row, chat_user=name, person=superuser, since=clock.now())
        SavedView.objects.create(person=superuser, name=name, query="freshness=stale", changed_at=clock.now())
    monkeypatch.setattr(pages, "PAGE", 2)  # fifty would take long to make
    client.force_login(superuser)
    for path, rows, told, page, sum_ in (
        ("/views", "views", "3 views of the functions list.", "/functions/views/", "<b>3</b> views"),
        ("/tokens", "tokens", "3 tokens.", "/settings/tokens/", "<b>3</b> tokens of everybody in use"),
        ("/chat/links", "links", "3 chat users are linked.", "/settings/chat/", "<b>3</b> linked chat users"),
    ):
        first = ask(path)
        rest = ask(f"{path}?cursor={first['next']}")
        assert (first["text"], first["total"], len(first[rows]), len(rest[rows]), rest["next"]) == (told, 3, 2, 1, None)
        shown = [client.get(f"{page}?page={number}").content.decode() for number in (1, 2)]
        assert [text.count("<tr data-row>") for text in shown] == [2, 1]
        assert all(sum_ in " ".join(text.split()) for text in shown)


def test_of_sessions(ask: Any, superuser: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        Client().force_login(superuser)
    assert ask("/sessions")["text"] == "3 sessions."
    monkeypatch.setattr(sessions, "SHOWN", 2)
    assert ask("/sessions")["text"] == "2 sessions; 1 that were used longer ago are not listed."
