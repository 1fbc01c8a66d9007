"""ECR's API where moto's is wrong: images, paging, tokens, layers and repository policies that bite.

moto answers lists whole, whatever page or filter was asked for, and its tokens ran out in 2015; AWS cuts pages,
filters by tagStatus, and gives tokens for 12 hours.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ecr.exceptions import (
    ImageAlreadyExistsException,
    InvalidParameterException,
)

from sandbox.ecr import errors
from sandbox.ecr import images as ecr_images
from sandbox.ecr.announcements import announce_action
from sandbox.ecr.images import Holding
from sandbox.ecr.layers import LayerActions
from sandbox.ecr.previews import PreviewActions
from sandbox.ecr.referrers import ReferrerActions
from sandbox.ecr.reports import ReportActions
from sandbox.ecr.signing import SigningActions
from sandbox.iam.principals import principal
from sandbox.store import tokens
from sandbox.store.content_store import STORE
from sandbox.store.contents import INDEX_MEDIA_TYPES, ContentMissing, TagIsImmutable, sha256

MAX_BATCH = 100


class EcrResponse(LayerActions, ReferrerActions, PreviewActions, ReportActions, SigningActions):
    """Answers one ECR call."""

    def describe_repositories(self) -> ActionResult:
        """By name, or all in pages."""
        names = self.parameters.get("repositoryNames")
        found = self.ecr_backend.describe_repositories(repository_names=names, registry_id=self.registry_id)
        part = self.page_of(sorted(found, key=lambda each: str(each.name)))
        return ActionResult({"repositories": part.items, "nextToken": part.next_token})

    def list_images(self) -> ActionResult:
        """An id for each tag, and one for each untagged image."""
        found = self.holding.select(self.parameters.get("filter", {}), default_status="ACTIVE")
        image_ids = ecr_images.ids(self.holding, found)
        part = self.page_of(image_ids)
        return ActionResult({"imageIds": part.items, "nextToken": part.next_token})

    def describe_images(self) -> ActionResult:
        """Details of the images named, or of all in pages; only ACTIVE ones unless asked."""
        holding, image_ids = self.holding, self.parameters.get("imageIds")
        if image_ids:
            found = {manifest.digest: manifest for manifest in map(self.image_by_id, image_ids)}
            return ActionResult({"imageDetails": ecr_images.details(holding, found.values())})
        part = self.page_of(holding.select(self.parameters.get("filter", {}), default_status="ACTIVE"))
        return ActionResult({"imageDetails": ecr_images.details(holding, part.items), "nextToken": part.next_token})

    def batch_get_image(self) -> ActionResult:
        """Up to 100 manifests, as they were pushed."""
        results = [ecr_images.get(self.holding, image_id) for image_id in self._image_ids()]
        images = [image for image, _ in results if image]
        return ActionResult({"images": images, "failures": [failure for _, failure in results if failure]})

    def batch_delete_image(self) -> ActionResult:
        """Up to 100 tags or digests."""
        holding = self.holding
        gone: list[dict[str, str]] = []
        failures: list[dict[str, Any]] = []
        for image_id in self._image_ids():
            deleted, failure = ecr_images.delete(holding, image_id)
            gone += deleted
            failures += [failure] if failure else []
        for each in gone:
            announce_action(
                self.registry_id, self.region, "DELETE", holding.repository, each["imageDigest"], each.get("imageTag")
            )
        return ActionResult({"imageIds": gone, "failures": failures})

    def _image_ids(self) -> list[dict[str, str]]:
        image_ids: list[dict[str, str]] = self.parameters.get("imageIds") or []
        if not 1 <= len(image_ids) <= MAX_BATCH:
            raise InvalidParameterException(
                "Invalid parameter at 'imageIds' failed to satisfy constraint: "
                f"'Member must have length less than or equal to {MAX_BATCH}'"
            )
        return image_ids

    def put_image(self) -> ActionResult:
        """Put a manifest whose layers are there, and point a tag to it."""
        holding, tag = self.holding, self.parameters.get("imageTag")
        data = str(self.parameters["imageManifest"]).encode()
        digest, media_type = sha256(data), self._media_type(data)
        if self.parameters.get("imageDigest", digest) != digest:
            raise errors.ImageDigestDoesNotMatch("The image digest provided does not match the image's manifest")
        known = holding.find({"imageDigest": digest})
        if known and (tag is None or holding.contents.tags.get(tag) == digest):
            raise ImageAlreadyExistsException(holding.repository, holding.registry_id, digest, str(tag))
        if text := ecr_images.full_text(holding, digest):
            raise errors.RepositoryFull(text)
        try:
            stored = STORE.put_manifest(holding.namespace, holding.repository, data, media_type, tag)
        except TagIsImmutable as error:
            raise errors.ImageTagAlreadyExists(error.tag, holding.repository) from error
        except ContentMissing as error:
            raise _missing(error, holding, is_index=media_type in INDEX_MEDIA_TYPES) from error
        return ActionResult({"image": ecr_images.image(holding, stored, tag)})

    def _media_type(self, manifest: bytes) -> str:
        try:
            given = self.parameters.get("imageManifestMediaType") or json.loads(manifest).get("mediaType")
        except (ValueError, AttributeError) as error:
            raise InvalidParameterException(
                "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
            ) from error
        if not given:
            raise InvalidParameterException(
                "Invalid parameter at 'imageManifestMediaType' failed to satisfy constraint: "
                "'must be given when the manifest names no mediaType'"
            )
        return str(given)

    def get_authorization_token(self) -> ActionResult:
        """A token for /v2, valid for 12 hours."""
        caller = principal(self.access_key)
        data = []
        for registry in self.parameters.get("registryIds") or [self.current_account]:
            password, expires = tokens.issue(tokens.Registry(registry, self.region, caller.account, caller.arn))
            data.append(
                {
                    "authorizationToken": b64encode(f"AWS:{password}".encode()).decode(),
                    "expiresAt": expires,
                    "proxyEndpoint": f"https://{registry}.dkr.ecr.{self.region}.amazonaws.com",
                }
            )
        return ActionResult({"authorizationData": data})


def _missing(error: ContentMissing, holding: Holding, *, is_index: bool) -> ServiceException:
    listed = ", ".join(error.digests)
    if is_index:
        return errors.ReferencedImagesNotFound(
            f"The images with digests '[{listed}]' referenced by the manifest list do not exist "
            f"in the repository with name '{holding.repository}' in the registry with id '{holding.registry_id}'"
        )
    return errors.LayersNotFound(
        f"Layers with digests '[{listed}]' required for pushing image into repository with name "
        f"'{holding.repository}' in the registry with id '{holding.registry_id}' do not exist"
    )
