"""Who a chat user is: said once, by a code of somebody who is signed in."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from functions_app import clock
from functions_app.domain.errors import DrydockError
from functions_app.domain.tokens import TokenScope
from functions_app.models import AuditEntry, ChatLink, LinkCode
from functions_app.services.chat import links
from functions_app.services.people import access, living_tokens, tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Made, Wanted
from tests.api.chat_room import Room
from tests.conftest import Valkey

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/settings/chat/"


@pytest.fixture
def room(viewer: User, valkey: Valkey) -> Room:
    """A chat whose bot acts for a viewer."""
    return Room.of(viewer)


def code_of(person: User, room: Room) -> str:
    return links.make_code(Actor(person), room.token.pk).code


class Test_a_code:
    def test_makes_who_says_it_its_person(self, room: Room, operator: User) -> None:
        told = room.told(f"link {code_of(operator, room)}")
        assert told["text"].startswith("You are olga here from now on")
        link = ChatLink.objects.get()
        assert (link.person, link.token, link.chat_user) == (operator, room.token, "U1")
        entry = AuditEntry.objects.get(action="chat.link")
        assert (entry.actor, entry.via) == (operator, "chat ops-bot in #ops")

    def test_is_good_once_and_for_one(self, room: Room, operator: User) -> None:
        code = code_of(operator, room)
        room.told(f"link {code.lower().replace('-', ' ')}")
        assert "No such code is waiting" in room.told(f"link {code}", "U2", 403)["text"]
        assert ChatLink.objects.count() == 1

    def test_said_by_many_at_once_links_one(self, room: Room, operator: User) -> None:
        code = code_of(operator, room)

        def say(number: int) -> int:
            try:
                return int(room.from_elsewhere().say(f"link {code}", f"U{number}").status_code)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as pool:
            statuses = sorted(pool.map(say, range(8)))
        assert statuses == [200, *[403] * 7]
        assert ChatLink.objects.count() == 1

    def test_is_for_the_bot_that_was_chosen_and_is_over_once_another_has_heard_it(
        self, room: Room, operator: User, approver: User
    ) -> None:
        code, other = code_of(operator, room), Room.of(approver, name="other-bot")
        assert "for another bot" in other.told(f"link {code}", status=403)["text"]
        room.told(f"link {code}", "U2", 403)
        assert not ChatLink.objects.exists()

    def test_is_for_no_bot_whose_token_is_over(self, room: Room, operator: User) -> None:
        tokens.revoke(room.token.pk, Actor(room.token.person))
        with pytest.raises(DrydockError, match="for one bot"):
            code_of(operator, room)

    def test_ends_after_ten_minutes(self, room: Room, operator: User) -> None:
        code = code_of(operator, room)
        LinkCode.objects.update(expires_at=clock.now())
        room.told(f"link {code}", status=403)

    def test_made_while_a_clock_was_wrong_is_worth_nothing(self, room: Room, operator: User) -> None:
        code = code_of(operator, room)
        ahead = clock.now() + timedelta(days=1)
        LinkCode.objects.update(made_at=ahead, expires_at=ahead + links.LIFETIME)
        room.told(f"link {code}", status=403)

    def test_ends_the_one_before(self, room: Room, operator: User) -> None:
        first, second = code_of(operator, room), code_of(operator, room)
        room.told(f"link {first}", status=403)
        room.told(f"link {second}")

    def test_is_stored_nowhere(self, room: Room, operator: User) -> None:
        code = code_of(operator, room)
        kept = [str(row) for model in (LinkCode, AuditEntry) for row in model._default_manager.values()]
        assert code not in " ".join(kept)
        assert code.replace("-", "") not in " ".join(kept)

    def test_of_somebody_who_is_nobody_here_any_more_links_nobody(self, room: Room, operator: User) -> None:
        code = code_of(operator, room)
        operator.groups.clear()
        room.told(f"link {code}", status=403)
        assert not ChatLink.objects.exists()

    def test_of_another_takes_a_chat_user_over_and_the_one_before_is_it_no_longer(
        self, room: Room, operator: User, approver: User
    ) -> None:
        for person in (operator, approver):
            room.told(f"link {code_of(person, room)}")
        assert [row.person for row in ChatLink.objects.all()] == [approver]
        newest = AuditEntry.objects.filter(action="chat.link").first()
        assert newest is not None
        assert (newest.actor, newest.result) == (approver, "linked; it was olga before")

    def test_is_guessed_a_few_times_and_then_the_right_one_helps_no_more(self, room: Room, operator: User) -> None:
        code = code_of(operator, room)
        for number in range(links.GUESSES):
            assert "No such code" in room.told(f"link WRNG-{number}", status=403)["text"]
        told = room.told(f"link {code}", status=403)
        assert "Too many wrong codes" in told["text"]
        assert told["next_step"] == "Try again in 10 minutes."
        room.told(f"link {code}", "U2")

    def test_is_guessed_by_many_users_of_one_bot_no_more_often(self, room: Room, operator: User) -> None:
        for number in range(links.GUESSES_OF_ALL):
            target = f"chat user {number} of token {room.token.pk}"
            access.audit(Actor(None), links.REFUSED, target, None, "refused")
        room.told(f"link {code_of(operator, room)}", status=403)
        AuditEntry.objects.filter(action=links.REFUSED).update(at=clock.now() - links.WINDOW)
        room.told(f"link {code_of(operator, room)}")


class Test_the_page:
    def test_names_the_bots_with_whose_they_are_and_what_they_may(
        self, room: Room, operator: User, client: Client
    ) -> None:
        Room.of(operator, "read", "patch", name="<mine>")
        client.force_login(operator)
        page = client.get(PAGE).content.decode()
        assert "&lt;mine&gt; of olga: patch, read" in page
        assert "ops-bot of vera: " in page
        refused = client.post(PAGE, {"bot": ""})
        assert (refused.status_code, LinkCode.objects.exists()) == (400, False)

    def test_shows_a_code_once_and_the_links_that_came_of_it(self, room: Room, operator: User, client: Client) -> None:
        client.force_login(operator)
        page = client.post(PAGE, {"bot": room.token.pk}).content.decode()
        command = page.partition("<code>link ")[2].partition("</code>")[0]
        assert "link " not in client.get(PAGE).content.decode().partition('id="made"')[2]
        room.told(f"link {command}", "U<1>")
        page = client.get(PAGE).content.decode()
        assert "U&lt;1&gt;" in page
        assert "ops-bot" in page
        link = ChatLink.objects.get()
        assert client.post(f"{PAGE}{link.pk}/unlink/").headers["Location"] == PAGE
        assert not ChatLink.objects.exists()
        assert AuditEntry.objects.get(action="chat.unlink").actor == operator
        room.told("cancel 1", "U<1>", 403)

    def test_shows_ones_own_and_an_administrator_everybodys(
        self, room: Room, operator: User, viewer: User, superuser: User, client: Client
    ) -> None:
        link = room.link(operator)
        client.force_login(viewer)
        assert ">U1<" not in client.get(PAGE).content.decode()
        assert client.post(f"{PAGE}{link.pk}/unlink/").status_code == 404
        client.force_login(superuser)
        assert "olga" in client.get(PAGE).content.decode()
        client.post(f"{PAGE}{link.pk}/unlink/")
        assert not ChatLink.objects.exists()

    def test_shows_no_link_of_a_bot_whose_token_is_over(self, room: Room, operator: User, client: Client) -> None:
        room.link(operator)
        client.force_login(operator)
        assert ">U1<" in client.get(PAGE).content.decode()
        tokens.revoke(room.token.pk, Actor(room.token.person))
        assert ">U1<" not in client.get(PAGE).content.decode()


class Test_over_the_api:
    def post(self, made: Made, path: str, **headers: str) -> Any:
        headers |= {"Authorization": f"Bearer {made.text}"}
        return Client(headers=headers).post(f"/api/v1/chat/{path}", "{}", content_type="application/json")

    def test_a_code_is_made_by_no_bot_which_would_make_itself_a_person(self, operator: User, valkey: Valkey) -> None:
        made = tokens.make(Wanted("all", list(TokenScope)), Actor(operator))
        bot = living_tokens.recognise(made.text, "203.0.113.7")
        assert bot is not None
        with pytest.raises(DrydockError, match="by no bot"):
            links.make_code(bot[0], made.row.pk)
        assert self.post(made, "codes").status_code == 404
        assert not LinkCode.objects.exists()
        assert "refused" in AuditEntry.objects.get(action="chat.code").result

    def test_links_are_listed_and_ended(self, room: Room, operator: User) -> None:
        link = room.link(operator)
        made = tokens.make(Wanted("mine", ["read", "admin"]), Actor(operator))
        headers = {"Authorization": f"Bearer {made.text}"}
        told = Client(headers=headers).get("/api/v1/chat/links").json()
        assert [(row["chat_user"], row["bot"], row["person"]) for row in told["links"]] == [("U1", "ops-bot", "olga")]
        assert self.post(made, f"links/{link.pk}/unlink").status_code == 200
        assert not ChatLink.objects.exists()
