"""What one repository of the store holds: manifests as they were pushed, tags, and which blobs are its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sandbox import clock

INDEX_MEDIA_TYPES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)


def sha256(data: bytes) -> str:
    """The digest of some bytes, "sha256:..."."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class StoredManifest:
    """A manifest as it was pushed, and its way through ECR's storage classes.

    `activated_at` lies ahead while the image is being restored from the archive.
    """

    digest: str
    media_type: str
    data: bytes
    pushed_at: datetime
    archived_at: datetime | None = None
    activated_at: datetime | None = None

    @property
    def status(self) -> str:
        """ECR's imageStatus: ACTIVE, ARCHIVED or ACTIVATING; only what is ACTIVE can be pulled."""
        if self.activated_at is not None:
            return "ACTIVE" if clock.now() >= self.activated_at else "ACTIVATING"
        return "ARCHIVED" if self.archived_at else "ACTIVE"

    @cached_property
    def document(self) -> dict[str, Any]:
        """The manifest, parsed."""
        document: dict[str, Any] = json.loads(self.data)
        return document

    @property
    def is_index(self) -> bool:
        """Whether this lists images instead of being one."""
        return self.media_type in INDEX_MEDIA_TYPES

    @property
    def artifact_type(self) -> str | None:
        """What kind of content this is: its artifactType, else its config's media type; None for a plain index."""
        config = self.document.get("config") or {}
        found = self.document.get("artifactType") or config.get("mediaType")
        return str(found) if found else None

    @property
    def subject(self) -> str | None:
        """The digest of the manifest that this one speaks of, or None. It need not be there."""
        named = self.document.get("subject")
        return str(named["digest"]) if isinstance(named, dict) and "digest" in named else None

    def references(self) -> tuple[str, ...]:
        """Digests of the config and the layers, or of an index's children."""
        document = self.document
        if self.is_index:
            return tuple(child["digest"] for child in document.get("manifests", ()))
        return (document["config"]["digest"], *(layer["digest"] for layer in document.get("layers", ())))

    @property
    def size(self) -> int:
        """Bytes of config and layers as ECR reports them; 0 for an index."""
        if self.is_index:
            return 0
        document = self.document
        return int(document["config"]["size"]) + sum(int(layer["size"]) for layer in document.get("layers", ()))


class StoreError(Exception):
    """Something the store refuses."""


class RepositoryMissing(StoreError):
    """The repository is not in the name space."""


class TagIsImmutable(StoreError):
    """The repository lets no tag be moved, and this one is taken."""

    def __init__(self, tag: str, digest: str) -> None:
        super().__init__(f"the tag {tag!r} is immutable and points to {digest}")
        self.tag = tag
        self.digest = digest


class ContentMissing(StoreError):
    """A manifest names blobs or manifests that the repository does not hold."""

    def __init__(self, digests: Sequence[str]) -> None:
        super().__init__(f"not in the repository: {', '.join(digests)}")
        self.digests = tuple(digests)


def _never(_tag: str) -> bool:
    return False


@dataclass
class Contents:
    """What one repository holds."""

    manifests: dict[str, StoredManifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: set[str] = field(default_factory=set)
    pulled: dict[str, datetime] = field(default_factory=dict)
    is_immutable: Callable[[str], bool] = _never

    def tags_by_digest(self) -> dict[str, list[str]]:
        """The tags of every tagged digest, oldest first."""
        found: dict[str, list[str]] = {}
        for tag, digest in list(self.tags.items()):
            found.setdefault(digest, []).append(tag)
        return found

    def tags_of(self, digest: str) -> list[str]:
        """The tags that point to a digest, oldest first."""
        return [tag for tag, target in list(self.tags.items()) if target == digest]

    def find(self, reference: str) -> StoredManifest | None:
        """A manifest by tag or by digest."""
        digest = reference if reference.startswith("sha256:") else self.tags.get(reference, "")
        return self.manifests.get(digest)
