"""ECR's calls that scan images: moto's scans find what was queued for the next call; AWS's what is in the image."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.ecr.exceptions import LimitExceededException, ScanNotFoundException

from sandbox import clock
from sandbox.ecr import scans
from sandbox.ecr.call import EcrCall
from sandbox.store.contents import StoredManifest

_SCAN_INTERVAL = timedelta(days=1)


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
