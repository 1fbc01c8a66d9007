"""What each alias of a function could go back to, in words: the versions, what is to be said of each, why none."""

from dataclasses import dataclass
from datetime import datetime

from functions_app.models import Function
from functions_app.services.snapshot.rollback_targets import AliasTargets, RollbackTarget, targets

SHOWN = 3


@dataclass(frozen=True)
class NamedTarget:
    """A version to go back to: "version 2 (live until AT, the same image),"; `joint` leads on to the next."""

    version: str
    verb: str
    at: datetime | None
    remarks: str
    joint: str


@dataclass(frozen=True)
class WayBack:
    """An alias with the first versions it could go back to; `rest` says how many more there are, or why there is none.

    `unread` are those of which nobody here knows whether their image is there.
    """

    alias: str
    version: str
    available: int
    unread: int
    shown: tuple[NamedTarget, ...]
    rest: str


def ways_back(pk: int) -> tuple[WayBack, ...]:
    """What each alias could go back to, by the choice that rollbacks offer. Four queries."""
    return tuple(way_back(each) for each in targets(Function(pk=pk)))


def way_back(each: AliasTargets) -> WayBack:
    """One alias in words."""
    usable = [target for target in each.targets if not target.obstacle and not target.unread][:SHOWN]
    shown = tuple(_named(target, last=target is usable[-1]) for target in usable)
    hidden = each.available - len(shown)
    rest = f"and {hidden} more" if hidden > 0 else ""
    return WayBack(
        each.alias.name, each.alias.version, each.available, each.unread, shown, rest if each.available else _why(each)
    )


def _named(target: RollbackTarget, *, last: bool) -> NamedTarget:
    remarks = [
        "" if target.seen else "never seen live here",
        "the same image" if target.same_image else "",
        target.expiry,
    ]
    return NamedTarget(
        target.version,
        "live until" if target.seen else "published",
        target.live_until if target.seen else target.published_at,
        "".join(f", {remark}" for remark in remarks if remark),
        "" if last else ",",
    )


def _why(each: AliasTargets) -> str:
    if doubts := list(dict.fromkeys(target.doubt for target in each.targets if target.doubt)):
        return f"Whether an earlier version can be used is not known: {'; '.join(doubts[:2])}."
    if each.unread:
        one = each.unread == 1
        which = "The image of one earlier version is" if one else f"The images of {each.unread} earlier versions are"
        return f"{which} in a repository that Drydock does not read. Planning a rollback asks ECR."
    if not each.lost:
        return "No earlier version was published."
    reasons = list(dict.fromkeys(target.obstacle for target in each.targets if target.obstacle))
    which = "The one earlier version" if each.lost == 1 else f"None of the {each.lost} earlier versions"
    return f"{which} can{'not' if each.lost == 1 else ''} be used. {' '.join(reasons[:2])}"
