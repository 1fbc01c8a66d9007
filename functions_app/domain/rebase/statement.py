"""The proof that travels with a rebased image: an in-toto statement, in an artifact that refers to the image.

The statement's predicate tells old base, new base, the app's layers, the tool and its verdict; no time, so that the
same rebase is told in the same bytes. Its type is a URN, `urn:drydock:rebase:v1`: in-toto wants a URI that identifies,
not one that leads somewhere, and Drydock claims no domain for it. Sources: in-toto's attestation spec 1.0 (Statement
v1), image-spec 1.1 (manifest.md: artifactType, subject).
"""

import base64
from dataclasses import dataclass
from typing import Any

from functions_app.domain.images.manifests import OCI_MANIFEST, Descriptor, chain_ids
from functions_app.domain.rebase.documents import sha256, written
from functions_app.domain.rebase.held import HeldImage
from functions_app.domain.rebase.rebase import Rebase

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:drydock:rebase:v1"
IN_TOTO = "application/vnd.in-toto+json"
PREDICATE_NOTE = "in-toto.io/predicate-type"  # as BuildKit notes it at the layers of its attestations
EMPTY_CONFIG = b"{}"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_EMPTY_DATA = base64.b64encode(EMPTY_CONFIG).decode()


@dataclass(frozen=True)
class BaseTold:
    """A base as the statement tells it: its release's name, the digest of its index where it is in one, the image."""

    name: str
    digest: str
    image: HeldImage

    @property
    def told(self) -> dict[str, Any]:
        """Plain values."""
        chains = chain_ids(self.image.config.diff_ids)
        return {
            "name": self.name,
            "digest": _digest_set(self.digest),
            "manifest": _digest_set(self.image.manifest.digest),
            "chainId": chains[-1] if chains else "",
        }


@dataclass(frozen=True)
class Judged:
    """What was said of its safety before: the verdict's word and the findings' codes."""

    verdict: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Referrer:
    """What is pushed beside the image: statement and empty config as blobs, the manifest that refers to the image."""

    statement: bytes
    manifest: bytes

    @property
    def config(self) -> bytes:
        """The empty config's blob."""
        return EMPTY_CONFIG

    @property
    def descriptor(self) -> Descriptor:
        """Of the manifest."""
        return Descriptor(OCI_MANIFEST, sha256(self.manifest), len(self.manifest))


def make_statement(
    made: Rebase, app: HeldImage, old: BaseTold, new: BaseTold, judged: Judged, *, name: str, version: str
) -> bytes:
    """The statement on a rebase of `app`; `name` is HOST/NAME of the result's repository, `version` Drydock's."""
    predicate = {
        "from": {"name": app.repository, "digest": _digest_set(app.manifest.digest)},
        "oldBase": old.told,
        "newBase": new.told,
        "appLayers": [_digest_set(layer.descriptor.digest) for layer in made.layers if not layer.from_base],
        "tool": {"name": "drydock", "version": version},
        "verdict": {"result": judged.verdict, "findings": sorted(set(judged.findings))},
    }
    subject = [{"name": name, "digest": _digest_set(made.digest)}]
    return written(
        {"_type": STATEMENT, "subject": subject, "predicateType": PREDICATE, "predicate": predicate}, "statement"
    )


def refer(statement: bytes, subject: Descriptor) -> Referrer:
    """The artifact of a statement about an image."""
    note = {PREDICATE_NOTE: PREDICATE}
    empty = {**_described(Descriptor(_EMPTY_TYPE, sha256(EMPTY_CONFIG), len(EMPTY_CONFIG))), "data": _EMPTY_DATA}
    layer = {**_described(Descriptor(IN_TOTO, sha256(statement), len(statement))), "annotations": note}
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": IN_TOTO,
        "config": empty,
        "layers": [layer],
        "subject": _described(subject),
        "annotations": note,
    }
    return Referrer(statement, written(document, "referrer"))


def _described(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def _digest_set(digest: str) -> dict[str, str]:
    """A digest as in-toto writes it: hex digits by algorithm."""
    algorithm, _, encoded = digest.partition(":")
    return {algorithm: encoded} if encoded else {}
