"""The content store that the ECR API, the /v2 registry and Lambda share: what one holds, the others see."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox import clock
from sandbox.store.contents import (
    ContentMissing,
    Contents,
    RepositoryMissing,
    StoredManifest,
    TagIsImmutable,
    sha256,
)

if TYPE_CHECKING:
    from sandbox.images.making import Image, Index

PUBLIC = "public"
"""The name space that stands for public.ecr.aws."""


def namespace(account_id: str, region: str) -> str:
    """The private name space of one account in one region."""
    return f"{account_id}/{region}"


@dataclass(frozen=True)
class Push:
    """A manifest that was put: what the ECR events are made of."""

    namespace: str
    repository: str
    digest: str
    tag: str | None


class Store:
    """Blobs by digest; manifests and tags by name space and repository. Safe for use by many threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._blobs: dict[str, bytes] = {}
        self._repositories: dict[tuple[str, str], Contents] = {}
        self.listeners: list[Callable[[Push], None]] = []

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._blobs.clear()
            self._repositories.clear()

    # Repositories

    def create(self, namespace: str, repository: str) -> Contents:
        """Make room for a repository, or give the one that is there."""
        with self._lock:
            return self._repositories.setdefault((namespace, repository), Contents())

    def delete(self, namespace: str, repository: str) -> None:
        """Drop a repository with its manifests and tags; blobs stay."""
        with self._lock:
            self._repositories.pop((namespace, repository), None)

    def contents(self, namespace: str, repository: str) -> Contents:
        """A repository's contents. Raises RepositoryMissing."""
        found = self._repositories.get((namespace, repository))
        if found is not None:
            return found
        raise RepositoryMissing(f"no repository {repository!r} in {namespace}")

    def has_repository(self, namespace: str, repository: str) -> bool:
        """Whether the name space holds the repository."""
        return (namespace, repository) in self._repositories

    def repositories(self, namespace: str) -> list[str]:
        """Names of the repositories in a name space."""
        return sorted(name for space, name in list(self._repositories) if space == namespace)

    def all_contents(self) -> list[tuple[tuple[str, str], Contents]]:
        """Every repository's contents by name space and name."""
        with self._lock:
            return list(self._repositories.items())

    # Blobs

    def add_blob(self, data: bytes) -> str:
        """Keep a blob that is in no repository yet and give its digest."""
        digest = sha256(data)
        self._blobs.setdefault(digest, data)
        return digest

    def blob(self, digest: str) -> bytes:
        """A blob's bytes, whichever repository it is in. Raises KeyError."""
        return self._blobs[digest]

    def put_blob(self, namespace: str, repository: str, data: bytes) -> str:
        """Keep a blob in a repository and give its digest. Raises RepositoryMissing."""
        digest = sha256(data)
        with self._lock:
            contents = self.contents(namespace, repository)
            self._blobs.setdefault(digest, data)
            contents.blobs.add(digest)
        return digest

    def mount_blob(self, namespace: str, source: str, target: str, digest: str) -> bool:
        """Take over a blob from another repository of the name space; False when it is not there."""
        with self._lock:
            if not self.has_repository(namespace, source) or digest not in self.contents(namespace, source).blobs:
                return False
            self.contents(namespace, target).blobs.add(digest)
        return True

    # Manifests

    def put_manifest(
        self,
        namespace: str,
        repository: str,
        data: bytes,
        media_type: str,
        tag: str | None = None,
        *,
        pushed_at: datetime | None = None,
    ) -> StoredManifest:
        """Keep a manifest, point the tag to it and tell the listeners.

        Raises RepositoryMissing, TagIsImmutable, ContentMissing (blobs must be there before their manifest).
        """
        manifest = StoredManifest(sha256(data), media_type, data, pushed_at or clock.now())
        with self._lock:
            contents = self.contents(namespace, repository)
            held = contents.manifests if manifest.is_index else contents.blobs
            missing = [digest for digest in manifest.references() if digest not in held]
            if missing:
                raise ContentMissing(missing)
            current = contents.tags.get(tag) if tag else None
            if tag and current and current != manifest.digest and contents.is_immutable(tag):
                raise TagIsImmutable(tag, current)
            manifest = contents.manifests.setdefault(manifest.digest, manifest)
            if manifest.status != "ACTIVE":  # pushed again, an archived image is there again
                manifest = contents.manifests[manifest.digest] = replace(manifest, activated_at=clock.now())
            if tag:
                contents.tags.pop(tag, None)
                contents.tags[tag] = manifest.digest
        push = Push(namespace, repository, manifest.digest, tag)
        for listener in self.listeners:
            listener(push)
        return manifest

    def manifest(self, namespace: str, repository: str, reference: str) -> StoredManifest | None:
        """A manifest by tag or digest, or None when the repository or the manifest is missing."""
        contents = self._repositories.get((namespace, repository))
        return contents.find(reference) if contents else None

    def untag(self, namespace: str, repository: str, tag: str) -> None:
        """Take a tag away; the manifest stays, untagged."""
        with self._lock:
            self.contents(namespace, repository).tags.pop(tag, None)

    def delete_manifest(self, namespace: str, repository: str, digest: str) -> None:
        """Drop a manifest and its tags."""
        with self._lock:
            contents = self.contents(namespace, repository)
            for tag in contents.tags_of(digest):
                del contents.tags[tag]
            contents.manifests.pop(digest, None)

    def archive(self, namespace: str, repository: str, digest: str) -> None:
        """Move an image to ECR's archive class, from which nothing can be pulled."""
        with self._lock:
            manifests = self.contents(namespace, repository).manifests
            manifests[digest] = replace(manifests[digest], archived_at=clock.now(), activated_at=None)

    def restore(self, namespace: str, repository: str, digest: str) -> None:
        """Bring an image back from the archive, which takes its time (the clock's `restore`)."""
        with self._lock:
            manifests = self.contents(namespace, repository).manifests
            ready = clock.now() + timedelta(seconds=clock.CLOCK.restore)
            manifests[digest] = replace(manifests[digest], activated_at=ready)

    # Whole images

    def push(
        self,
        namespace: str,
        repository: str,
        image: Image | Index,
        tags: Sequence[str] = (),
        *,
        pushed_at: datetime | None = None,
    ) -> str:
        """Put an image or an index with all it needs and give its digest.

        Public repositories spring up. Raises RepositoryMissing in a private name space.
        """
        if namespace == PUBLIC:
            self.create(namespace, repository)
        for child in _images_of(image):
            for blob in child.blobs:
                self.put_blob(namespace, repository, blob.data)
            if child is not image:
                self.put_manifest(
                    namespace, repository, child.manifest.data, child.manifest.media_type, pushed_at=pushed_at
                )
        stored: StoredManifest | None = None
        for tag in tags or (None,):
            stored = self.put_manifest(
                namespace, repository, image.manifest.data, image.manifest.media_type, tag, pushed_at=pushed_at
            )
        assert stored is not None
        return stored.digest


def _images_of(image: Image | Index) -> Iterator[Image]:
    children: Iterable[Image] = getattr(image, "images", ())
    yield from children
    if not hasattr(image, "images"):
        yield image


STORE = Store()
