"""Images as the ECR API shows them, read from the store.

moto's digest of an index is random and its sizes lack the layers; AWS's digest is the manifest's sha256, and its
imageSizeInBytes config and layers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import clock
from sandbox.ecr import scans
from sandbox.store.content_store import STORE
from sandbox.store.contents import Contents, StoredManifest

ImageId = Mapping[str, str]
_DIGEST = re.compile(r"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+")


@dataclass(frozen=True)
class Holding:
    """A repository of one account and region, and what the store holds of it."""

    registry_id: str
    namespace: str
    repository: str

    @property
    def contents(self) -> Contents:
        """Its manifests and tags. Raises RepositoryMissing."""
        return STORE.contents(self.namespace, self.repository)

    def find(self, image_id: ImageId) -> StoredManifest | None:
        """The image that has the digest and the tag, whichever are given."""
        contents, digest, tag = self.contents, image_id.get("imageDigest"), image_id.get("imageTag")
        if tag and digest and contents.tags.get(tag) != digest:
            return None
        return contents.find(digest or tag or "")

    def select(self, filters: Mapping[str, str], *, default_status: str) -> list[StoredManifest]:
        """Images by tagStatus and imageStatus, in the order they were pushed."""
        status = filters.get("imageStatus", default_status)
        tag_status = filters.get("tagStatus", "ANY")
        tagged = set(self.contents.tags.values())
        return [
            manifest
            for manifest in list(self.contents.manifests.values())
            if status in ("ANY", manifest.status)
            and (tag_status == "ANY" or (manifest.digest in tagged) == (tag_status == "TAGGED"))
        ]


def details(holding: Holding, manifests: Iterable[StoredManifest]) -> list[dict[str, Any]]:
    """imageDetails of DescribeImages; absent fields are left out as AWS does."""
    tags = holding.contents.tags_by_digest()
    return [_detail(holding, manifest, tags.get(manifest.digest)) for manifest in manifests]


def ids(holding: Holding, manifests: Iterable[StoredManifest]) -> list[dict[str, str]]:
    """imageIds of ListImages: one for each tag, and one for each untagged image."""
    tags = holding.contents.tags_by_digest()
    found: list[dict[str, str]] = []
    for manifest in manifests:
        named = [{"imageDigest": manifest.digest, "imageTag": tag} for tag in tags.get(manifest.digest, ())]
        found += named or [{"imageDigest": manifest.digest}]
    return found


def _detail(holding: Holding, manifest: StoredManifest, tags: list[str] | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "registryId": holding.registry_id,
        "repositoryName": holding.repository,
        "imageDigest": manifest.digest,
        "imageSizeInBytes": size_in_bytes(holding, manifest),
        "imagePushedAt": manifest.pushed_at,
        "imageManifestMediaType": manifest.media_type,
        "imageStatus": manifest.status,
    }
    if manifest.archived_at:
        result["lastArchivedAt"] = manifest.archived_at
    if manifest.activated_at and manifest.status == "ACTIVE":
        result["lastActivatedAt"] = manifest.activated_at
    if pulled_at := holding.contents.pulled.get(manifest.digest):
        result["lastRecordedPullTime"] = pulled_at
    if tags:
        result["imageTags"] = tags
    if manifest.artifact_type:
        result["artifactMediaType"] = manifest.artifact_type
    if manifest.subject:
        result["subjectManifestDigest"] = manifest.subject
    if scan := scans.latest(holding.namespace, holding.repository, manifest.digest):
        result["imageScanStatus"] = scan.state()
        if scan.has_findings:
            result["imageScanFindingsSummary"] = scan.summary()
    return result


def size_in_bytes(holding: Holding, manifest: StoredManifest) -> int:
    """Config and layers; for an index the largest of its images, as ECR reports it."""
    if not manifest.is_index:
        return manifest.size
    children = (holding.contents.manifests.get(digest) for digest in manifest.references())
    return max((child.size for child in children if child), default=0)


def image(holding: Holding, manifest: StoredManifest, tag: str | None) -> dict[str, Any]:
    """An image of BatchGetImage and PutImage: the manifest's bytes as they were pushed."""
    image_id = {"imageDigest": manifest.digest}
    if tag:
        image_id["imageTag"] = tag
    return {
        "registryId": holding.registry_id,
        "repositoryName": holding.repository,
        "imageId": image_id,
        "imageManifest": manifest.data.decode(),
        "imageManifestMediaType": manifest.media_type,
    }


