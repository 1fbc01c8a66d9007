"""Lifecycle policies: which images a policy would expire or archive, by AWS's evaluation rules.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html: an image that meets the tagging
requirement of a rule cannot be expired by a rule of lower priority, and no rule's count overlooks the images that
another rule expires.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Candidate:
    """An image as a rule sees it."""

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    archived_at: datetime | None = None  # in the archive since then
    pulled_at: datetime | None = None


@dataclass(frozen=True)
class Expiry:
    """An image that a rule would expire, or move to the archive."""

    image: Candidate
    rule_priority: int
    action: str = "expire"


def expiring(policy: str, images: Sequence[Candidate], now: datetime) -> list[Expiry]:
    """What the policy (JSON text) would expire at `now`, newest image first."""
    claimed: set[str] = set()
    expiries: list[Expiry] = []
    for rule in sorted(json.loads(policy)["rules"], key=lambda each: int(each["rulePriority"])):
        selection = rule["selection"]
        selected = sorted((i for i in images if _selects(selection, i)), key=lambda i: i.pushed_at, reverse=True)
        expiries += [
            Expiry(image, int(rule["rulePriority"]), rule["action"]["type"])
            for image in _too_many(selection, selected, now)
            if image.digest not in claimed
        ]
        claimed |= {image.digest for image in selected}
    return sorted(expiries, key=lambda each: each.image.pushed_at, reverse=True)


def _selects(selection: Mapping[str, Any], image: Candidate) -> bool:
    archive = selection.get("storageClass") == "archive"
    if archive != (image.archived_at is not None):
        return False
    status = selection["tagStatus"]
    if status == "untagged":
        return not image.tags
    if status == "any":
        return True
    wanted = [_expression(pattern) for pattern in selection.get("tagPatternList") or ()]
    wanted += [re.compile(re.escape(prefix) + ".*") for prefix in selection.get("tagPrefixList") or ()]
    # Several patterns select the images that have a tag for each of them.
    return bool(wanted) and all(any(each.fullmatch(tag) for tag in image.tags) for each in wanted)


def _expression(pattern: str) -> re.Pattern[str]:
    """A tag pattern, in which only the star is special."""
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")))


def _too_many(selection: Mapping[str, Any], newest_first: Sequence[Candidate], now: datetime) -> list[Candidate]:
    number = int(selection["countNumber"])
    if selection["countType"] == "imageCountMoreThan":
        return list(newest_first[number:])
    since = _SINCE[selection["countType"]]
    return [image for image in newest_first if now - (since(image) or image.pushed_at) > timedelta(days=number)]


_SINCE: Mapping[str, Callable[[Candidate], datetime | None]] = {
    "sinceImagePushed": lambda image: image.pushed_at,
    "sinceImagePulled": lambda image: image.pulled_at,
    "sinceImageTransitioned": lambda image: image.archived_at,
}
