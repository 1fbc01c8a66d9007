"""A chat: a bot with a token hears what people say there, and hands it on."""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.models import ApiToken, ChatLink
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Made, Wanted

EVERY = ("read", "invoke", "deploy:nonprod", "deploy:prod", "patch", "approve")
ADDRESS = "/api/v1/chat"


@dataclass(frozen=True)
class Room:
    """What the bot is, and what it says."""

    bot: Client
    made: Made

    @classmethod
    def of(cls, owner: User, *scopes: str, name: str = "ops-bot", **more: Any) -> "Room":
        """A room with a bot of this person, whose token is for all but administration unless it is said."""
        made = tokens.make(Wanted(name, scopes or EVERY, **more), Actor(owner))
        return cls(Client(headers={"Authorization": f"Bearer {made.text}"}), made)

    @property
    def token(self) -> ApiToken:
        """The bot's."""
        return self.made.row

    def from_elsewhere(self) -> "Room":
        """The same room, by a connection of its own."""
        return Room(Client(headers={"Authorization": f"Bearer {self.made.text}"}), self.made)

    def say(self, text: str, user: str = "U1", channel: str = "#ops", **headers: str) -> Any:
        """Somebody says something; the answer of the API."""
        body = json.dumps({"text": text, "user": user, "channel": channel})
        return self.bot.post(ADDRESS, body, content_type="application/json", headers=headers)

    def told(self, text: str, user: str = "U1", status: int = 200) -> dict[str, Any]:
        """The same, as it is told: one line, and what stands beside it."""
        answer = self.say(text, user)
        found: dict[str, Any] = answer.json()
        assert answer.status_code == status, found
        assert 0 < len(found["text"]) <= 140
        assert "\n" not in found["text"]
        return found

    def link(self, person: User, user: str = "U1") -> ChatLink:
        """A chat user of the room is this person."""
        return ChatLink.objects.create(token=self.token, chat_user=user, person=person, since=clock.now())