def get(holding: Holding, image_id: ImageId) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """One entry of BatchGetImage: (image, None) or (None, failure)."""
    if failure := _malformed(image_id):
        return None, failure
    manifest = holding.find(image_id)
    if manifest is None:
        return None, _not_found(holding, image_id)
    if manifest.status != "ACTIVE":
        reason = "archived" if manifest.status == "ARCHIVED" else "being activated"
        return None, _failure(image_id, "ImageInaccessible", f"Requested image is {reason}")
    holding.contents.pulled[manifest.digest] = clock.now()
    return image(holding, manifest, _named_tag(holding, manifest, image_id)), None


IMAGE_LIMITS: dict[str, int] = {}
"""Images that a repository may hold, by account, where AWS gave another quota than its default."""
IMAGE_LIMIT = 10_000  # https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html


def full_text(holding: Holding, digest: str) -> str:
    """What ECR says where one image more does not fit; empty where it does, or is there already."""
    most = IMAGE_LIMITS.get(holding.registry_id, IMAGE_LIMIT)
    manifests = holding.contents.manifests
    if digest in manifests or len(manifests) < most:
        return ""
    return (
        f"The repository with name '{holding.repository}' in registry with id '{holding.registry_id}' "
        f"already has the maximum allowed number of images which is '{most}'"
    )


@dataclass
class Answers:
    """How BatchGetImage answers where AWS's documentation leaves it open; set at /_sandbox/ecr.

    It says only that the images correspond to the references asked for: `other_tags` names another tag of the image.
    """

    other_tags: bool = False


ANSWERS = Answers()


def _named_tag(holding: Holding, manifest: StoredManifest, image_id: ImageId) -> str | None:
    asked = image_id.get("imageTag")
    others = [tag for tag in holding.contents.tags_of(manifest.digest) if tag != asked]
    return others[0] if ANSWERS.other_tags and others else asked


def delete(holding: Holding, image_id: ImageId) -> tuple[list[dict[str, str]], dict[str, Any] | None]:
    """One entry of BatchDeleteImage: the ids that are gone, or a failure.

    A tag goes alone while the image has others; the last tag, or a digest, takes the image with it.
    """
    if failure := _malformed(image_id):
        return [], failure
    manifest = holding.find(image_id)
    if manifest is None:
        return [], _not_found(holding, image_id)
    tags = holding.contents.tags_of(manifest.digest)
    if "imageTag" in image_id and tags != [image_id["imageTag"]]:
        STORE.untag(holding.namespace, holding.repository, image_id["imageTag"])
        return [{"imageDigest": manifest.digest, "imageTag": image_id["imageTag"]}], None
    if holder := next(_indexes_with(holding, manifest.digest), None):
        reason = f"Requested image referenced by manifest list: [{holder}]"
        return [], _failure(image_id, "ImageReferencedByManifestList", reason)
    STORE.delete_manifest(holding.namespace, holding.repository, manifest.digest)
    gone = [{"imageDigest": manifest.digest, "imageTag": tag} for tag in tags]
    return gone or [{"imageDigest": manifest.digest}], None


def _indexes_with(holding: Holding, digest: str) -> Iterator[str]:
    for manifest in list(holding.contents.manifests.values()):
        if manifest.is_index and digest in manifest.references():
            yield manifest.digest


def _malformed(image_id: ImageId) -> dict[str, Any] | None:
    digest = image_id.get("imageDigest")
    if not digest and not image_id.get("imageTag"):
        reason = "Invalid request parameters: both tag and digest cannot be null"
        return _failure(image_id, "MissingDigestAndTag", reason)
    if digest and not _DIGEST.fullmatch(digest):
        reason = f"Invalid request parameters: image digest should satisfy the regex '{_DIGEST.pattern}'"
        return _failure(image_id, "InvalidImageDigest", reason)
    return None


def _not_found(holding: Holding, image_id: ImageId) -> dict[str, Any]:
    if "imageTag" in image_id and "imageDigest" in image_id and image_id["imageTag"] in holding.contents.tags:
        return _failure(image_id, "ImageTagDoesNotMatchDigest", "Requested tag does not match the digest")
    return _failure(image_id, "ImageNotFound", "Requested image not found")


def _failure(image_id: ImageId, code: str, reason: str) -> dict[str, Any]:
    return {"imageId": dict(image_id), "failureCode": code, "failureReason": reason}
