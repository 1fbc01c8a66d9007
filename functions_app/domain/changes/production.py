"""Which aliases carry production traffic: a setting of the account, else of the installation, else a cautious default.

A word is one of a name's words: `live` is in live-eu, blue_live, LiveEu and live2, and not in delivery. A pattern with
* or ? is the whole name, in any case: `*` is every alias.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from functions_app.domain.errors import Code, DrydockError

# Cautious: a name typed for nothing costs seconds. Names of stages before production are left out, and so are those
# of anything that may be one ("next", "candidate").
DEFAULT = (
    "prod", "production", "prd", "live", "release", "released", "stable", "main", "master", "trunk", "current",
    "primary", "default", "active", "public", "customer", "customers", "blue", "green", "ga",
)  # fmt: skip
LENGTH = 300  # characters of the setting; the column that keeps it
_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,128}")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass(frozen=True)
class ProductionAliases:
    """The words and patterns of the names of aliases that carry production traffic."""

    patterns: tuple[str, ...] = DEFAULT

    def include(self, alias: str) -> bool:
        """Whether an alias of this name carries production traffic."""
        name, words = alias.lower(), {word.lower() for word in _WORDS.findall(alias)} | set(re.split("[-_]", alias))
        return any(
            fnmatchcase(name, pattern) if set("*?") & set(pattern) else pattern in words or pattern == name
            for pattern in (pattern.lower() for pattern in self.patterns)
        )

    def __str__(self) -> str:
        return ", ".join(self.patterns)


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
