"""Aliases: where one points, and what it may be called. Pure."""

import re
from dataclasses import dataclass

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import AliasFact
from functions_app.domain.redaction import redact

ALIAS_NAME = re.compile(r"(?!^[0-9]+$)[a-zA-Z0-9_-]{1,128}")  # CreateAlias, parameter Name


@dataclass(frozen=True)
class AliasState:
    """Where an alias points; an empty version: there is no such alias. The weight is the second version's, 0 to 1."""

    version: str = ""
    second_version: str = ""
    second_weight: float = 0.0
    revision_id: str = ""
    description: str = ""  # redacted: only to say what somebody else changed

    @classmethod
    def of(cls, fact: AliasFact | None) -> "AliasState":
        """The state in what Lambda told."""
        if fact is None:
            return cls()
        told = redact(fact.description)
        return cls(fact.version, fact.second_version, fact.second_weight, fact.revision_id, told)

    @property
    def exists(self) -> bool:
        """Whether there is such an alias."""
        return bool(self.version)

    def routes_like(self, other: "AliasState") -> bool:
        """Whether both send the same share of calls to the same versions (revisions may differ)."""
        return self.shares() == other.shares()

    def shares(self) -> dict[str, float]:
        """Version -> share of the calls, those without any left out."""
        if not self.second_version or self.second_weight <= 0:
            return {self.version: 1.0} if self.version else {}
        rest = {self.version: round(1 - self.second_weight, 6)} if self.second_weight < 1 else {}
        return {**rest, self.second_version: round(self.second_weight, 6)}

    def __str__(self) -> str:
        if not self.exists:
            return "nothing"
        return " and ".join(
            version_name(version) if share == 1 else f"{version_name(version)} ({share * 100:g} %)"
            for version, share in self.shares().items()
        )


def version_name(number: str) -> str:
    """ "version 7", "$LATEST", "a new version" where there is no number yet."""
    if not number:
        return "a new version"
    return f"version {number}" if number.isdecimal() else number


def what_changed(before: AliasState, now: AliasState) -> str:
    """What somebody changed of an alias, as the rest of "it ..."; "" where it is as it was."""
    if not now.routes_like(before):
        return f"pointed to {before}, and now to {now}"
    if now.revision_id == before.revision_id:
        return ""
    if now.description != before.description:
        return f"still points to {now}; its description was changed"
    return f"still points to {now}, but was written again by somebody"


def check_alias_name(text: str) -> str:
    """The alias name, trimmed. Raises INVALID where Lambda would refuse it."""
    name = text.strip()
    if not ALIAS_NAME.fullmatch(name):
        raise DrydockError(
            Code.INVALID,
            f"{name!r} can't be the name of an alias." if name else "Choose an alias, or name a new one.",
            next_step="Use 1 to 128 letters, digits, - and _, not digits alone.",
        )
    return name
