"""Who does something and what it came through: what may be done is what both may, and the audit names both."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User

from functions_app.domain.text import storable
from functions_app.domain.tokens import EVERYWHERE, Reach, TokenScope

BROWSER = "browser"
SHELL = "shell"
CHAT = "chat"  # a person who is linked with their name there; behind it may follow which chat
_BY_ITSELF = "schedule"
_BOT, _VIA = 40, 80  # characters of a chat bot's name, and of all that an actor came through: Run.via


@dataclass(frozen=True)
class Actor:
    """A person, with what they came through: the browser, or the words for it. No person: whatever `name` says it is.

    Raises nothing: who it is does not say what it may do, that is asked of `access`.
    """

    person: User | None
    via: str = BROWSER
    scopes: frozenset[TokenScope] = frozenset(TokenScope)
    named: str = ""
    reach: Reach = EVERYWHERE
    networks: tuple[str, ...] = ()  # where alone it may come from; (): anywhere
    until: datetime | None = None  # when what they came through is over; None: when they leave

    @classmethod
    def in_browser(cls, user: User | AnonymousUser) -> "Actor":
        """Whoever sent a request of the browser; nobody where nobody is signed in."""
        return cls(user if isinstance(user, User) else None, named="(nobody)")

    @property
    def name(self) -> str:
        """As the audit and the pages name them."""
        return self.person.get_username() if self.person else self.named or self.via

    @property
    def is_bot(self) -> bool:
        """Whether no person is at it now: a token, a rule, the schedule."""
        return self.via.partition(" ")[0] not in (BROWSER, SHELL, CHAT)

    @property
    def is_schedule(self) -> bool:
        """Whether nobody asked: it was due. A person may have any name, so the name does not tell."""
        return self.person is None and self.via == _BY_ITSELF


SCHEDULE = Actor(None, via=_BY_ITSELF, named="the schedule")  # no person's name has a space


def chat_via(bot: str, channel: str = "") -> str:
    """What somebody came through who spoke in a chat: "chat ops-bot in #ops"."""
    told = f"{CHAT} {storable(bot, _BOT)}"
    return storable(f"{told} in {channel}" if channel else told, _VIA)


def named(name: str, via: str) -> str:
    """Who did something, as the audit and the pages show it: with what they came through where that says more."""
    usual = SCHEDULE.via if name == SCHEDULE.name else BROWSER
    return name if via in (usual, name) else f"{name} via {via}"
