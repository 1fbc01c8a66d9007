"""Django's sessions in a table that knows whose each is, since when, and when it was used last (SESSION_ENGINE)."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import Q, QuerySet
from django.utils import timezone

from functions_app import clock
from functions_app.domain.sessions import Limits
from functions_app.models import BrowserSession


@dataclass(frozen=True)
class Facts:
    """What is known of a session beside what Django keeps in it."""

    mark: uuid.UUID = field(default_factory=uuid.uuid4)
    since: datetime = field(default_factory=clock.now)
    seen: datetime = field(default_factory=clock.now)
    address: str = ""
    browser: str = ""


def limits() -> Limits:
    """As this installation has them."""
    return Limits(settings.ENV.session_idle, settings.ENV.session_longest)


def ended() -> QuerySet[BrowserSession]:
    """All that are over, by the limits of now or by those they were stored under."""
    now, by = clock.now(), limits()
    past = Q(seen__lte=now - by.idle) | Q(since__lte=now - by.longest)
    past |= Q(since__gt=now + by.idle) | Q(seen__gt=now + by.idle)
    return BrowserSession.objects.filter(past | Q(expire_date__lt=timezone.now()))  # noqa: TID251 - Django set it


def is_over(row: BrowserSession) -> bool:
    """Whether it has ended by the limits of now, which may be others than when it was stored."""
    return limits().over(row.since, row.seen, clock.now())


def expiry(since: datetime, seen: datetime) -> datetime:
    """The same by Django's own clock, which no demo moves."""
    return timezone.now() + (limits().end(since, seen) - clock.now())  # noqa: TID251 - Django compares with it


class SessionStore(DatabaseStore):
    """A session; one that is over is none. Its row goes when things are tidied: whoever reads a page writes nothing."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.facts = Facts()

    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        """Django's hook."""
        return BrowserSession

    def load(self) -> dict[str, Any]:
        """What is kept in it, or nothing."""
        row = next(iter(BrowserSession.objects.filter(session_key=self.session_key)), None)  # `first` would sort, too
        if row is None or is_over(row):
            self._session_key = None
            return {}
        self.facts = Facts(row.mark, row.since, row.seen, row.address, row.browser)
        found: dict[str, Any] = self.decode(row.session_data)
        return found

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        """Django's hook: the row that is stored."""
        row = super().create_model_instance(data)
        if not isinstance(row, BrowserSession):
            raise TypeError(f"sessions are stored as {type(row)}")
        row.person_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.expire_date = expiry(self.facts.since, self.facts.seen)
        for name, value in vars(self.facts).items():
            setattr(row, name, value)
        return row
