"""What a repository's lifecycle policy would take away once more images are pushed: ECR previews only what is there.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html and .../lifecycle_policy_parameters.html:
rules apply by their priority; an image that a rule selects is no matter of a later rule; no rule's count overlooks the
images that another rule takes; what an index holds goes after the index.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from functions_app.domain.fleet.lifecycle_policies import Action, Expiring
from functions_app.domain.json_fields import malformed, read_list, read_object, read_strings, read_text
from functions_app.domain.wildcards import wildcard

_ACTIONS = {"expire": Action.DELETE, "transition": Action.ARCHIVE}
_STATUSES = ("tagged", "untagged", "any")


@dataclass(frozen=True)
class Kept:
    """An image that a repository holds outside its archive class; `members` are the digests that an index holds."""

    digest: str
    tags: frozenset[str]
    pushed_at: datetime
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A rule of a policy, but for those of the archive class: patterns and prefixes must each fit one of the tags."""

    priority: int
    status: str
    patterns: tuple[str, ...]
    prefixes: tuple[str, ...]
    counts: str
    number: int
    action: Action

    def selects(self, tags: Iterable[str]) -> bool:
        """Whether it is a matter of this rule, by its tags."""
        held = tuple(tags)
        if self.status != "tagged":
            return self.status == "any" or not held
        if not self.patterns and not self.prefixes:
            return False
        patterns = [wildcard(pattern, single=False) for pattern in self.patterns]
        return all(any(pattern.fullmatch(tag) for tag in held) for pattern in patterns) and all(
            any(tag.startswith(prefix) for tag in held) for prefix in self.prefixes
        )


def read_rules(policy: str) -> tuple[Rule, ...]:
    """The rules of a policy (JSON text), in the order they apply. Raises INVALID for one that can't be understood."""
    document = read_object(policy.encode(), "lifecycle policy")
    rules = [_rule(rule) for rule in read_list(document.get("rules"), "rules") if not _of_archive(rule)]
    return tuple(sorted(rules, key=lambda rule: rule.priority))


def _of_archive(rule: Any) -> bool:
    """Such a rule takes only what nothing can be pulled from any more."""
    selection = rule.get("selection") if isinstance(rule, dict) else None
    return isinstance(selection, dict) and selection.get("storageClass") == "archive"


def _rule(rule: Any) -> Rule:
    selection = rule.get("selection") if isinstance(rule, dict) else None
    if not isinstance(selection, dict):
        raise malformed("lifecycle policy", "a rule of it has no selection")
    status, priority, number = selection.get("tagStatus"), rule.get("rulePriority"), selection.get("countNumber")
    if status not in _STATUSES or type(priority) is not int or type(number) is not int:
        raise malformed("lifecycle policy", "a rule of it has a tagStatus, priority or count that is not known here")
    action = rule.get("action")
    return Rule(
        priority=priority,
        status=status,
        patterns=tuple(read_strings(selection.get("tagPatternList"), "tagPatternList")),
        prefixes=tuple(read_strings(selection.get("tagPrefixList"), "tagPrefixList")),
        counts=read_text(selection.get("countType")),
        number=number,
        action=_ACTIONS.get(read_text(action.get("type")) if isinstance(action, dict) else "", Action.UNKNOWN),
    )


def taken(rules: Sequence[Rule], images: Iterable[Kept], now: datetime) -> tuple[Expiring, ...]:
    """What the rules would take away of these images at `now`, the newest first.

    By imageCountMoreThan and sinceImagePushed; when an image was pulled last nobody tells here, so that a rule by that
    takes nothing. Pushing changes nothing of what it takes.
    """
    found = sorted(images, key=lambda image: image.pushed_at, reverse=True)
    held = {member for image in found for member in image.members}
    found = [image for image in found if image.digest not in held]
    claimed: set[str] = set()
    gone: list[tuple[Kept, Rule]] = []
    for rule in rules:
        selected = [image for image in found if rule.selects(image.tags)]
        gone += [(image, rule) for image in _too_many(rule, selected, now) if image.digest not in claimed]
        claimed |= {image.digest for image in selected}
    gone.sort(key=lambda pair: pair[0].pushed_at, reverse=True)
    return tuple(_expiring(image, rule) for image, rule in gone)


def _too_many(rule: Rule, newest_first: Sequence[Kept], now: datetime) -> Sequence[Kept]:
    if rule.counts == "imageCountMoreThan":
        return newest_first[rule.number :]
    if rule.counts == "sinceImagePushed":
        return [image for image in newest_first if now - image.pushed_at > timedelta(days=rule.number)]
    return ()


def _expiring(image: Kept, rule: Rule) -> Expiring:
    return Expiring(
        digest=image.digest,
        rule=rule.priority,
        action=rule.action,
        tags=tuple(sorted(image.tags)),
        pushed_at=image.pushed_at.isoformat(),
        members=image.members,
    )


def with_pushes(images: Iterable[Kept], pushes: Sequence[Kept]) -> tuple[Kept, ...]:
    """The images once these were pushed too: what is there keeps its day and gets the tags."""
    found = {image.digest: image for image in images}
    for push in pushes:
        there = found.get(push.digest)
        found[push.digest] = replace(there, tags=there.tags | push.tags) if there else push
    return tuple(found.values())


def keeping_tag(rules: Sequence[Rule], images: Sequence[Kept], digest: str, tag: str, now: datetime) -> bool:
    """Whether these rules would leave the image alone if it had this tag as well."""
    tagged = [replace(image, tags=image.tags | {tag}) if image.digest == digest else image for image in images]
    return digest not in {each.digest for each in taken(rules, tagged, now)}
