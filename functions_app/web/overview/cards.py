"""The overview's cards: what each says, and where it leads."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.web.html.looks import Look

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Line:
    """One function, alias or base named under a finding; `aside` is a second place to look at."""

    name: str
    href: str
    why: str
    account: AccountFact | None = None
    aside: str = ""
    aside_href: str = ""
    since: datetime | None = None  # of what was read: its age


@dataclass(frozen=True)
class Card:
    """One kind of trouble: how bad, how many, what it means, the worst few, and where all of them are."""

    key: str
    look: Look
    count: int
    title: str
    meaning: str
    lines: tuple[Line, ...]
    href: str
    rest: int
    next_step: str = ""
    codes: str = ""  # AWS's code and request id

    @property
    def level(self) -> str:
        """Its colour: bad, warn or calm."""
        return self.look.colour

    @property
    def icon(self) -> str:
        """Its picture."""
        return self.look.icon

    @property
    def brief(self) -> bool:
        """Whether its lines are names alone, which fit beside one another."""
        return not any(line.why or line.since for line in self.lines)


def functions_address(pairs: Pairs) -> str:
    """The functions list, filtered."""
    return f"{reverse('functions')}?{urlencode(pairs)}"
