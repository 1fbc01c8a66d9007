"""Which person a chat user is: said by a code that somebody who is signed in sees, and enters in the chat.

The bot says which chat user it hears; nobody is taken at their word for more than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from functions_app import clock
from functions_app.domain.chat import codes
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.tokens import TokenScope
from functions_app.models import ApiToken, AuditEntry, ChatLink, LinkCode
from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.services.people.backend import active_people
from functions_app.services.people.living_tokens import links_of
from functions_app.services.people.pages import PageOf, page_of

LIFETIME = timedelta(minutes=10)
WINDOW = timedelta(minutes=10)  # of wrong codes that are counted
GUESSES, GUESSES_OF_ALL = 5, 50  # of one chat user, and of all that a bot hears
LINKED, REFUSED = "chat.link", "chat.link.refused"


@dataclass(frozen=True)
class Shown:
    """A code, which is shown this once."""

    code: str
    bot: str
    expires_at: datetime

    @property
    def command(self) -> str:
        """What is to be said in the chat."""
        return f"link {self.code}"


def bots() -> Sequence[ApiToken]:
    """The bots that somebody may be linked with: tokens that are not over, by name. One query."""
    rows = ApiToken.objects.filter(revoked_at=None, expires_at__gt=clock.now(), person__is_active=True)
    return list(rows.select_related("person").order_by("name", "person__username", "pk"))


def make_code(actor: Actor, bot: int) -> Shown:
    """A code for this person, who is signed in, and the bot with this token; the one before is worth nothing any more.

    Whoever says it there may what the person may, and is a person: a bot would make itself one. And whose bot hears it
    could say the same at any time: so it is good for the one that was chosen. Raises DENIED, INVALID.
    """
    person = _themselves(actor, frozenset(TokenScope), "chat.code", signed_in=True)
    now, code = clock.now(), codes.new_link_code()
    token = ApiToken.objects.filter(pk=bot, revoked_at=None, expires_at__gt=now).first()
    if token is None:
        raise DrydockError(Code.INVALID, "A code is for one bot.", next_step="Choose the bot that you will say it to.")
    values = {"token": token, "code_hash": _hashed(code), "made_at": now, "expires_at": now + LIFETIME}
    with transaction.atomic():
        LinkCode.objects.update_or_create(person=person, defaults=values)
        target = f"chat code of {person.get_username()}"
        access.audit(actor, "chat.code", target, {"token": token.pk, "bot": token.name}, "made, for 10 minutes")
    return Shown(code, token.name, now + LIFETIME)


def link(token: ApiToken, chat_user: str, code: str, via: str) -> ChatLink:
    """Link a chat user to the person whose code this is, whoever it was linked to before. Once for each code.

    Raises DENIED for a code that is wrong, used, over, for another bot, or one of too many. What another bot has heard
    is over: whose that is could say it to the right one.
    """
    target = f"chat user {chat_user} of token {token.pk}"
    nobody = Actor(None, via, named="(nobody yet)")
    _require_few_guesses(target, token)
    now = clock.now()
    living = LinkCode.objects.filter(expires_at__gt=now, made_at__lte=clock.latest())
    row = living.filter(code_hash=_hashed(codes.typed(code))).first()
    with transaction.atomic():
        heard = row is not None and _take(row) and row.token_id == token.pk
        person = next(iter(active_people([row.person_id])), None) if row and heard else None
        if person is not None and access.belongs_here(Actor(person)):
            before = [each.get_username() for each in people_of(token, chat_user) if each != person]
            found, _ = ChatLink.objects.update_or_create(
                token=token, chat_user=chat_user, defaults={"person": person, "since": now}
            )
            told = f"linked; it was {before[0]} before" if before else "linked"
            access.audit(Actor(person, via), LINKED, target, None, told)
            return found
    access.audit(nobody, REFUSED, target, None, "refused: no such code")
    raise DrydockError(
        Code.DENIED,
        "No such code is waiting: it was used, is older than 10 minutes or than another, is for another bot, or was "
        "typed otherwise.",
        next_step="Sign in, open Settings, Chat, and make one.",
    )


def _take(row: LinkCode) -> bool:
    """Of several who enter it at once one does."""
    return bool(LinkCode.objects.filter(pk=row.pk, code_hash=row.code_hash).delete()[0])


def _require_few_guesses(target: str, token: ApiToken) -> None:
    guesses = AuditEntry.objects.filter(action=REFUSED, at__gt=clock.now() - WINDOW, at__lte=clock.latest())
    everybody = guesses.filter(target__endswith=f" of token {token.pk}")
    if guesses.filter(target=target).count() >= GUESSES or everybody.count() >= GUESSES_OF_ALL:
        minutes = int(WINDOW.total_seconds() // 60)
        raise DrydockError(
            Code.DENIED, "Too many wrong codes were entered here.", next_step=f"Try again in {minutes} minutes."
        )


def people_of(token: ApiToken, chat_user: str) -> list[User]:
    """The person a chat user is, with their groups: one, or none. One query. They may be nobody here any more."""
    rows = ChatLink.objects.filter(token=token, chat_user=chat_user).select_related("person")
    found = list(rows.annotate(group=F("person__groups__name")))
    for row in found[:1]:
        access.remember_groups(row.person, {each.group for each in found}.intersection(access.GROUPS))
    return [row.person for row in found[:1]]


def listed(actor: Actor, page: int = 1) -> PageOf[ChatLink]:
    """A page of one's own links, the newest first; for an administrator of everybody's. Two queries."""
    return page_of(links_of(actor), page)


def unlink(pk: int, actor: Actor) -> None:
    """End one of one's own links; an administrator ends any. Raises NOT_FOUND, DENIED."""
    row = ChatLink.objects.select_related("person", "token").filter(pk=pk).first()
    if row is None or not (access.is_administrator(actor) or row.person_id == (actor.person and actor.person.pk)):
        refusal = DrydockError(Code.NOT_FOUND, "There is no such link.", next_step="Look at your links.")
        access.audit(actor, "chat.unlink", f"link {pk}", None, f"refused: {refusal}")
        raise refusal
    _themselves(actor, frozenset({TokenScope.ADMIN}), "chat.unlink")
    with transaction.atomic():
        if ChatLink.objects.filter(pk=pk).delete()[0]:
            told = f"{row} of token {row.token_id} is {row.person.get_username()} no longer"
            access.audit(actor, "chat.unlink", told, None, "unlinked")


def _themselves(actor: Actor, scopes: frozenset[TokenScope], action: str, *, signed_in: bool = False) -> User:
    """The person behind it, where it may settle who they are. A refused attempt is in the audit table."""
    try:
        access.require_scopes(actor, scopes)
        if signed_in and actor.is_bot:
            raise DrydockError(Code.DENIED, "Codes are made by who is signed in, and by no bot.", next_step="Sign in.")
        if actor.person is None or not actor.reach.everything:
            raise DrydockError(
                Code.DENIED, "This gets to some functions alone, and settles nobody's links.", next_step="Sign in."
            )
    except DrydockError as error:
        access.audit(actor, action, "chat", None, f"refused: {error}")
        raise
    return actor.person


def _hashed(code: str) -> str:
    """As it is stored: a short code needs a key, or who reads the table tries them all."""
    return salted_hmac("drydock.chat.link", codes.typed(code), algorithm="sha256").hexdigest()
