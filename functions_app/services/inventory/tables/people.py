"""Tokens, without their texts."""

from functions_app.services.inventory.tables.table import Row, Table, in_batches, values
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor

_TOKEN = (
    "name", "beginning", "scopes", "accounts", "functions", "networks", "created_at", "expires_at", "used_at",
    "revoked_at",
)  # fmt: skip
TOKENS = ("id", "person", *_TOKEN)


def token_table(actor: Actor) -> Table:
    """All of one's own tokens, the newest first; for an administrator everybody's."""

    def read(keys: list[int]) -> list[Row]:
        rows = tokens.every(actor).filter(pk__in=keys).select_related("person").order_by("-pk")
        return [[row.pk, row.person.get_username(), *values(row, _TOKEN)] for row in rows]

    return Table("tokens", TOKENS, in_batches(tokens.every(actor).order_by("-pk").values_list("pk", flat=True), read))
