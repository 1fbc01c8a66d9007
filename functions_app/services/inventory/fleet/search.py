"""Full-text search by plain substrings over the search text that sync keeps ready.

At fleet size a scan of ten thousand short texts beats an index that PostgreSQL and SQLite do not share. SQLite's GLOB
takes half of LIKE's time, for it compares bytes; PostgreSQL's LIKE does so anyhow.
"""

import re
from typing import Any

from django.db.models import Lookup, QuerySet, TextField
from django.db.models.sql.compiler import SQLCompiler

from functions_app.models import Function

WORDS = 5  # more words than that are ignored: each costs a scan
DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{12})[0-9a-f]*")


@TextField.register_lookup
class Holds(Lookup):
    """`text__holds=word`: the text contains the word, byte for byte."""

    lookup_name = "holds"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """LIKE with its wildcards escaped; GLOB on SQLite."""
        left, params = self.process_lhs(compiler, connection)
        word = str(self.rhs)
        if connection.vendor == "sqlite":
            pattern = "*" + re.sub(r"([*?\[])", r"[\1]", word) + "*"
            return f"{left} GLOB %s", (*params, pattern)
        pattern = "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"
        return f"{left} LIKE %s", (*params, pattern)


def words(search: str) -> list[str]:
    """The words to look for. Of a digest its first twelve digits are enough, with or without `sha256:`."""
    found = []
    for word in search.lower().split()[:WORDS]:
        digest = DIGEST.fullmatch(word)
        found.append(digest[1] if digest else word.removeprefix("sha256:"))
    return [word for word in found if word]


def searched(search: str) -> QuerySet[Function]:
    """The functions that are still there and whose search text holds every word."""
    there = Function.objects.filter(gone_at=None)
    wanted = words(search)
    if not wanted:
        return there
    # The texts are read in one scan of the table; row by row in an index's order would take twice as long.
    holding = there
    for word in wanted:
        holding = holding.filter(search_text__holds=word)
    return there.filter(pk__in=holding.order_by().values("pk"))
