"""Whether all that is needed outlives the pushes of a patch: one more image may make a lifecycle rule take the oldest.

The result is pushed under its tag (with that of a golden image, where both share a repository); the statement about it
has none, and is counted like any other image. That ECR counts artifacts is not said by its documentation: one image
more makes a rule take more, so that this is the cautious side.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from functions_app.domain.changes.aliases import version_name
from functions_app.domain.changes.base_changes import counted
from functions_app.domain.changes.deployments import short
from functions_app.domain.fleet.lifecycle_policies import Danger, Expiring, Need
from functions_app.domain.fleet.lifecycle_simulation import Kept, Rule, keeping_tag, taken, with_pushes
from functions_app.domain.images.lambda_rules import Check

NAME = "Lifecycle"
STATEMENT = "statement"  # stands for its digest, which is known once it is pushed
SHOWN, NAMED = 3, 6  # uses that a sentence tells, and of the others those that it names


@dataclass(frozen=True)
class Pushed:
    """What the rules would take before and after the pushes of results with these digests, each with its statement."""

    rules: tuple[Rule, ...]
    images: tuple[Kept, ...]
    digests: tuple[str, ...]
    now: datetime
    before: tuple[Expiring, ...] = field(default=())
    after: tuple[Expiring, ...] = field(default=())

    @classmethod
    def of(cls, rules: Sequence[Rule], held: Sequence[Kept], results: Mapping[str, str], now: datetime) -> "Pushed":
        """Simulate all pushes into what a repository holds, one after the other; `results` are tags by digest."""
        later = (now + timedelta(seconds=number) for number in count(1))
        pushes = [
            kept
            for number, (digest, tag) in enumerate(results.items())
            for kept in (
                Kept(digest, frozenset({tag}), next(later)),
                Kept(f"{STATEMENT} {number}", frozenset(), next(later)),
            )
        ]
        images, end = with_pushes(held, pushes), next(later)
        return cls(tuple(rules), images, tuple(results), end, taken(rules, held, now), taken(rules, images, end))

    @property
    def lost(self) -> tuple[Expiring, ...]:
        """What goes because of the pushes, but for what is pushed."""
        known = {*self.digests, *(each.digest for each in self.before)}
        return tuple(one for one in self.after if one.digest not in known and not one.digest.startswith(STATEMENT))

    def losing(self, digest: str) -> tuple[Expiring, ...]:
        """By which this image goes once they are pushed, whether because of that or not: itself, or its index."""
        return tuple(one for one in self.after if digest in (one.digest, *one.members))

    def goes_anyway(self, danger: Danger) -> bool:
        """Whether the image goes by the rules as they are, whatever is pushed."""
        return any(danger.digest in (one.digest, *one.members) for one in self.before)

    def keeping_tag(self, digest: str) -> str:
        """A tag that would keep this image from all rules, '' where none would."""
        tag = f"drydock-keep-{digest.rpartition(':')[2][:12]}"
        return tag if keeping_tag(self.rules, self.images, digest, tag, self.now) else ""


def survival_checks(
    pushed: Pushed,
    endangered: Sequence[Danger],
    name: str,
    golden: Collection[str] = (),
    rebased: Collection[str] = (),
) -> tuple[Check, ...]:
    """What forbids the pushes into the repository `name`, or is to be minded.

    `endangered` are the uses of all that is lost, and of the image that is rebased (the way back) where that would go;
    `golden` are digests of golden images that are rebased, whose owners' builds begin with them, `rebased` of others.
    """
    if own := [lost for digest in pushed.digests for lost in pushed.losing(digest)]:
        text = f"Rule {own[0].rule} of {name} would take the result itself away once its statement is pushed too."
        return (Check(NAME, False, f"{text} Let that rule keep more images, then plan again."),)
    if lost := [lost for lost in pushed.lost if not {lost.digest, *lost.members}.isdisjoint(golden)]:
        text = f"Rule {lost[0].rule} of {name} would take the golden image away that its owner's builds begin with."
        return (Check(NAME, False, f"{text} {_room(pushed)}"),)
    live = [danger for danger in endangered if danger.need is Need.LIVE]
    told = {danger.digest for danger in live}
    others = [danger for danger in endangered if danger.digest not in told]
    found = []
    if live:
        found.append(Check(NAME, False, f"{_told(pushed, live, rebased)} {_help(pushed, live)}"))
    if others:
        found.append(Check(NAME, None, f"{_told(pushed, others, rebased)} No alias runs it now."))
    return tuple(found) or (Check(NAME, True, f"No lifecycle rule of {name} takes an image in use for these pushes."),)


def _told(pushed: Pushed, dangers: Sequence[Danger], rebased: Collection[str]) -> str:
    """What goes for the pushes, and what would go without them too: the blame is not the patch's."""
    pushes = "results and their statements" if len(pushed.digests) > 1 else "result and its statement"
    because = [danger for danger in dangers if not pushed.goes_anyway(danger)]
    anyway = [danger for danger in dangers if pushed.goes_anyway(danger)]
    groups = ((f"Once the {pushes} are pushed", because), ("Without this patch too", anyway))
    return " ".join(f"{when}: {_uses(each, rebased)}" for when, each in groups if each)


def _uses(dangers: Sequence[Danger], rebased: Collection[str]) -> str:
    """A sentence for each of the first few, with its image; the others by name."""
    texts = [f"{danger.text} It is {short(danger.digest)}." for danger in dangers[:SHOWN]]
    others = [f"{danger.use.function} {version_name(danger.use.version)}" for danger in dangers[SHOWN:]]
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    texts += [f"So it is for {', '.join(others[:NAMED])}{more}."] if others else []
    back = (danger.digest for danger in dangers if danger.digest in rebased)
    texts += [f"{short(digest)} is what is patched, and the way back." for digest in back]
    return " ".join(dict.fromkeys(texts))


def _help(pushed: Pushed, live: Sequence[Danger]) -> str:
    """An alias runs it, or could not be given back to it."""
    digests = list(dict.fromkeys(danger.index or danger.digest for danger in live))
    tags = {digest: pushed.keeping_tag(digest) for digest in digests[:SHOWN]}
    anyway = any(map(pushed.goes_anyway, live))
    room = "let the rule keep more images" if anyway else _more(pushed)
    if len(digests) > SHOWN or not all(tags.values()):
        return f"{room[:1].upper()}{room[1:]}, then plan again."
    given = "; ".join(f"{short(digest)} the tag {tag}" for digest, tag in tags.items())
    return f"In ECR, give {given}, which no rule takes; or {room}. Sync, then plan again."


def _more(pushed: Pushed) -> str:
    return f"let the rule keep {counted(2 * len(pushed.digests), 'more image')}"


def _room(pushed: Pushed) -> str:
    return f"L{_more(pushed)[1:]}, then plan again."
