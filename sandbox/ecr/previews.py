"""ECR's lifecycle previews and storage classes; moto has neither.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive-image.html: restoring takes its time (ACTIVATING). That
an image which is in the class already is refused is inferred from the exception's being there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.ecr.exceptions import InvalidParameterException, LifecyclePolicyNotFoundException

from sandbox import clock
from sandbox.ecr import errors, lifecycle_policies
from sandbox.ecr.call import EcrCall
from sandbox.ecr.images import Holding
from sandbox.ecr.lifecycle import Candidate, Expiry, expiring
from sandbox.store.content_store import STORE

_MOVES = {("ACTIVE", "ARCHIVE"): STORE.archive, ("ARCHIVED", "STANDARD"): STORE.restore}


@dataclass(frozen=True)
class Preview:
    """A lifecycle preview as it was when it was started."""

    policy: str
    expiries: tuple[Expiry, ...]


_PREVIEWS: dict[tuple[str, str], Preview] = {}


class PreviewActions(EcrCall):
    """Mixed into the ECR response class."""

    def start_lifecycle_policy_preview(self) -> ActionResult:
        """Work out what the given policy, or the repository's own, would expire."""
        holding, policy = self.holding, self.parameters.get("lifecyclePolicyText")
        if policy:
            lifecycle_policies.validate(policy)
        else:
            policy = self.repository.lifecycle_policy
        if not policy:
            raise LifecyclePolicyNotFoundException(holding.repository, holding.registry_id)
        expiries = tuple(expiring(policy, _candidates(holding), clock.now()))
        _PREVIEWS[holding.namespace, holding.repository] = Preview(policy, expiries)
        return ActionResult({**self._previewed(policy), "status": "IN_PROGRESS"})

    def get_lifecycle_policy_preview(self) -> ActionResult:
        """What a started preview found, in pages. Raises LifecyclePolicyPreviewNotFoundException."""
        holding = self.holding
        preview = _PREVIEWS.get((holding.namespace, holding.repository))
        if preview is None:
            raise errors.LifecyclePolicyPreviewNotFound(
                f"There is no dry run for the repository with name '{holding.repository}' "
                f"in the registry with id '{holding.registry_id}'"
            )
        wanted = {self.image_by_id(image_id).digest for image_id in self.parameters.get("imageIds", ())}
        status = self.parameters.get("filter", {}).get("tagStatus", "ANY")
        part = self.page_of(
            [
                each
                for each in preview.expiries
                if (not wanted or each.image.digest in wanted)
                and (status == "ANY" or bool(each.image.tags) == (status == "TAGGED"))
            ]
        )
        return ActionResult(
            {
                **self._previewed(preview.policy),
                "status": "COMPLETE",
                "previewResults": [_preview_result(each) for each in part.items],
                "summary": _summary(preview.expiries),
                "nextToken": part.next_token,
            }
        )

    def _previewed(self, policy: str) -> dict[str, Any]:
        holding = self.holding
        return {
            "registryId": holding.registry_id,
            "repositoryName": holding.repository,
            "lifecyclePolicyText": policy,
        }

    def update_image_storage_class(self) -> ActionResult:
        """ARCHIVE an image, so that it can no longer be pulled, or bring it back, which takes a while."""
        holding, manifest = self.holding, self.image_by_id(self.parameters["imageId"])
        target = self.parameters["targetStorageClass"]
        if target not in ("ARCHIVE", "STANDARD"):
            raise InvalidParameterException(
                f"Invalid parameter at 'targetStorageClass': '{target}' is no storage class"
            )
        move = _MOVES.get((manifest.status, target))
        if move is None:
            raise errors.StorageClassUpdateNotSupported(f"The image is {manifest.status}; it can't go to {target}")
        move(holding.namespace, holding.repository, manifest.digest)
        now = holding.contents.manifests[manifest.digest]
        image_id = {**self.parameters["imageId"], "imageDigest": manifest.digest}
        named = {"registryId": holding.registry_id, "repositoryName": holding.repository, "imageId": image_id}
        return ActionResult({**named, "imageStatus": now.status})


def _candidates(holding: Holding) -> list[Candidate]:
    contents = holding.contents
    tags, images = contents.tags_by_digest(), holding.select({}, default_status="ANY")
    # An image of an index cannot expire before the index does.
    held = {digest for each in images if each.is_index for digest in each.references()}
    return [
        Candidate(
            each.digest,
            tuple(tags.get(each.digest, ())),
            each.pushed_at,
            archived_at=each.archived_at if each.status == "ARCHIVED" else None,
            # https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html: never pulled
            # counts from the push, restored and not pulled since from the restoring.
            pulled_at=max(filter(None, (contents.pulled.get(each.digest), each.activated_at, each.pushed_at))),
        )
        for each in images
        if each.digest not in held and each.status != "ACTIVATING"
    ]


def _summary(expiries: Sequence[Expiry]) -> dict[str, Any]:
    counts = Counter(expiry.action for expiry in expiries)
    summary: dict[str, Any] = {"expiringImageTotalCount": counts["expire"]}
    if moved := counts["transition"]:
        summary["transitioningImageTotalCounts"] = [{"targetStorageClass": "ARCHIVE", "imageTotalCount": moved}]
    return summary


def _preview_result(expiry: Expiry) -> dict[str, Any]:
    archives = expiry.action == "transition"
    return {
        "imageTags": list(expiry.image.tags),
        "imageDigest": expiry.image.digest,
        "imagePushedAt": expiry.image.pushed_at,
        "action": {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"} if archives else {"type": "EXPIRE"},
        "storageClass": "ARCHIVE" if expiry.image.archived_at else "STANDARD",
        "appliedRulePriority": expiry.rule_priority,
    }
