"""Referrers: the signatures, SBOMs and attestations that name an image as their subject.

https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers; moto has none of it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from moto.core.responses import ActionResult

from sandbox.ecr.call import EcrCall
from sandbox.store.contents import Contents, StoredManifest


def referrers(contents: Contents, digest: str, artifact_types: Collection[str] = ()) -> list[StoredManifest]:
    """The manifests whose subject is a digest, of these artifact types or of all."""
    return [
        manifest
        for manifest in list(contents.manifests.values())
        if manifest.subject == digest and (not artifact_types or manifest.artifact_type in artifact_types)
    ]


def descriptor(manifest: StoredManifest) -> dict[str, Any]:
    """How the list of referrers shows one: its artifact type and its annotations with it."""
    shown: dict[str, Any] = {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": len(manifest.data),
    }
    if manifest.artifact_type:
        shown["artifactType"] = manifest.artifact_type
    if annotations := manifest.document.get("annotations"):
        shown["annotations"] = annotations
    return shown


class ReferrerActions(EcrCall):
    """Mixed into the ECR response class."""

    def list_image_referrers(self) -> ActionResult:
        """The artifacts that refer to a digest, in pages; only ACTIVE ones unless asked."""
        wanted = self.parameters.get("filter", {})
        status = wanted.get("artifactStatus", "ACTIVE")
        digest = self.parameters["subjectId"]["imageDigest"]
        found = referrers(self.holding.contents, digest, wanted.get("artifactTypes", ()))
        part = self.page_of([each for each in found if status in ("ANY", each.status)], 20, most=50)
        shown = [{**descriptor(each), "artifactStatus": each.status} for each in part.items]
        return ActionResult({"referrers": shown, "nextToken": part.next_token})
