"""What a repository's lifecycle policy would take away, held against what functions use.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html: a rule expires (deletes) images
or moves them to the archive class, from which nothing can be pulled: for a function both are the end of its image.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from functions_app.domain.fleet.functions import LATEST
from functions_app.domain.json_fields import read_text

NOT_TOLD = "none is told"
POLICY_LIMIT = 30_720  # characters; ECR's own limit


class Action(StrEnum):
    """What a rule does with an image; one that nobody knows is neither, and told by ECR's own words."""

    DELETE = "delete"
    ARCHIVE = "archive"
    UNKNOWN = ""


class Need(IntEnum):
    """How much an image is needed, the most first."""

    LIVE = 0  # an alias points to it; of a function without aliases what its callers reach
    ROLLBACK = 1  # an alias could go back to it
    LATEST = 2  # $LATEST, which no alias stands for
    PUBLISHED = 3  # a published version that nobody points to


# What a rule does, for each action: to one image in a list, and within a sentence about who needs it.
_DOES: Mapping[Action, str] = {
    Action.DELETE: "deletes it",
    Action.ARCHIVE: "archives it: it can't be pulled",
    Action.UNKNOWN: "takes an action that Drydock does not know ({told})",
}
_SENTENCES: Mapping[Action, str] = {
    Action.DELETE: "delete {what}",
    Action.ARCHIVE: "archive {what}; then it can't be pulled",
    Action.UNKNOWN: "take an action that Drydock does not know ({told}) on {what}",
}

_STORED = {action.value: action for action in Action}


@dataclass(frozen=True)
class Expiring:
    """An image that a rule would take away; `members` are those that go with it where it is an index."""

    digest: str
    rule: int
    action: Action = Action.DELETE
    tags: tuple[str, ...] = ()
    pushed_at: str = ""  # ISO 8601
    members: tuple[str, ...] = ()
    told: str = ""  # ECR's words for an action that is not known here

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON column; `from_json` reads them back."""
        return {
            "digest": self.digest,
            "rule": self.rule,
            "action": self.action.value,
            "tags": list(self.tags),
            "pushed_at": self.pushed_at,
            "members": list(self.members),
            "told": self.told,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Expiring":
        """Read what `as_json` wrote."""
        return cls(
            digest=read_text(value.get("digest")),
            rule=int(value.get("rule") or 0),
            action=_STORED.get(read_text(value.get("action", "delete")), Action.UNKNOWN),
            tags=tuple(value.get("tags") or ()),
            pushed_at=read_text(value.get("pushed_at")),
            members=tuple(value.get("members") or ()),
            told=read_text(value.get("told")),
        )

    @property
    def does(self) -> str:
        """What the rule does with it, for people, after "Rule 3"."""
        return _DOES[self.action].format(told=self.told or NOT_TOLD)


@dataclass(frozen=True)
class Use:
    """A version of a function that runs an image, in any account.

    `aliases` point to it (with a weight counts too), `ways_back` are aliases that could go back to it; `called`:
    the function has none, and its callers reach this version.
    """

    digest: str
    function_id: int
    function: str
    account: str
    version: str
    aliases: tuple[str, ...] = ()
    ways_back: tuple[str, ...] = ()
    called: bool = False

    @property
    def need(self) -> Need:
        """How much the function needs the image."""
        if self.aliases or self.called:
            return Need.LIVE
        if self.ways_back:
            return Need.ROLLBACK
        return Need.LATEST if self.version == LATEST else Need.PUBLISHED


@dataclass(frozen=True)
class Danger:
    """An image in use that a rule would take away: one sentence, and what it is made of."""

    need: Need
    rule: int
    action: Action
    digest: str
    use: Use
    index: str = ""  # the digest of the index that takes the image with it
    text: str = ""


def endangered(expiring: Sequence[Expiring], uses: Iterable[Use]) -> tuple[Danger, ...]:
    """Every use of an image that a rule would take away: the most needed first, then by name.

    An image that an index holds goes after the index (ECR keeps it only until then), which the sentence says.
    """
    first_last = sorted(
        expiring, key=lambda each: (each.rule, each.digest), reverse=True
    )  # of several indexes it is told
    doomed = {member: (each, each.digest) for each in first_last for member in each.members}
    doomed |= {each.digest: (each, "") for each in expiring}
    found = []
    for use in uses:
        if use.digest in doomed:
            image, index = doomed[use.digest]
            text = _sentence(image, use, index)
            found.append(Danger(use.need, image.rule, image.action, use.digest, use, index, text))
    return tuple(sorted(found, key=_most_needed_first))


def _most_needed_first(danger: Danger) -> tuple[Need, str, str, str, int]:
    use = danger.use
    return danger.need, use.function, use.account, use.version, use.function_id


def all_digests(expiring: Iterable[Expiring]) -> dict[int, set[str]]:
    """The digests by rule, those held by an index among them."""
    found: dict[int, set[str]] = {}
    for each in expiring:
        found.setdefault(each.rule, set()).update((each.digest, *each.members))
    return found


def _sentence(image: Expiring, use: Use, index: str) -> str:
    what = f"{'the index that holds the image' if index else 'the image'} {_behind(use)}"
    return f"Rule {image.rule} will {_SENTENCES[image.action].format(what=what, told=image.told or NOT_TOLD)}."


def _behind(use: Use) -> str:
    if use.aliases:
        return f"behind {use.function} {_listed(use.aliases)} (version {use.version})"
    if use.need is Need.LIVE:
        return f"behind {use.function}, whose callers reach {use.version}"
    if use.ways_back:
        return f"of version {use.version}, which {use.function} {_listed(use.ways_back)} could go back to"
    if use.version == LATEST:
        return f"that {LATEST} of {use.function} runs"
    return f"of version {use.version} of {use.function}, which no alias points to"


def _listed(names: Sequence[str]) -> str:
    """ "prod", "prod and canary", "prod, canary and 3 more"."""
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
