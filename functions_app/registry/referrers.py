"""Referrers: what speaks of an image (a statement, a signature, an SBOM), listed and attached.

Source: OCI distribution-spec 1.1 ("Listing Referrers", "Referrers Tag Schema"). A registry without the API keeps them
in an index under the tag `sha256-<hex>`, which its clients maintain: what others put there is not to be lost by us.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.manifests import OCI_INDEX, Descriptor
from functions_app.domain.json_fields import malformed, read_list, read_object, read_text, read_texts
from functions_app.domain.refs import is_digest
from functions_app.registry.client import MANIFEST_LIMIT, Registry
from functions_app.registry.counting import counted
from functions_app.registry.errors import broken, refusal
from functions_app.registry.manifests import digest_of, put_manifest
from functions_app.registry.pushing import Pushed
from functions_app.registry.requests import Ask
from functions_app.registry.uploads import put_blob

PAGES = 100  # of one image's referrers: a list without end is refused
TURNS = 5  # of putting an entry into an index that others write too


@dataclass(frozen=True)
class Referrer:
    """A manifest whose subject is the image."""

    descriptor: Descriptor
    artifact_type: str
    annotations: Mapping[str, str]


def referrers(registry: Registry, repository: str, digest: str, artifact_type: str = "") -> tuple[Referrer, ...]:
    """What speaks of an image, of one type or of all; what cannot be read is left out. Raises DrydockError."""
    entries = _listed(registry, repository, digest, artifact_type)
    if entries is None:
        entries = _Index.read(registry, repository, digest).entries
    found = tuple(_referrer(entry) for entry in entries)
    return tuple(each for each in found if each and artifact_type in {"", each.artifact_type})


def attach(registry: Registry, repository: str, blobs: Sequence[bytes], manifest: bytes, media_type: str) -> Pushed:
    """Push what speaks of an image: its blobs, then its manifest under its digest. Again, it changes nothing.

    Raises DrydockError: INVALID for a manifest without a subject.
    """
    document = read_object(manifest, "referrer")
    subject = document.get("subject")
    about = read_text(subject.get("digest")) if isinstance(subject, dict) else ""
    if not is_digest(about):
        raise malformed("referrer", "its subject has no digest")
    with counted() as count:
        digest, sent = digest_of(manifest), 0
        is_there = registry.head(repository, digest, writes=True) is not None
        for blob in () if is_there else dict.fromkeys(blobs):
            put_blob(registry, repository, digest_of(blob), blob, lambda _more: None)
            sent += len(blob)
        put = put_manifest(registry, repository, digest, manifest, media_type)
        if put.subject != about:
            _Index.enter(registry, repository, about, _entry(document, manifest, media_type))
        done = 0 if is_there else len(set(blobs))
        return Pushed(digest, copied=done, existing=len(set(blobs)) - done, copied_bytes=sent, requests=count.requests)


def _entry(document: Mapping[str, Any], manifest: bytes, media_type: str) -> dict[str, Any]:
    """How the index shows a manifest: as the registry itself would have."""
    config = document.get("config")
    kind = read_text(document.get("artifactType"))
    if not kind and isinstance(config, dict):
        kind = read_text(config.get("mediaType"))
    entry: dict[str, Any] = {"mediaType": media_type, "digest": digest_of(manifest), "size": len(manifest)}
    if kind:
        entry["artifactType"] = kind
    if annotations := document.get("annotations"):
        entry["annotations"] = annotations
    return entry


def _referrer(entry: Any) -> Referrer | None:
    if not isinstance(entry, dict):
        return None
    digest, size = read_text(entry.get("digest")), entry.get("size")
    if not is_digest(digest) or not isinstance(size, int):
        return None
    descriptor = Descriptor(read_text(entry.get("mediaType")), digest, size)
    annotations = entry.get("annotations")
    return Referrer(
        descriptor,
        read_text(entry.get("artifactType")),
        read_texts(annotations, "annotations") if isinstance(annotations, dict) else {},
    )


def _listed(registry: Registry, repository: str, digest: str, artifact_type: str) -> list[Any] | None:
    """The entries as the registry lists them, page by page; None where it has no such list."""
    name, what = registry.name_of(repository), f"referrers of {repository}@{digest[:19]}"
    if not is_digest(digest):
        raise DrydockError(Code.INVALID, f"Not a digest: {digest[:100]!r}.")
    query = f"?{urlencode({'artifactType': artifact_type})}" if artifact_type else ""
    address, found, seen = f"/v2/{name}/referrers/{digest}{query}", list[Any](), set[str]()
    while address:
        if len(seen) >= PAGES:
            raise broken(registry.host, what, f"there are more than {PAGES:,} pages of them")
        ask = Ask("GET", address, name, what, MANIFEST_LIMIT, (OCI_INDEX,))
        answer = registry.transport.read(ask)
        kind = str(answer.headers.get("content-type", "")).partition(";")[0].strip()
        if not seen and (answer.status in {404, 405} or (answer.status == 200 and kind != OCI_INDEX)):
            return None
        if answer.status != 200:
            raise refusal(registry.host, what, answer.status, answer.headers, answer.body)
        found += read_list(read_object(answer.body, "list of referrers").get("manifests"), "manifests")
        address = registry.next_page(answer, seen, what)
    return found


@dataclass(frozen=True)
class _Index:
    """What stands under the tag of an image's referrers; `digest` is empty where nothing does."""

    document: Mapping[str, Any]
    digest: str

    @property
    def entries(self) -> list[Any]:
        return read_list(self.document.get("manifests"), "manifests")

    @classmethod
    def read(cls, registry: Registry, repository: str, subject: str) -> "_Index":
        """The index as it is now. Raises INVALID where the tag is used for something else: it is not touched then."""
        try:
            descriptor, data = registry.manifest(repository, _tag(subject))
        except DrydockError as error:
            if error.problem.code is not Code.NOT_FOUND:
                raise
            return cls({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}, "")
        document = read_object(data, "index of referrers")
        if OCI_INDEX not in {descriptor.media_type, document.get("mediaType")} or "manifests" not in document:
            raise malformed("index of referrers", f"under the tag {_tag(subject)} stands something else")
        return cls(document, descriptor.digest)

    @classmethod
    def enter(cls, registry: Registry, repository: str, subject: str, entry: Mapping[str, Any]) -> None:
        """Add an entry, beside all that others have put there, and see that it stays.

        Two writers may read the same index: a registry that heeds If-Match refuses the second, and in any case who
        finds his entry gone adds it again. Threads of this process take turns.
        """
        with _LOCKS[hash((registry.host, repository, subject)) % len(_LOCKS)]:
            for _ in range(TURNS):
                found = cls.read(registry, repository, subject)
                if any(isinstance(each, dict) and each.get("digest") == entry["digest"] for each in found.entries):
                    return
                data = json.dumps({**found.document, "manifests": [*found.entries, entry]}).encode()
                conditions = {"If-Match": f'"{found.digest}"'} if found.digest else {"If-None-Match": "*"}
                try:
                    put_manifest(registry, repository, _tag(subject), data, OCI_INDEX, conditions)
                except DrydockError as error:
                    if error.problem.code is not Code.CHANGED:
                        raise
        raise DrydockError(
            Code.CHANGED,
            f"Others change the referrers of {repository}@{subject[:19]} all the time: {TURNS} times ours was gone.",
            next_step="Try again later.",
            retryable=True,
        )


def _tag(subject: str) -> str:
    algorithm, _, encoded = subject.partition(":")
    return f"{algorithm[:32]}-{encoded[:64]}"


_LOCKS = tuple(threading.Lock() for _ in range(16))
