"""People, where they are signed in, what acts for them: tokens without their texts, and chat users."""

from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

from functions_app.services.inventory.tables.table import Row, Table, batched, in_batches, values
from functions_app.services.people import people_list, sessions, tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.living_tokens import links_of

_TOKEN = (
    "name", "beginning", "scopes", "accounts", "functions", "networks", "created_at", "expires_at", "used_at",
    "revoked_at",
)  # fmt: skip
TOKENS = ("id", "person", *_TOKEN)
PEOPLE = ("name", "group", "signed_in", "last_seen", "tokens", "chat_users")
SESSIONS = ("id", "person", "browser", "address", "since", "seen")
LINKS = ("id", "chat_user", "person", "bot", "since")


def token_table(actor: Actor) -> Table:
    """All of one's own tokens, the newest first; for an administrator everybody's."""

    def read(keys: list[int]) -> list[Row]:
        rows = tokens.every(actor).filter(pk__in=keys).select_related("person").order_by("-pk")
        return [[row.pk, row.person.get_username(), *values(row, _TOKEN)] for row in rows]

    return Table("tokens", TOKENS, in_batches(tokens.every(actor).order_by("-pk").values_list("pk", flat=True), read))


def people_table() -> Table:
    """Everybody with an account, those who may sign in first; for administrators."""
    return Table("people", PEOPLE, [[values(row, PEOPLE) for row in people_list.with_what_acts_for_them()]])


def session_table(people: Collection[int] | None) -> Table:
    """All sessions of these people (None: of everybody), the last used first."""

    def read(keys: list[UUID]) -> list[Row]:
        rows = sessions.facts_of(sessions.kept(people).filter(mark__in=keys))
        return [[row.mark, *values(row, SESSIONS[1:])] for row in rows]

    def batches() -> Iterator[Sequence[Row]]:
        yield from batched(list(sessions.kept(people).values_list("mark", flat=True)), read)

    return Table("sessions", SESSIONS, batches())


def link_table(actor: Actor) -> Table:
    """All of one's own linked chat users, the newest first; for an administrator everybody's."""

    def read(keys: list[int]) -> list[Row]:
        return [
            [row.pk, row.chat_user, row.person.get_username(), row.token.name, row.since]
            for row in links_of(actor).filter(pk__in=keys)
        ]

    return Table("chat-users", LINKS, in_batches(links_of(actor).values_list("pk", flat=True), read))
