"""ECR's managed signing, which moto does not have: a registry's rules, and the status of each image that they name.

Source: the ECR API reference (PutSigningConfiguration, DescribeImageSigningStatus). An image is being signed until it
was looked at once. A profile whose name ends in "revoked" can't sign: there is no AWS Signer here that would say so.
"""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from moto.core.responses import ActionResult

from sandbox import clock
from sandbox.ecr.call import EcrCall

REVOKED = "revoked"
_RULES: dict[tuple[str, str], tuple[datetime, list[dict[str, Any]]]] = {}  # by registry and region, with since when
_LOOKED: set[tuple[str, str, str]] = set()  # namespace, repository, digest


class SigningActions(EcrCall):
    """Mixed into the ECR response class."""

    def put_signing_configuration(self) -> ActionResult:
        """Keep the rules; images that are pushed from now on are signed by them."""
        configuration = self.parameters["signingConfiguration"]
        _RULES[self.registry_id, self.region] = clock.now(), configuration["rules"]
        return ActionResult({"signingConfiguration": configuration})

    def describe_image_signing_status(self) -> ActionResult:
        """A status for each rule that names the repository; none where none does. Raises ImageNotFoundException."""
        holding, manifest = self.holding, self.image_by_id(self.parameters["imageId"])
        since, rules = _RULES.get((self.registry_id, self.region), (clock.now(), []))
        look = (holding.namespace, holding.repository, manifest.digest)
        statuses = [
            _status(rule["signingProfileArn"], looked=look in _LOOKED)
            for rule in rules
            if manifest.pushed_at >= since and _names(rule, holding.repository)
        ]
        _LOOKED.add(look)
        image_id = {**self.parameters["imageId"], "imageDigest": manifest.digest}
        about = {"registryId": holding.registry_id, "repositoryName": holding.repository, "imageId": image_id}
        return ActionResult({**about, "signingStatuses": statuses})


def _status(profile: str, *, looked: bool) -> dict[str, str]:
    if not looked:
        return {"signingProfileArn": profile, "status": "IN_PROGRESS"}
    if profile.endswith(REVOKED):
        reason = "The signing profile is not active."
        return {
            "signingProfileArn": profile,
            "status": "FAILED",
            "failureCode": "SigningProfileInactive",
            "failureReason": reason,
        }
    return {"signingProfileArn": profile, "status": "COMPLETE"}


def _names(rule: dict[str, Any], repository: str) -> bool:
    filters = rule.get("repositoryFilters") or [{"filter": "*"}]
    return any(fnmatchcase(repository, each["filter"]) for each in filters)
