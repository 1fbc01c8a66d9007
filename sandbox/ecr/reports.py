"""ECR's calls that judge images: scans, lifecycle previews, storage classes.

moto has no lifecycle preview, and its scans find what was queued for the next call; AWS previews by the policy, and a
scan's findings are its image's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.ecr.exceptions import LifecyclePolicyNotFoundException, LimitExceededException, ScanNotFoundException

from sandbox import clock
from sandbox.ecr import errors, lifecycle_policies, scans
from sandbox.ecr.call import EcrCall
from sandbox.ecr.lifecycle import Candidate, Expiry, expiring
from sandbox.store.content_store import STORE
from sandbox.store.contents import StoredManifest

_SCAN_INTERVAL = timedelta(days=1)


@dataclass(frozen=True)
class Preview:
    """A lifecycle preview as it was when it was started."""

    policy: str
    expiries: tuple[Expiry, ...]


_PREVIEWS: dict[tuple[str, str], Preview] = {}


class ReportActions(EcrCall):
    """Mixed into the ECR response class."""

    def start_image_scan(self) -> ActionResult:
        """Scan now; once a day per image, as AWS has it. Raises ImageNotFoundException, LimitExceededException."""
        holding, manifest = self.holding, self.image_by_id(self.parameters["imageId"])
        last = scans.latest(holding.namespace, holding.repository, manifest.digest)
        if last and last.requested_at and clock.now() - last.requested_at < _SCAN_INTERVAL:
            raise LimitExceededException()
        scans.scan(holding.namespace, holding.repository, manifest.digest, requested=True)
        return ActionResult({**self._scanned(manifest), "imageScanStatus": {"status": "IN_PROGRESS"}})

    def describe_image_scan_findings(self) -> ActionResult:
        """The findings in pages. Raises ImageNotFoundException, ScanNotFoundException."""
        holding, manifest = self.holding, self.image_by_id(self.parameters["imageId"])
        scan = scans.latest(holding.namespace, holding.repository, manifest.digest)
        if scan is None:
            named = f"{{imageDigest:'{manifest.digest}', imageTag:'{self.parameters['imageId'].get('imageTag')}'}}"
            raise ScanNotFoundException(named, holding.repository, holding.registry_id)
        answer = {**self._scanned(manifest), "imageScanStatus": scan.state()}
        if not scan.has_findings:
            return ActionResult(answer)
        part = self.page_of(scan.findings)
        kind = "enhancedFindings" if scan.enhanced else "findings"
        findings = {**scan.summary(), kind: part.items}
        return ActionResult({**answer, "imageScanFindings": findings, "nextToken": part.next_token})

    def _scanned(self, manifest: StoredManifest) -> dict[str, Any]:
        image_id = {**self.parameters["imageId"], "imageDigest": manifest.digest}
        holding = self.holding
        return {"registryId": holding.registry_id, "repositoryName": holding.repository, "imageId": image_id}

    def start_lifecycle_policy_preview(self) -> ActionResult:
        """Work out what the given policy, or the repository's own, would expire."""
        holding, policy = self.holding, self.parameters.get("lifecyclePolicyText")
        if policy:
            lifecycle_policies.validate(policy)
        else:
            policy = self.repository.lifecycle_policy
        if not policy:
            raise LifecyclePolicyNotFoundException(holding.repository, holding.registry_id)
        tags = holding.contents.tags_by_digest()
        images = holding.select({}, default_status="ACTIVE")
        # An image of an index cannot expire before the index does.
        held = {digest for each in images if each.is_index for digest in each.references()}
        candidates = [
            Candidate(each.digest, tuple(tags.get(each.digest, ())), each.pushed_at)
            for each in images
            if each.digest not in held
        ]
        expiries = tuple(expiring(policy, candidates, clock.now()))
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
                "summary": {"expiringImageTotalCount": len(preview.expiries)},
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
        """ARCHIVE an image, so that it can no longer be pulled, or bring it back."""
        holding, manifest = self.holding, self.image_by_id(self.parameters["imageId"])
        status = "ARCHIVED" if self.parameters["targetStorageClass"] == "ARCHIVE" else "ACTIVE"
        STORE.set_status(holding.namespace, holding.repository, manifest.digest, status)
        return ActionResult({**self._scanned(manifest), "imageStatus": status})


def _preview_result(expiry: Expiry) -> dict[str, Any]:
    return {
        "imageTags": list(expiry.image.tags),
        "imageDigest": expiry.image.digest,
        "imagePushedAt": expiry.image.pushed_at,
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": expiry.rule_priority,
    }
