"""Manifests put into a registry: under their digest, or under a tag that must be free or theirs already.

Source: OCI distribution-spec 1.1 ("Pushing manifests"). Putting the same manifest again changes nothing, so it may be
repeated.
"""

import hashlib
import itertools
import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.refs import is_digest, is_repository, is_tag
from functions_app.registry.client import MANIFEST_LIMIT, Registry
from functions_app.registry.errors import broken, refusal
from functions_app.registry.requests import Answer, Ask

# What registries say to a manifest whose blobs they do not have.
BLOBS_MISSING = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "LAYERS_NOT_FOUND"})

# docker-registry says so, for a moment, while another push links the same layer into the same repository.
WHILE_LINKING = "DIGEST_INVALID"


@dataclass(frozen=True)
class Put:
    """What a registry said to a manifest; `subject`: the digest that it lists the manifest as a referrer of."""

    digest: str
    subject: str


def is_free(registry: Registry, repository: str, tag: str, digest: str) -> bool:
    """Whether a tag is still to be set; False where it names this digest already. Raises PREFLIGHT for another."""
    held = registry.head(repository, tag, writes=True)
    if held is None:
        return True
    if held.digest != digest:
        raise DrydockError(
            Code.PREFLIGHT,
            f"The tag {tag} of {registry.host}/{repository} names another image already: {held.digest}.",
            next_step="Plan again: a plan takes a tag that is free. Drydock moves none.",
        )
    return False


def put_tagged(registry: Registry, repository: str, tag: str, data: bytes, media_type: str) -> str:
    """Put a manifest under a new tag and give its digest. Raises PREFLIGHT where the tag names another by now."""
    try:
        return put_manifest(registry, repository, tag, data, media_type).digest
    except DrydockError as error:
        # An immutable tag is refused to whoever comes second, also where both bring the same image.
        if error.problem.retryable or error.problem.aws_code in BLOBS_MISSING:
            raise
        if is_free(registry, repository, tag, digest := digest_of(data)):
            raise
        return digest


def put_manifest(
    registry: Registry,
    repository: str,
    reference: str,
    data: bytes,
    media_type: str,
    conditions: Mapping[str, str] | None = None,
) -> Put:
    """Put a manifest under a tag or its digest; the registry must know it by the same digest. Raises DrydockError.

    `conditions`: If-Match and the like, for registries that heed them.
    """
    if not is_repository(repository) or not (is_tag(reference) or is_digest(reference)):
        raise DrydockError(Code.INVALID, f"Not an image's address: {repository[:100]!r}, {reference[:150]!r}.")
    if len(data) > MANIFEST_LIMIT:
        raise DrydockError(Code.INVALID, f"A manifest of {len(data):,} bytes: registries take {MANIFEST_LIMIT:,}.")

    def body() -> Generator[bytes]:
        yield data

    name, digest = registry.name_of(repository), digest_of(data)
    what = f"{repository}{'@' if is_digest(reference) else ':'}{reference}"
    fields = {"Content-Type": media_type, "Content-Length": str(len(data)), **(conditions or {})}
    ask = Ask("PUT", f"/v2/{name}/manifests/{reference}", name, what, writes=True, body=body, fields=fields)
    for attempt in itertools.count():
        answer = registry.transport.read(ask)
        if answer.status == 201:
            break
        error = refusal(registry.host, what, answer.status, answer.headers, answer.body, writes=True)
        if error.problem.aws_code != WHILE_LINKING:
            raise error
        registry.transport.pause_or_raise(ask, attempt, None, error, math.inf)
    _check(registry, repository, answer, digest, what)
    return Put(digest, str(answer.headers.get("oci-subject", "")))


def _check(registry: Registry, repository: str, answer: Answer, digest: str, what: str) -> None:
    told = str(answer.headers.get("docker-content-digest", ""))
    if not told:  # it is optional: the registry must know the digest then
        held = registry.head(repository, digest, writes=True)
        told = held.digest if held else ""
    if told != digest:
        raise broken(registry.host, what, f"it has kept {told[:19] or 'nothing'}, not {digest[:19]}")


def digest_of(data: bytes) -> str:
    """The digest that a manifest or a blob has."""
    return "sha256:" + hashlib.sha256(data).hexdigest()
