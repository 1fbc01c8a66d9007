"""ECR's lifecycle policies and its own preview of what one would take away.

Every function takes the target first, keeps AWS's quota and raises DrydockError. Starting a preview changes nothing in
the repository; ECR keeps one preview per repository, whoever started it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from functions_app.aws import quota
from functions_app.aws.members import Entry, listed, named, needed, next_page, number, part, text, texts, time_of
from functions_app.aws.session import Target, client
from functions_app.domain.errors import DrydockError
from functions_app.domain.fleet.lifecycle_policies import Action, Expiring

FAMILY = "ecr-lifecycle"
PAGE = 100
NO_POLICY = "LifecyclePolicyNotFoundException"
NO_PREVIEW = "LifecyclePolicyPreviewNotFoundException"
IN_PROGRESS = "LifecyclePolicyPreviewInProgressException"

Status = Literal["none", "in_progress", "complete", "expired", "failed"]
_STATUSES: Mapping[str, Status] = {
    "IN_PROGRESS": "in_progress",
    "COMPLETE": "complete",
    "EXPIRED": "expired",
    "FAILED": "failed",
}


# By type and targetStorageClass, both open enums.
_ACTIONS: Mapping[str, Action] = {
    "EXPIRE": Action.DELETE,
    "TRANSITION": Action.ARCHIVE,  # there is one other class so far
    "TRANSITION ARCHIVE": Action.ARCHIVE,
}


@dataclass(frozen=True)
class Preview:
    """How far the repository's preview is, of which policy, and what it found once it is complete."""

    status: Status
    policy: str = ""
    expiring: tuple[Expiring, ...] = ()


def policy(target: Target, repository: str) -> str | None:
    """The repository's lifecycle policy as JSON text; None where it has none."""
    try:
        answer = quota.read(
            target, FAMILY, lambda: client(target, "ecr").get_lifecycle_policy(repositoryName=repository)
        )
    except DrydockError as error:
        if error.problem.aws_code == NO_POLICY:
            return None
        raise
    what = f"GetLifecyclePolicy of {repository}"
    return named(lambda policy: needed(policy, "lifecyclePolicyText", 100_000), answer, what)


def start_preview(target: Target, repository: str) -> bool:
    """Let ECR preview the repository's own policy. False: a preview is under way that somebody else started.

    Raises NOT_FOUND where there is no policy.
    """
    try:
        quota.read(
            target, FAMILY, lambda: client(target, "ecr").start_lifecycle_policy_preview(repositoryName=repository)
        )
    except DrydockError as error:
        if error.problem.aws_code == IN_PROGRESS:
            return False
        raise
    return True


def preview(target: Target, repository: str) -> Preview:
    """The repository's preview as it is now, all pages of it: one call per 100 images."""
    found: list[Expiring] = []
    token: dict[str, Any] = {}
    while True:
        try:
            page = quota.read(
                target,
                FAMILY,
                lambda token=token: client(target, "ecr").get_lifecycle_policy_preview(  # type: ignore[misc]
                    repositoryName=repository, maxResults=PAGE, **token
                ),
            )
        except DrydockError as error:
            if error.problem.aws_code == NO_PREVIEW:
                return Preview("none")
            raise
        policy_text, status = text(page, "lifecyclePolicyText"), _STATUSES.get(text(page, "status"), "failed")
        if status != "complete":
            return Preview(status, policy_text)  # also when it was started anew between two pages
        what = f"GetLifecyclePolicyPreview of {repository}"
        found += named(expiring, page, what)
        mark = next_page(page, "nextToken", token.get("nextToken", ""))
        if not mark:
            return Preview(status, policy_text, tuple(found))
        token = {"nextToken": mark}


def expiring(answer: Entry) -> list[Expiring]:
    """The images of a page of the preview. Raises OddAnswer: one that is not told may be one that is in use."""
    return [_expiring(entry) for entry in listed(answer, "previewResults")]


def _expiring(entry: Entry) -> Expiring:
    pushed_at, of = time_of(entry, "imagePushedAt"), part(entry, "action")
    told = " ".join(word for name in ("type", "targetStorageClass") if (word := text(of, name, 40)))
    return Expiring(
        digest=needed(entry, "imageDigest", 80),
        rule=number(entry, "appliedRulePriority"),
        action=_ACTIONS.get(told, Action.UNKNOWN),
        tags=tuple(sorted(texts(entry, "imageTags"))),
        pushed_at=pushed_at.isoformat() if pushed_at else "",
        told="" if told in _ACTIONS else told,
    )
