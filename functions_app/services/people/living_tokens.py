"""Tokens that are worth something at this moment: whose a request is, and who acts through one still."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet

from functions_app import clock
from functions_app.domain.tokens import Reach, TokenScope, hashed, is_from, looks_like_token
from functions_app.models import ApiToken, ChatLink
from functions_app.services.people import access
from functions_app.services.people.access import GROUPS, remember_groups
from functions_app.services.people.actor import CHAT, Actor, chat_via

# Built once: every request asks. A row for each of a person's groups.
_LIVING = (
    ApiToken.objects.filter(revoked_at=None, person__is_active=True)
    .select_related("person")
    .annotate(group=F("person__groups__name"))
)
SEEN_EVERY = timedelta(minutes=1)  # a request is a row's write at most so often


def recognise(text: str, address: str) -> tuple[Actor, ApiToken] | None:
    """Who a request with this token acts for, and its row; None where it lets nobody in. One query, or none.

    What it may do is what both may: the person, asked anew each time, and the token.
    """
    if not looks_like_token(text):
        return None
    now = clock.now()
    row = next(iter(_good([hashed(text)], now)), None)
    if row is None or not is_from(address, row.networks):
        return None
    _note_use(row, address, now)
    return _actor(row), row


def _good(hashes: Collection[str], now: datetime) -> list[ApiToken]:
    """Those of these, hashed, that are not over, of people who may sign in, each with their groups. One query."""
    rows: dict[int, ApiToken] = {}
    groups: dict[int, set[str]] = defaultdict(set)
    for row in _LIVING.filter(secret_hash__in=hashes, expires_at__gt=now):
        rows[row.pk] = row
        groups[row.pk].add(row.group)
    for pk, token in rows.items():
        remember_groups(token.person, groups[pk].intersection(GROUPS))
    return list(rows.values())


def _actor(row: ApiToken) -> Actor:
    accounts = None if row.accounts is None else frozenset(row.accounts)
    patterns = None if row.functions is None else tuple(row.functions)
    scopes = frozenset(TokenScope(scope) for scope in row.scopes if scope in set(TokenScope))
    reach = Reach(accounts, patterns)
    return Actor(
        row.person, f"token {row.name}", scopes, reach=reach, networks=tuple(row.networks), until=row.expires_at
    )


def that_look(hashes: Collection[str]) -> set[str]:
    """Which of these, hashed, let somebody look at this moment. No query without any, else one."""
    rows = _good(hashes, clock.now()) if hashes else ()
    return {row.secret_hash for row in rows if access.may_look(_actor(row))}


def living(owner: User, now: datetime) -> QuerySet[ApiToken]:
    """The tokens of somebody that are not over."""
    return ApiToken.objects.filter(person=owner, revoked_at=None, expires_at__gt=now)


def living_links() -> QuerySet[ChatLink]:
    """The chat users who are somebody, as the bots name them whose tokens are not over."""
    return ChatLink.objects.filter(token__revoked_at=None, token__expires_at__gt=clock.now())


def links_of(actor: Actor) -> QuerySet[ChatLink]:
    """One's own of those; for an administrator everybody's."""
    own = Q() if access.is_administrator(actor) else Q(person=actor.person)
    return living_links().filter(own).select_related("person", "token").order_by("-pk")


def lives(person: User, via: str, since: datetime) -> bool:
    """Whether what somebody came through at that time is worth something still: a token, or a link, may be over.

    One that was rotated since is another: whoever had its text then may have stolen it.
    """
    word, _, name = via.partition(" ")
    if word == CHAT:
        links = living_links().filter(_as_at(since, "token__"), person=person, since__lte=since)
        bots = links.values_list("token__name", flat=True)
        return any(f"{via} in ".startswith(f"{chat_via(bot)} in ") for bot in bots)
    return word != "token" or living(person, clock.now()).filter(_as_at(since), name=name).exists()


def _as_at(since: datetime, path: str = "") -> Q:
    """Tokens that had the text at that time that they have now."""
    unchanged = Q(**{f"{path}rotated_at": None}) | Q(**{f"{path}rotated_at__lte": since})
    return Q(**{f"{path}created_at__lte": since}) & unchanged


def _note_use(row: ApiToken, address: str, now: datetime) -> None:
    if row.used_at is None or abs(now - row.used_at) >= SEEN_EVERY or row.used_from != address[:45]:
        ApiToken.objects.filter(pk=row.pk).update(used_at=now, used_from=address[:45])
