"""Search by plain substrings over the text that stands ready for each function, in lower case.

A word of three letters or more is looked up in an index of trigrams; shorter ones, and what very many functions hold,
are sooner found by reading the narrow rows of FunctionSearch. What is found is the same either way. SQLite's GLOB takes
half of LIKE's time, for it compares bytes; PostgreSQL's LIKE does so anyhow, and chooses its ways by itself.
"""

import re
from typing import Any

from django.db import connection
from django.db.models import Lookup, QuerySet, TextField
from django.db.models.sql.compiler import SQLCompiler

from functions_app.models import Function, FunctionSearch
from functions_app.services.snapshot.search_index import TRIGRAMS, looks_up_trigrams

WORDS = 5  # more words than that are ignored: each costs a scan
TRIGRAM = 3  # letters
FEW = 4_000  # rows that are sooner read one by one than all in order
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


def short_words(search: str) -> list[str]:
    """The words that are too short to be looked up: they are found anywhere, as others are, by reading every row."""
    return [word for word in words(search) if len(word) < TRIGRAM]


def searched(search: str) -> QuerySet[Function] | QuerySet[FunctionSearch]:
    """The functions that are still there and whose search text holds every word, by as many columns as lists need.

    No query, but on SQLite one where trigrams can be looked up.
    """
    wanted = words(search)
    if not wanted:
        return Function.objects.filter(gone_at=None)
    found = FunctionSearch.objects.all()
    for word in wanted:
        found = found.filter(search_text__holds=word)
    phrases = _phrases(wanted) if looks_up_trigrams(connection) else ""
    return found.filter(search_text__has_trigrams=phrases) if phrases and _are_few(phrases) else found


@TextField.register_lookup
class HasTrigrams(Lookup):
    """`search_text__has_trigrams=phrases`: a function that SQLite's table of trigrams finds by these phrases."""

    lookup_name = "has_trigrams"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The key among those found: FTS5 names rows by the key of what it indexes."""
        key = f"{compiler.quote_name_unless_alias(self.lhs.alias)}.function_id"
        return f"{key} IN (SELECT rowid FROM {TRIGRAMS} WHERE {TRIGRAMS} MATCH %s)", (str(self.rhs),)  # noqa: S608


def _phrases(wanted: list[str]) -> str:
    """The words that trigrams can find as FTS5's phrases: within quotes nothing is an operator, and all must hold."""
    return " ".join('"' + word.replace('"', '""') + '"' for word in wanted if len(word) >= TRIGRAM)


def _are_few(phrases: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {TRIGRAMS} WHERE {TRIGRAMS} MATCH %s LIMIT {FEW + 1})",  # noqa: S608
            [phrases],
        )
        return bool(cursor.fetchone()[0] <= FEW)
