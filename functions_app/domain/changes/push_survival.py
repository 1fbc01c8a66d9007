"""Whether all that is needed outlives the pushes of a patch: one more image may make a lifecycle rule take the oldest.

The result is pushed under its tag; the statement about it has none, and is counted like any other image. That ECR
counts artifacts is not said by its documentation: one image more makes a rule take more, so that this is the cautious
side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from functions_app.domain.changes.base_changes import counted
from functions_app.domain.fleet.lifecycle_policies import Danger, Expiring, Need
from functions_app.domain.fleet.lifecycle_simulation import Kept, Rule, keeping_tag, taken, with_pushes
from functions_app.domain.images.lambda_rules import Check

NAME = "Lifecycle"
STATEMENT = "statement"  # stands for its digest, which is known once it is pushed
SHOWN = 3


@dataclass(frozen=True)
class Pushed:
    """What the rules would take before and after the pushes of a result with this digest and tag."""

    rules: tuple[Rule, ...]
    images: tuple[Kept, ...]
    digest: str
    now: datetime
    before: tuple[Expiring, ...] = field(default=())
    after: tuple[Expiring, ...] = field(default=())

    @classmethod
    def of(cls, rules: Sequence[Rule], held: Sequence[Kept], digest: str, tag: str, now: datetime) -> "Pushed":
        """Simulate both pushes into what a repository holds."""
        later = [now + timedelta(seconds=number) for number in (1, 2, 3)]
        pushes = [Kept(digest, frozenset({tag}), later[0]), Kept(STATEMENT, frozenset(), later[1])]
        images = with_pushes(held, pushes)
        return cls(tuple(rules), images, digest, later[2], taken(rules, held, now), taken(rules, images, later[2]))

    @property
    def lost(self) -> tuple[Expiring, ...]:
        """What goes because of the pushes, but for the two themselves."""
        known = {each.digest for each in self.before}
        return tuple(one for one in self.after if one.digest not in {*known, self.digest, STATEMENT})

    def losing(self, digest: str) -> tuple[Expiring, ...]:
        """By which this image goes once they are pushed, whether because of that or not: itself, or its index."""
        return tuple(one for one in self.after if digest in (one.digest, *one.members))

    def keeping_tag(self, digest: str) -> str:
        """A tag that would keep this image from all rules, '' where none would."""
        tag = f"drydock-keep-{digest.rpartition(':')[2][:12]}"
        return tag if keeping_tag(self.rules, self.images, digest, tag, self.now) else ""


def survival_checks(pushed: Pushed, endangered: Sequence[Danger], name: str) -> tuple[Check, ...]:
    """What forbids the push into the repository `name`, or is to be minded.

    `endangered` are the uses of all that is lost, and of the image that is rebased (the way back) where that would go.
    """
    if own := pushed.losing(pushed.digest):
        text = f"Rule {own[0].rule} of {name} would take the result itself away once its statement is pushed too."
        return (Check(NAME, False, f"{text} Let that rule keep more images, then plan again."),)
    live = [danger for danger in endangered if danger.need is Need.LIVE]
    told = {danger.digest for danger in live}
    others = [danger for danger in endangered if danger.digest not in told]
    found = []
    if live:
        found.append(Check(NAME, False, f"{_told(live)} {_help(pushed, live)}"))
    if others:
        found.append(Check(NAME, None, f"{_told(others)} No alias runs it now."))
    return tuple(found) or (Check(NAME, True, f"No lifecycle rule of {name} takes an image in use for these pushes."),)


def _told(dangers: Sequence[Danger]) -> str:
    texts = list(dict.fromkeys(danger.text for danger in dangers))
    more = f" And so for {counted(len(texts) - SHOWN, 'other use')}." if len(texts) > SHOWN else ""
    return f"Once the result and its statement are pushed: {' '.join(texts[:SHOWN])}{more}"


def _help(pushed: Pushed, live: Sequence[Danger]) -> str:
    """An alias runs it, or could not be given back to it."""
    digests = list(dict.fromkeys(danger.index or danger.digest for danger in live))
    tags = [pushed.keeping_tag(digest) for digest in digests]
    if len(tags) == 1 and tags[0]:
        return f"Give that image the tag {tags[0]} in ECR, which no rule takes, or let the rule keep two more images."
    return "Let the rule keep two more images, then plan again."
