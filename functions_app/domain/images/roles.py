"""What a manifest in a repository is: an image, an index, a part of one, or an artifact that is about an image.

Sources: image-spec 1.1 (manifest.md: artifactType, subject; "Determining the type"), distribution-spec 1.1 (the tag
`sha256-HEX` that lists referrers), cosign's specification (the tags `sha256-HEX.sig`, `.att`, `.sbom`), BuildKit's
attestation storage, Helm's OCI support. Only an image can be deployed; the rest is never offered.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from functions_app.domain.images.manifests import CONFIG_TYPES, INDEX_TYPES


class Role(StrEnum):
    """What it is; "" in the snapshot: not decided yet."""

    IMAGE = "image"
    INDEX = "index"
    PART = "part"  # an image of an index, with no tag of its own
    ATTESTATION = "attestation"
    SIGNATURE = "signature"
    SBOM = "sbom"
    CHART = "chart"
    REPORT = "report"
    REFERRERS = "referrers"
    ARTIFACT = "artifact"


UNITS = ("", Role.IMAGE.value, Role.INDEX.value)  # what counts as one image, and is listed as one
DEPLOYABLE = ("", Role.IMAGE.value)
ARTIFACTS = tuple(role.value for role in Role if role not in (*UNITS, Role.PART))  # named, an index finds the few
# By artifactType or the config's media type: the whole, or with a star how it begins.
TYPES: Mapping[str, Role] = {
    "application/vnd.cncf.helm.config.v1+json": Role.CHART,
    "application/vnd.dev.cosign.artifact.sig.v1+json": Role.SIGNATURE,
    "application/vnd.dev.cosign.artifact.sbom.v1+json": Role.SBOM,
    "application/vnd.cncf.notary.signature": Role.SIGNATURE,
    "application/vnd.dev.sigstore.bundle*": Role.SIGNATURE,
    "application/vnd.dsse.envelope.v1+json": Role.ATTESTATION,
    "application/vnd.in-toto*": Role.ATTESTATION,
    "application/vnd.docker.attestation.manifest.v1+json": Role.ATTESTATION,
    "application/spdx*": Role.SBOM,
    "text/spdx*": Role.SBOM,
    "application/vnd.cyclonedx*": Role.SBOM,
    "application/vnd.syft*": Role.SBOM,
    "application/sarif*": Role.REPORT,
    "application/vnd.aquasec.trivy.report*": Role.REPORT,
    "application/vnd.security.vulnerability.report*": Role.REPORT,
}
# By the media type of the first layer: cosign's and BuildKit's artifacts have the config of an image.
LAYERS: Mapping[str, Role] = {
    "application/vnd.dev.cosign.simplesigning.v1+json": Role.SIGNATURE,
    "application/vnd.dsse.envelope.v1+json": Role.ATTESTATION,
    "application/vnd.in-toto*": Role.ATTESTATION,
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip": Role.CHART,
    "application/spdx*": Role.SBOM,
    "text/spdx*": Role.SBOM,
    "application/vnd.cyclonedx*": Role.SBOM,
    "application/vnd.syft*": Role.SBOM,
    "application/sarif*": Role.REPORT,
}
# By what a tag ends in after the digest that it is about.
SUFFIXES: Mapping[str, Role] = {
    "": Role.REFERRERS,
    ".sig": Role.SIGNATURE,
    ".att": Role.ATTESTATION,
    ".sbom": Role.SBOM,
}
_ABOUT = re.compile(r"(sha256)-([0-9a-f]{64})(\.[a-z]+)?")


@dataclass(frozen=True)
class Held:
    """A manifest of a repository, as far as it is known. `parts`: of an index, (digest, platform or '')."""

    digest: str
    media_type: str = ""
    artifact_type: str = ""
    subject: str = ""
    tags: Sequence[str] = ()
    layer_type: str = ""  # of the first layer
    parts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Place:
    """What a manifest is, and the digest of the index or image it belongs to ('': to none)."""

    role: Role | None
    part_of: str = ""


def places(held: Iterable[Held]) -> dict[str, Place]:
    """What each manifest of one repository is. Of several indexes that hold an image, one with a tag is named."""
    known = {each.digest: each for each in held}
    indexes = [each for each in known.values() if each.parts]
    holders: dict[str, tuple[Held, str]] = {}
    for index in sorted(indexes, key=lambda each: (bool(each.tags), each.digest)):
        holders.update({digest: (index, platform) for digest, platform in index.parts})
    artifacts = _by_subject(known.values())
    return {digest: _place(each, holders.get(digest), artifacts) for digest, each in known.items()}


def _by_subject(held: Iterable[Held]) -> Mapping[str, str]:
    """By digest of an artifact what a list of referrers says that it is about."""
    found: dict[str, str] = defaultdict(str)
    for each in held:
        for _, subject in _about(each.tags):
            found.update({digest: subject for digest, _ in each.parts})
    return found


def _place(each: Held, holder: tuple[Held, str] | None, listed: Mapping[str, str]) -> Place:
    subject = each.subject or listed.get(each.digest, "")
    if tagged := next(_about(each.tags), None):
        return Place(tagged[0], tagged[1])
    if found := _known(TYPES, each.artifact_type) or _known(LAYERS, each.layer_type):
        return Place(found, subject or (holder[0].digest if holder else ""))
    if each.media_type in INDEX_TYPES or each.parts:
        return Place(Role.ARTIFACT if subject else Role.INDEX, subject)
    if subject or (each.artifact_type and each.artifact_type not in CONFIG_TYPES):
        return Place(Role.ARTIFACT, subject)
    if holder:
        return Place(Role.IMAGE if each.tags else Role.PART, holder[0].digest)
    return Place(Role.IMAGE if each.artifact_type or each.layer_type else None)


def _about(tags: Iterable[str]) -> Iterator[tuple[Role, str]]:
    for tag in tags:
        match = _ABOUT.fullmatch(tag)
        if match and (role := SUFFIXES.get(match[3] or "")):
            yield role, f"{match[1]}:{match[2]}"


def _known(table: Mapping[str, Role], media_type: str) -> Role | None:
    name = media_type.partition(";")[0].strip().lower()
    starred = (role for key, role in table.items() if key.endswith("*") and name.startswith(key[:-1]))
    return table.get(name) or next(starred, None)
