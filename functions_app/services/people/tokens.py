"""Tokens of the API: made, rotated and revoked by those whose they are."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import holds_secret
from functions_app.domain.text import storable
from functions_app.domain.tokens import SHOWN, TokenScope, are_within, hashed, new_token, read_networks
from functions_app.models import Account, ApiToken
from functions_app.services.people import access
from functions_app.services.people.actor import SHELL, Actor
from functions_app.services.people.living_tokens import living
from functions_app.services.people.pages import PageOf, page_of

LONGEST = timedelta(days=366)
USUAL = timedelta(days=90)
MOST = 50  # of one person
PATTERNS = 50  # of one token
_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,140}")  # Lambda's names, and the two signs


@dataclass(frozen=True)
class Wanted:
    """What a token is to be: as a form, a command or a bot asks for it."""

    name: str
    scopes: Collection[str]
    days: int = USUAL.days
    accounts: Collection[str] | None = None  # AWS's numbers, or names; None: all
    functions: Collection[str] | None = None  # names with * and ?; None: all
    networks: str = ""


@dataclass(frozen=True)
class Made:
    """A token with its text, which is shown this once."""

    row: ApiToken
    text: str


def make(wanted: Wanted, actor: Actor, person: User | None = None) -> Made:
    """Make a token that acts for `person` (None: whoever makes it).

    Raises INVALID, DENIED. Another's is made in the shell alone: whoever reads its text is that person from then on.
    With a token of the scope admin one may make others, which may no more than itself, and end no later.
    """
    owner = person or actor.person
    action, target = "token.make", f"token {storable(wanted.name, 60)}"
    try:
        if owner is None:
            raise DrydockError(Code.INVALID, "A token acts for a person.", next_step="Name one.")
        _require_owner(owner, actor)
        row = _checked(wanted, owner, actor)
        text = new_token()
        row.secret_hash, row.beginning = hashed(text), text[:SHOWN]
        with transaction.atomic():
            row.save()
            access.audit(actor, action, target, facts(row), f"made for {owner.get_username()}")
    except IntegrityError as error:
        raise DrydockError(
            Code.INVALID, f"There is a {target} already.", next_step="Take another name, or revoke that one."
        ) from error
    except DrydockError as error:
        access.audit(actor, action, target, {"scopes": sorted(wanted.scopes)}, f"refused: {error}")
        raise
    return Made(row, text)


def _checked(wanted: Wanted, owner: User, actor: Actor) -> ApiToken:
    name = storable(wanted.name, 60).strip()
    if not name or holds_secret(name):
        raise DrydockError(Code.INVALID, "A token needs a name.", next_step="Name the bot that will have it.")
    unknown = sorted(set(wanted.scopes) - set(TokenScope))
    if unknown or not wanted.scopes:
        what = f"There is no scope {storable(unknown[0], 40)}." if unknown else "A token needs a scope."
        raise DrydockError(Code.INVALID, what, next_step=f"Scopes are {', '.join(TokenScope)}.")
    if not 1 <= wanted.days <= LONGEST.days:
        raise DrydockError(Code.INVALID, f"A token lives 1 to {LONGEST.days} days.")
    access.require_scopes(actor, {TokenScope.ADMIN, *(TokenScope(scope) for scope in wanted.scopes)})
    _require_everywhere(actor)
    networks = read_networks(wanted.networks)
    _require_networks(networks, actor)
    now = clock.now()
    if living(owner, now).count() >= MOST:
        raise DrydockError(Code.INVALID, f"One person has at most {MOST} tokens.", next_step="Revoke some.")
    return ApiToken(
        name=name,
        person=owner,
        scopes=sorted(set(wanted.scopes)),
        accounts=_accounts(wanted.accounts),
        functions=_patterns(wanted.functions),
        networks=list(networks),
        created_at=now,
        created_by=actor.name,
        expires_at=_until(now + timedelta(days=wanted.days), actor),
    )


def _until(wanted: datetime, actor: Actor) -> datetime:
    """When a text ends that is told through something: no later than that, or who stole a token had one for good."""
    return min(wanted, actor.until or wanted)


def _accounts(wanted: Collection[str] | None) -> list[str] | None:
    if wanted is None:
        return None
    rows = Account.objects.filter(Q(account_id__in=wanted) | Q(name__in=wanted)).values_list("account_id", "name")
    unknown = sorted(set(wanted) - {word for row in rows for word in row})
    if unknown or not wanted:
        what = f"There is no account {storable(unknown[0], 20)} here." if unknown else "It gets to no account at all."
        raise DrydockError(Code.INVALID, what, next_step="Name it as Settings lists it, or by AWS's number.")
    return sorted({account_id for account_id, _ in rows})


def _patterns(wanted: Collection[str] | None) -> list[str] | None:
    if wanted is None:
        return None
    patterns = sorted(set(wanted))
    if not 1 <= len(patterns) <= PATTERNS or not all(
        _PATTERN.fullmatch(each) and not holds_secret(each) for each in patterns
    ):
        raise DrydockError(Code.INVALID, f"Name 1 to {PATTERNS} functions, with * and ?, or none for all.")
    return patterns


def _as_thought(row: ApiToken) -> None:
    """Whatever it is."""


def rotate(pk: int, actor: Actor, shown: int = 0, still: Callable[[ApiToken], None] = _as_thought) -> Made:
    """Give a token another text; the one it had is worth nothing from now on. `shown`: which one asks for it.

    It lives as long again as it was made for; through a token no longer than that one would.
    Who reads the text is whose it is: of another's token there is none to be had. `still` raises where it is not as
    thought. Raises NOT_FOUND, DENIED, EXPIRED.
    """
    _require_change(pk, actor, "token.rotate", shown, _require_text)
    now = clock.now()
    text = new_token()
    with transaction.atomic():
        row = _locked(pk)
        still(row)
        if row.revoked_at or row.expires_at <= now:
            raise DrydockError(Code.EXPIRED, "This token is over.", next_step="Make a new one.")
        life = min(row.expires_at - (row.rotated_at or row.created_at), LONGEST)
        ApiToken.objects.filter(pk=row.pk).update(
            secret_hash=hashed(text), beginning=text[:SHOWN], rotated_at=now, expires_at=_until(now + life, actor)
        )
        access.audit(actor, "token.rotate", str(row), facts(row), "its text is another one now")
    row.refresh_from_db()
    return Made(row, text)


def revoke(pk: int, actor: Actor, shown: int = 0, still: Callable[[ApiToken], None] = _as_thought) -> ApiToken:
    """End a token at once; `shown`: which one asks for it. One that is over stays so; `still` as for `rotate`.

    Raises NOT_FOUND, DENIED.
    """
    _require_change(pk, actor, "token.revoke", shown)
    with transaction.atomic():
        row = _locked(pk)
        still(row)
        if ApiToken.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=clock.now()):
            access.audit(actor, "token.revoke", str(row), facts(row), "revoked")
    row.refresh_from_db()
    return row


def _locked(pk: int) -> ApiToken:
    return ApiToken.objects.select_related("person").select_for_update(of=("self",)).get(pk=pk)


def find(pk: int, actor: Actor) -> ApiToken:
    """One of one's own tokens; an administrator's are all. Raises NOT_FOUND."""
    row = ApiToken.objects.select_related("person").filter(pk=pk).first()
    if row is None or not (_is_of_all(actor) or _is(row.person, actor)):
        raise DrydockError(Code.NOT_FOUND, "There is no such token.", next_step="List your tokens.")
    return row


def _require_change(
    pk: int, actor: Actor, action: str, shown: int, also: Callable[[ApiToken, Actor], None] | None = None
) -> None:
    """Raise unless this actor may do that to the token; of itself a token may anything."""
    row = find(pk, actor)
    if pk == shown:
        return
    try:
        # With another's text a token would get to more than it was made for.
        own = {TokenScope(scope) for scope in row.scopes if scope in set(TokenScope)}
        access.require_scopes(actor, {TokenScope.ADMIN} | own)
        _require_everywhere(actor)
        if also:
            also(row, actor)
    except DrydockError as error:
        access.audit(actor, action, str(row), facts(row), f"refused: {error}")
        raise


def _require_text(row: ApiToken, actor: Actor) -> None:
    if not _is(row.person, actor) and not _is_shell(actor):
        raise DrydockError(
            Code.DENIED,
            f"This token acts for {row.person.get_username()}, and nobody else is shown its text.",
            next_step="Revoke it, or have its owner rotate it.",
        )
    _require_networks(row.networks, actor)


def _require_everywhere(actor: Actor) -> None:
    if not actor.reach.everything:
        raise DrydockError(
            Code.DENIED,
            "This token gets to some functions alone, and makes or changes no other.",
            next_step="Do it in the browser.",
        )


def _require_networks(networks: Collection[str], actor: Actor) -> None:
    if not are_within(networks, actor.networks):
        raise DrydockError(
            Code.DENIED,
            f"This token comes from {', '.join(actor.networks)} alone, and so does each that it makes or rotates.",
            next_step="Name networks within those, or do it in the browser.",
        )


def _is(person: User, actor: Actor) -> bool:
    return actor.person is not None and person.pk == actor.person.pk


def _is_of_all(actor: Actor) -> bool:
    """Whether everybody's tokens are theirs to see and to end: an administrator's, and whose the shell is."""
    return access.is_administrator(actor) or _is_shell(actor)


def _is_shell(actor: Actor) -> bool:
    return actor.person is None and actor.via == SHELL


def _require_owner(owner: User, actor: Actor) -> None:
    if not _is(owner, actor) and not _is_shell(actor):
        raise DrydockError(
            Code.DENIED,
            "Nobody makes tokens for others here.",
            next_step="Have them make it, or make it on the server: manage.py token make.",
        )


def listed(actor: Actor, page: int = 1) -> PageOf[ApiToken]:
    """A page of one's own tokens, the newest first; for an administrator of everybody's. Two queries."""
    return page_of(every(actor).select_related("person").order_by("-pk"), page)


def in_use(actor: Actor) -> int:
    """How many of those are not over. One query."""
    return every(actor).filter(revoked_at=None, expires_at__gt=clock.now()).count()


def every(actor: Actor) -> QuerySet[ApiToken]:
    """One's own tokens; for an administrator everybody's."""
    return ApiToken.objects.filter(Q() if access.is_administrator(actor) else Q(person=actor.person))


def facts(row: ApiToken) -> dict[str, object]:
    """What the audit keeps of a token."""
    return {
        "person": row.person.get_username(),
        "scopes": row.scopes,
        "accounts": row.accounts,
        "functions": row.functions,
        "networks": row.networks,
        "expires_at": row.expires_at.isoformat(timespec="seconds"),
    }
