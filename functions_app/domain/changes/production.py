"""Which aliases carry production traffic: a setting of the account, else of the installation, else a cautious default.

A word is one of a name's words, in any case: `live` is in live-eu, blue_live, LiveEu, LIVEeu and live2, and not in
delivery; nor is it where the name says that it is not (non-live) or only comes before it (pre-live). A pattern with
* or ? is the whole name: `*` is every alias. By default liveeu and prodv2 are production as well.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from functions_app.domain.errors import Code, DrydockError

# Cautious: a name typed for nothing costs seconds. Names of stages before production are left out, and so are those
# of anything that may be one ("next", "candidate").
DEFAULT = (
    "prod", "production", "prd", "live", "release", "released", "stable", "main", "master", "trunk", "current",
    "primary", "default", "active", "public", "customer", "customers", "blue", "green", "ga",
)  # fmt: skip
ANY = "@production"  # stands for all of them where one alias is asked for: AWS lets none be called so
LENGTH = 300  # characters of the setting; the column that keeps it
_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,128}")
# How a name may be read: in camel case, as words in capitals with small ones behind (PRODeu), by its separators alone.
_READINGS = (
    re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"),
    re.compile(r"[A-Z]{2,}|[A-Z]?[a-z]+|[0-9]+"),
    re.compile(r"[^-_]+"),
)
_DENIALS = frozenset({"non", "not", "no", "pre"})  # before a word: it is not that, or not yet
_BEGINNINGS = re.compile(r"prod(?!uc)|production|prd|live")  # of a word, by default; a product is no production


@dataclass(frozen=True)
class ProductionAliases:
    """The words and patterns of the names of aliases that carry production traffic."""

    patterns: tuple[str, ...] = DEFAULT

    def include(self, alias: str) -> bool:
        """Whether an alias of this name carries production traffic."""
        name, words = alias.lower(), words_of(alias)
        named = any(
            fnmatchcase(name, pattern) if set("*?") & set(pattern) else pattern in words or pattern == name
            for pattern in (pattern.lower() for pattern in self.patterns)
        )
        return named or (self.patterns == DEFAULT and any(map(_BEGINNINGS.match, words)))

    def cover(self, other: "ProductionAliases") -> bool:
        """Whether these include whatever the other do, by their words: how an alias may be called nobody knows."""
        if other.patterns == DEFAULT:  # which are more than words: see `include`
            return self.patterns == DEFAULT
        return {pattern.lower() for pattern in other.patterns} <= {pattern.lower() for pattern in self.patterns}

    def first(self, aliases: Iterable[str]) -> list[str]:
        """Those that carry production traffic before the others, each by name: what people mean by "live"."""
        return sorted(aliases, key=lambda alias: (not self.include(alias), alias))

    def __str__(self) -> str:
        return ", ".join(self.patterns)


@lru_cache(maxsize=4096, typed=True)
def words_of(alias: str) -> frozenset[str]:
    """The words of a name, in small letters, without those that it denies."""
    readings = (["", *reading.findall(alias)] for reading in _READINGS)
    pairs = itertools.chain.from_iterable(map(itertools.pairwise, readings))
    return frozenset(word.lower() for before, word in pairs if before.lower() not in _DENIALS)


def parse_patterns(text: str) -> tuple[str, ...]:
    """The words and patterns of a setting, separated by commas or spaces. Raises INVALID, naming a wrong one."""
    found = tuple(dict.fromkeys(re.split(r"[\s,]+", text.strip()))) if text.strip() else ()
    for pattern in found:
        if pattern and not _PATTERN.fullmatch(pattern):
            raise DrydockError(
                Code.INVALID,
                f"{pattern[:80]!r} can't be in the name of an alias.",
                next_step="Words and patterns of letters, digits, - and _, with * and ? for any: live, prod*, *-eu.",
            )
    return tuple(pattern for pattern in found if pattern)


def production_aliases(*settings: Sequence[str]) -> ProductionAliases:
    """The first setting that names anything: the account's, then the installation's; the default where none does."""
    return ProductionAliases(tuple(next((patterns for patterns in settings if patterns), DEFAULT)))
