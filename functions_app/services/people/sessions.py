"""Who is signed in where: noted as sessions are used, listed, and ended by whoever may."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.sessions import browser_words
from functions_app.models import BrowserSession
from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.services.people.session_store import Facts, SessionStore, expiry, is_over

SEEN_EVERY = timedelta(minutes=1)  # a page view is a row's write at most so often
SHOWN = 500


@dataclass(frozen=True)
class SessionFact:
    """A session as its person sees it; `mark` names it, its key stays where it is."""

    mark: UUID
    person_pk: int
    person: str
    since: datetime
    seen: datetime
    address: str
    browser: str
    current: bool


def begin(session: SessionBase, address: str, agent: str) -> None:
    """Note where and by what somebody has just signed in."""
    if isinstance(session, SessionStore):
        session.facts = Facts(address=address[:45], browser=browser_words(agent))
        session.modified = True


def used(session: SessionBase, address: str, agent: str) -> None:
    """Note that a session is used. No query unless it was noted more than a minute ago, then one."""
    now = clock.now()
    if not isinstance(session, SessionStore) or abs(now - session.facts.seen) < SEEN_EVERY:
        return
    facts = replace(session.facts, seen=now, address=address[:45], browser=browser_words(agent))
    BrowserSession.objects.filter(session_key=session.session_key).update(
        seen=now, address=facts.address, browser=facts.browser, expire_date=expiry(facts.since, now)
    )
    session.facts = facts


def good_for(row: BrowserSession, person: User) -> bool:
    """Whether this row still lets this person in: not over, theirs, and of the password they have now."""
    kept = SessionStore().decode(row.session_data)
    hashes = (person.get_session_auth_hash(), *person.get_session_auth_fallback_hash())
    fits = [constant_time_compare(kept.get(HASH_SESSION_KEY, ""), each) for each in hashes]
    return not is_over(row) and kept.get(SESSION_KEY) == str(person.pk) and any(fits)


def listing(people: Collection[int] | None, key: str | None = None) -> list[SessionFact]:
    """The sessions of these people (None: of everybody) that let somebody in, the last used first; `key` is ours.

    One query.
    """
    return facts_of(kept(people)[:SHOWN], key)


def kept(people: Collection[int] | None) -> QuerySet[BrowserSession]:
    """What is kept of the sessions of these people (None: of everybody), ended or not, the last used first."""
    rows = BrowserSession.objects.filter(person__is_active=True).select_related("person").order_by("-seen")
    return rows if people is None else rows.filter(person__in=people)


def facts_of(rows: Iterable[BrowserSession], key: str | None = None) -> list[SessionFact]:
    """Those of them that let somebody in."""
    return [_fact(row, row.person, key) for row in rows if row.person and good_for(row, row.person)]


def beyond() -> int:
    """How many sessions of everybody `listing` does not look at, ended or not. One query."""
    return max(0, kept(None).count() - SHOWN)


def _fact(row: BrowserSession, person: User, key: str | None) -> SessionFact:
    current, name = row.session_key == key, person.get_username()
    return SessionFact(row.mark, person.pk, name, row.since, row.seen, row.address, row.browser, current)


@transaction.atomic
def end(mark: UUID, actor: Actor) -> bool:
    """End a session: one's own, or an administrator anybody's; whether it was one's own. Raises NOT_FOUND."""
    row = BrowserSession.objects.filter(mark=mark).exclude(person=None).select_related("person").first()
    own = row is not None and actor.person is not None and row.person_id == actor.person.pk
    if row is None or row.person is None or not (own or access.is_administrator(actor)):
        raise DrydockError(Code.NOT_FOUND, "There is no such session: it may have ended.", next_step="Reload the list.")
    row.delete()
    place = f" at {row.address}" if row.address else ""
    access.audit(actor, "session.end", f"{row.person.get_username()}: {row.browser}{place}", None, "signed out")
    return own


@transaction.atomic
def end_all(person: User, actor: Actor, but: str | None = None) -> int:
    """End all sessions of a person, but the one with this key; how many. For the person and administrators.

    Raises DENIED for everybody else who is a person.
    """
    own = actor.person is not None and actor.person.pk == person.pk
    if actor.person is not None and not own and not access.is_administrator(actor):
        raise DrydockError(
            Code.DENIED, "Only administrators may sign others out.", next_step="Ask an administrator to do it."
        )
    ended = drop_all(person, but)
    access.audit(actor, "session.end-all", person.get_username(), {"sessions": ended}, "signed out everywhere")
    return ended


def drop_all(person: User, but: str | None = None) -> int:
    """The same as a part of something else that is audited: a new password, somebody who is shut out."""
    return BrowserSession.objects.filter(person=person).exclude(session_key=but or "").delete()[0]
