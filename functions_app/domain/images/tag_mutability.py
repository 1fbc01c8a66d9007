"""Which tags of a repository can be moved to another image: ECR's four modes with their filters, in words.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html: a mode WITH_EXCLUSION treats the tags
that match one of its filters the other way round. A mode or a filter of a kind that nobody knows is named, not trusted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from functions_app.domain.wildcards import wildcard

WILDCARD = "WILDCARD"


class Tags(StrEnum):
    """What a repository's tags do."""

    MOVE = "move"
    FIXED = "fixed"
    MOSTLY_MOVE = "mostly move"
    MOSTLY_FIXED = "mostly fixed"
    NOT_KNOWN = "not known"


@dataclass(frozen=True)
class TagFilter:
    """Tags that the mode does not apply to; `kind` is ECR's filterType."""

    kind: str
    pattern: str

    @property
    def words(self) -> str:
        """As people read it: the pattern; a kind that nobody knows beside it."""
        return self.pattern if self.kind == WILDCARD else f"{self.pattern} ({self.kind or 'of no kind'})"

    def matches(self, tag: str) -> bool | None:
        """Whether a tag is meant; None where the kind of filter is not known."""
        if self.kind != WILDCARD:
            return None
        return wildcard(self.pattern, single=False).fullmatch(tag) is not None


MODES: Mapping[str, bool] = {  # whether a tag, once pushed, stays
    "MUTABLE": False,
    "MUTABLE_WITH_EXCLUSION": False,
    "IMMUTABLE": True,
    "IMMUTABLE_WITH_EXCLUSION": True,
}


@dataclass(frozen=True)
class TagMutability:
    """A repository's mode and its filters."""

    mode: str
    filters: tuple[TagFilter, ...] = ()

    @property
    def _excluding(self) -> bool:
        return self.mode.endswith("_WITH_EXCLUSION")

    @property
    def tags(self) -> Tags:
        """What the tags do, all in all."""
        fixed = MODES.get(self.mode)
        if fixed is None:
            return Tags.NOT_KNOWN
        if self._excluding:
            return Tags.MOSTLY_FIXED if fixed else Tags.MOSTLY_MOVE
        return Tags.FIXED if fixed else Tags.MOVE

    @property
    def words(self) -> str:
        """One sentence for people."""
        named = _listed([each.words for each in self.filters]) or "some that ECR does not name"
        match self.tags:
            case Tags.MOVE:
                return "Tags can be moved to another image."
            case Tags.FIXED:
                return "A tag, once pushed, can't be moved."
            case Tags.MOSTLY_MOVE:
                return f"Tags can be moved to another image, but not {named}."
            case Tags.MOSTLY_FIXED:
                return f"A tag, once pushed, can't be moved, except {named}."
        if not self.mode:
            return "Whether tags can be moved is not known: ECR did not tell, or was not asked yet."
        return f"Whether tags can be moved is not known: ECR says {self.mode}, which Drydock does not know."

    def can_move(self, tag: str) -> bool | None:
        """Whether this tag can be moved to another image; None where that can't be told."""
        fixed = MODES.get(self.mode)
        if fixed is None or not self._excluding:
            return None if fixed is None else not fixed
        if not self.filters:
            return None
        answers = [each.matches(tag) for each in self.filters]
        if True in answers:
            return fixed
        return None if None in answers else not fixed

    def filters_json(self) -> list[dict[str, str]]:
        """Plain values for a JSON column; `from_stored` reads them back."""
        return [{"kind": each.kind, "pattern": each.pattern} for each in self.filters]

    @classmethod
    def from_stored(cls, mode: str, filters: Sequence[Mapping[str, str]]) -> "TagMutability":
        """Read what was stored."""
        return cls(mode, tuple(TagFilter(each.get("kind", ""), each.get("pattern", "")) for each in filters))


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
