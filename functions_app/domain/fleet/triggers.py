"""What calls a function, by which qualifier, and whether an alias decides which version such a call reaches.

A trigger on the bare function reaches $LATEST, whatever its aliases say; one on a number stays on that version.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from functions_app.domain.errors import Problem
from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST
from functions_app.domain.fleet.policy_language import texts
from functions_app.domain.redaction import redact
from functions_app.domain.text import storable

ANYBODY, TEXT = "anybody", 300


class Part(StrEnum):
    """What is read by calls of its own, each of which may be refused by itself."""

    MAPPINGS = "event source mappings"
    URLS = "function URLs"
    PERMISSIONS = "permissions"
    ASYNCHRONOUS = "asynchronous calls"
    CONCURRENCY = "concurrency"
    RESERVED = "reserved concurrency"


@dataclass(frozen=True)
class Trigger:
    """One of them: who or what calls (of asynchronous calls: where results go), and of which qualifier ("": none)."""

    part: Part
    qualifier: str
    source: str
    detail: str = ""
    service: str = ""  # the principal of a permission that is one of AWS's services


@dataclass(frozen=True)
class Provisioned:
    """Provisioned concurrency of an alias or version, as it is set."""

    qualifier: str
    wanted: int
    status: str


@dataclass(frozen=True)
class Triggers:
    """All that was told of a function. `problems` are the parts that could not be read; `left_out` qualifiers too many.

    `reserved`: its reserved concurrency, None where none is set. `older`: of which of those parts what an earlier
    reading was told stands here, and when that was.
    """

    triggers: tuple[Trigger, ...] = ()
    provisioned: tuple[Provisioned, ...] = ()
    reserved: int | None = None
    problems: Mapping[str, Problem] = field(default_factory=dict)
    left_out: int = 0
    older: Mapping[str, datetime] = field(default_factory=dict)

    @classmethod
    def refused(cls, problem: Problem) -> "Triggers":
        """Where nothing of it was told."""
        return cls(problems={part.value: problem for part in Part})

    @property
    def told_of(self) -> bool:
        """Whether anything of it was told."""
        return len(self.problems) < len(Part)

    @property
    def for_now(self) -> Problem | None:
        """Why it may be told soon, where a part was refused for no more than the moment."""
        return next((problem for problem in self.problems.values() if problem.retryable), None)

    def as_json(self) -> dict[str, Any]:
        """As it is stored; `soon`: to be asked again before its day is over."""
        return {
            "triggers": [asdict(each) for each in self.triggers],
            "provisioned": [asdict(each) for each in self.provisioned],
            "reserved": self.reserved,
            "problems": {part: problem.as_json() for part, problem in self.problems.items()},
            "left_out": self.left_out,
            "older": {part: at.isoformat() for part, at in self.older.items()},
            "soon": self.for_now is not None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Triggers":
        """Read what is stored, the parts in their order: PostgreSQL keeps names of JSON in another."""
        problems = value["problems"]
        return cls(
            tuple(Trigger(**{**each, "part": Part(each["part"])}) for each in value["triggers"]),
            tuple(Provisioned(**each) for each in value["provisioned"]),
            value["reserved"],
            {part.value: Problem.from_json(problems[part.value]) for part in Part if part.value in problems},
            value["left_out"],
            {part: datetime.fromisoformat(at) for part, at in value.get("older", {}).items()},
        )

    def beside(self, known: "Triggers", known_at: datetime) -> "Triggers":
        """The same, with what was known by then of the parts that could not be read this time."""
        older = dict(known.older) | {part.value: known_at for part in Part if part.value not in known.problems}
        older = {part: at for part, at in older.items() if part in self.problems}
        kept = (*self.triggers, *(each for each in known.triggers if each.part.value in older))
        parts = [*Part]
        return replace(
            self,
            triggers=tuple(sorted(kept, key=lambda each: parts.index(each.part))),
            provisioned=known.provisioned if Part.CONCURRENCY.value in older else self.provisioned,
            reserved=known.reserved if Part.RESERVED.value in older else self.reserved,
            left_out=known.left_out if len(older) == len(parts) else self.left_out,
            older=older,
        )

    @property
    def callers(self) -> tuple[str, ...]:
        """The services of AWS that may call it."""
        return tuple(sorted({each.service for each in self.triggers if each.service}))


class Way(StrEnum):
    """Which version a call by a trigger reaches."""

    ALIAS = "alias"
    PAST = "past the aliases"
    UNQUALIFIED = "unqualified"
    VERSION = "version"
    LOST = "lost"


@dataclass(frozen=True)
class Reach:
    """The way of a trigger's calls, in words."""

    way: Way
    says: str


def reach(
    qualifier: str, aliases: Mapping[str, str], versions: Collection[str], part: Part = Part.PERMISSIONS
) -> Reach:
    """Where calls by this qualifier go; `aliases` with the version each runs, `versions` that are known."""
    found = _reach(qualifier, aliases, versions)
    return Reach(found.way, f"set for calls of {qualifier or LATEST}") if part is Part.ASYNCHRONOUS else found


def _reach(qualifier: str, aliases: Mapping[str, str], versions: Collection[str]) -> Reach:
    if qualifier in aliases:
        return Reach(Way.ALIAS, f"through the alias {qualifier}, now version {aliases[qualifier]}")
    if qualifier in ("", LATEST):
        latest = PUBLISHED_LATEST if PUBLISHED_LATEST in versions else LATEST
        if aliases:
            return Reach(Way.PAST, f"past the aliases: it reaches {latest}, whatever they point to")
        return Reach(Way.UNQUALIFIED, f"reaches {latest}; there is no alias")
    if qualifier in versions:
        return Reach(Way.VERSION, f"always version {qualifier}: no alias decides")
    return Reach(Way.LOST, f"{qualifier} is no alias or version that is known")


def permitted(policy: str, qualifier: str) -> tuple[Trigger, ...]:
    """The statements of a resource policy. Raises ValueError where it is none."""
    document = json.loads(policy)
    if not isinstance(document, dict):
        raise ValueError("no policy")
    given = document.get("Statement")
    statements = given if isinstance(given, list) else [given]
    return tuple(_permitted(each, qualifier) for each in statements if isinstance(each, dict))


def _permitted(statement: Mapping[str, Any], qualifier: str) -> Trigger:
    principal = statement.get("Principal")
    services = texts(principal["Service"]) if isinstance(principal, dict) and "Service" in principal else []
    others = [name for kind, of in principal.items() if kind != "Service" for name in texts(of)] if isinstance(
        principal, dict
    ) else [ANYBODY if principal == "*" else str(principal)]  # fmt: skip
    names = [*services, *(ANYBODY if name == "*" else name for name in others)]
    effect = "" if statement.get("Effect") == "Allow" else f"{statement.get('Effect')}: "
    return Trigger(
        Part.PERMISSIONS,
        qualifier,
        storable(redact(effect + ", ".join(names)), TEXT) or "nobody",
        storable(redact("; ".join(_conditions(statement))), TEXT),
        storable(services[0], 100) if services else "",
    )


def _conditions(statement: Mapping[str, Any]) -> Iterator[str]:
    conditions = statement.get("Condition")
    for operator, of in conditions.items() if isinstance(conditions, dict) else ():
        for key, value in of.items() if isinstance(of, dict) else ():
            source = key.lower() in ("aws:sourcearn", "aws:sourceaccount")
            yield f"from {', '.join(texts(value))}" if source else f"{key} {operator} {', '.join(texts(value))}"
