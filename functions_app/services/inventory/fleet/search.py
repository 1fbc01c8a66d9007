"""Search by plain substrings over the text that stands ready for each function, in lower case.

What a pasted text names (an ARN, a log group, a console's address, `name:alias`) is found by what it names.

A word of three letters or more is looked up in an index of trigrams; shorter ones, and what very many functions hold,
are sooner found by reading the narrow rows of FunctionSearch. What is found is the same either way. SQLite's GLOB takes
half of LIKE's time, for it compares bytes; PostgreSQL's LIKE does so anyhow, and chooses its ways by itself.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Lookup, Q, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.sql.compiler import SQLCompiler

from functions_app.domain.pasted.reading import read
from functions_app.domain.pasted.things import AccountNumber, FunctionNamed, ImageNamed, LogGroup, Thing
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


@dataclass(frozen=True)
class Way:
    """One way to be what is looked for: to hold all of these words, in lower case, and the rest."""

    words: tuple[str, ...]
    rest: Q = field(default_factory=Q)

    @property
    def condition(self) -> Q:
        """What must be of a row of FunctionSearch."""
        held = Q(self.rest)
        for word in self.words:
            held &= Q(search_text__holds=word)
        return held


def searched(search: str) -> QuerySet[Function] | QuerySet[FunctionSearch]:
    """The functions that are still there and are what is looked for, by as many columns as lists need.

    No query, but on SQLite one where trigrams can be looked up.
    """
    sought = ways(search)
    if not sought:
        return Function.objects.filter(gone_at=None)
    found = FunctionSearch.objects.all()
    for several in sought:
        wanted = several[0].condition
        for way in several[1:]:
            wanted |= way.condition
        found = found.filter(wanted)
    phrases = _phrases(sought) if looks_up_trigrams(connection) else ""
    return found.filter(search_text__has_trigrams=phrases) if phrases and _are_few(phrases) else found


def ways(search: str) -> list[Sequence[Way]]:
    """What is looked for: all of these, each in one of its ways. A pasted thing is one, whatever blanks are in it."""
    if not words(search):
        return []
    things = read(search)
    if len(things) == 1 and (way := _named(things[0])):
        return [(way,)]
    return [
        (Way(tuple(plain)), *(way for thing in read(word) if (way := _named(thing))))
        for word in search.split()[:WORDS]
        if (plain := words(word))
    ]


def _named(thing: Thing) -> Way | None:
    """How a function is found that a thing names, runs from or lies in; None where its words are all that tell."""
    match thing:
        case FunctionNamed():
            told = Q(name__iexact=thing.name) & _within(thing.region, thing.account)
            return Way(_lower(thing.name, thing.alias), told)
        case LogGroup():
            named = Q(name__iexact=thing.function) if thing.function else Q(pk__in=[])
            told = named | Q(search_text__holds=thing.group.lower())
            return Way(_lower(thing.function or thing.group), told & _within(thing.region, thing.account))
        case ImageNamed():
            return Way(tuple(words(thing.digest)) or _lower(thing.repository, thing.tag))
        case AccountNumber():
            return Way((), _within("", thing.number))
    return None


def _within(region: str, account: str) -> Q:
    found = Q(region=region) if region else Q()
    return found & Q(account__account_id=account) if account else found


def _lower(*told: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in told if word)


@TextField.register_lookup
class HasTrigrams(Lookup):
    """`search_text__has_trigrams=phrases`: a function that SQLite's table of trigrams finds by these phrases."""

    lookup_name = "has_trigrams"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The key among those found: FTS5 names rows by the key of what it indexes."""
        key = f"{compiler.quote_name_unless_alias(self.lhs.alias)}.function_id"
        return f"{key} IN (SELECT rowid FROM {TRIGRAMS} WHERE {TRIGRAMS} MATCH %s)", (str(self.rhs),)  # noqa: S608


def keys_by_trigrams(search: str) -> RawSQL | None:
    """The keys of the functions that are what is looked for, where trigrams alone can tell which. No query.

    For rows that stand for functions: to ask FunctionSearch for the key takes a look at each row that holds the words.
    """
    sought = ways(search) if looks_up_trigrams(connection) else []
    alone = all(len(word) >= TRIGRAM for several in sought for way in several for word in way.words)
    if not sought or not alone or any(way.rest for several in sought for way in several):
        return None
    return RawSQL(f"SELECT rowid FROM {TRIGRAMS} WHERE {TRIGRAMS} MATCH %s", (_phrases(sought),))  # noqa: S608, S611


def _phrases(sought: Iterable[Sequence[Way]]) -> str:
    """What trigrams can find of it, in FTS5's words: within quotes nothing is an operator."""
    found = []
    for several in sought:
        each = [_all_of([word for word in way.words if len(word) >= TRIGRAM]) for way in several]
        if all(each):
            found.append(f"({' OR '.join(each)})")
    return " AND ".join(found)


def _all_of(phrases: Sequence[str]) -> str:
    quoted = ['"' + phrase.replace('"', '""') + '"' for phrase in phrases]
    return f"({' AND '.join(quoted)})" if quoted else ""


def _are_few(phrases: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {TRIGRAMS} WHERE {TRIGRAMS} MATCH %s LIMIT {FEW + 1})",  # noqa: S608
            [phrases],
        )
        return bool(cursor.fetchone()[0] <= FEW)
