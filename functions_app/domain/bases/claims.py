"""What an image says of its own base, held against what is known: annotations first, labels as fallback.

Source: image-spec annotations.md, org.opencontainers.image.base.digest and .name. Buildah, ko and crane set them,
BuildKit does not; whoever builds an image may write anything there, and labels are inherited from the base's base.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from functions_app.domain.bases.lineage import KnownRelease, Level, Releases
from functions_app.domain.refs import is_digest
from functions_app.domain.text import counted, visible

BASE_NAME = "org.opencontainers.image.base.name"
BASE_DIGEST = "org.opencontainers.image.base.digest"
SHOWN = 120  # characters of what an image says


@dataclass(frozen=True)
class Claim:
    """What an image says it was built on: a name, a digest, or both; `source` is "annotation" or "label"."""

    name: str
    digest: str
    source: str

    @property
    def text(self) -> str:
        """What is said, fit to be shown."""
        digest = "" if self.digest and self.digest in self.name else self.digest[:19]
        return " with the digest ".join(part for part in (visible(self.name, SHOWN), visible(digest)) if part)


@dataclass(frozen=True)
class Resolved:
    """What a claim leads to among the known releases; neither release nor stream where it leads nowhere."""

    release: KnownRelease | None = None
    stream: str = ""
    evidence: tuple[str, ...] = ()


def read_claim(annotations: Mapping[str, str], labels: Mapping[str, str]) -> Claim | None:
    """The claim in the annotations, or else in the labels; None where there is none."""
    for source, texts in (("annotation", annotations), ("label", labels)):
        name, digest = texts.get(BASE_NAME, "").strip(), texts.get(BASE_DIGEST, "").strip()
        digest = digest if is_digest(digest) else ""
        if name or digest:
            within = name.partition("@")[2]
            return Claim(name, digest or (within if is_digest(within) else ""), source)
    return None


def resolve(claim: Claim, platform: str, known: Releases) -> Resolved:
    """The release for this platform that a claim means, else the stream. Its layers were not looked at."""
    named = known.by_reference(claim.name) if claim.name else None
    found = known.by_digest(claim.digest) if claim.digest else (named.releases if named else ())
    fitting = sorted(
        (release for release in found if release.platform == platform),
        key=lambda release: (
            named is not None and release.stream == named.stream,
            release.current,
            release.created_at,
            -release.id,
        ),
    )
    said = f"Its {claim.source} says that it was built on {claim.text}"
    if fitting:
        release = fitting[-1]
        return Resolved(release, release.stream, (f"{said}: the release {release.label} for {platform}.",))
    foreign = f", a release for {found[0].platform} while the image is for {platform}" if found else ""
    if named and named.stream:
        why = foreign or ", and that digest is of none of its known releases" if claim.digest else ""
        return Resolved(stream=named.stream, evidence=(f"{said}: the stream {named.stream}{why}.",))
    if foreign:
        return Resolved(evidence=(f"{said}{foreign}; that proves nothing.",))
    return Resolved(evidence=(f"{said}, which is no release or stream that is watched; that alone proves nothing.",))


def unconfirmed(release: KnownRelease, diff_ids: Sequence[str]) -> str:
    """Why the layers of an image do not confirm that it stands on a release, in a sentence."""
    total, of_base = len(diff_ids), len(release.diff_ids)
    if not total:
        return "Its layers do not confirm it: its config names none."
    found = len(set(diff_ids) & set(release.diff_ids))
    begins = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(diff_ids, release.diff_ids, strict=False)))
    if found:
        which = f"the first {begins}" if begins == found else str(found)
        return (
            f"Its layers do not confirm it: only {which} of that release's {of_base} layers are in it, "
            "so it was squashed in part or its layers were rebuilt."
        )
    if total < of_base:
        has = f"it has {counted(total, 'layer')} where that release alone has {of_base}"
        return f"Its layers do not confirm it: {has}: it was squashed."
    return (
        f"Its layers do not confirm it: none of the {total} is one of that release's {of_base}, "
        f"so they were squashed or rebuilt, or it says something wrong."
    )


def agreement(claim: Claim, levels: Collection[Level], platform: str, known: Releases) -> str:
    """Whether a claim agrees with the levels found in the layers, in a sentence; the layers decide in any case."""
    chains = {level.release.chain_id for level in levels}
    streams = {stream for level in levels for stream in level.streams}
    found = known.by_digest(claim.digest) if claim.digest else ()
    named = known.by_reference(claim.name) if claim.name else None
    says = f"Its {claim.source} says {claim.text}"
    if found:
        if any(release.chain_id in chains and release.platform == platform for release in found):
            return f"Its {claim.source} names the same release."
        other = max(
            found, key=lambda release: (release.platform == platform, release.current, release.created_at, -release.id)
        )
        if all(release.index_digest == claim.digest for release in found) and other.platform != platform:
            other_text = f"{other.label}, which has no image for {platform}"
        else:
            other_text = other.label if other.platform == platform else f"{other.label} for {other.platform}"
        return f"{says}, the release {other_text}: that disagrees with its layers, and the layers decide."
    if named and named.stream and named.stream not in streams:
        return f"{says}, the stream {named.stream}: that disagrees with its layers, and the layers decide."
    if named and named.releases and chains.isdisjoint(release.chain_id for release in named.releases):
        return f"{says}, another release: that disagrees with its layers, and the layers decide."
    if claim.digest:
        # The same layers may have had other digests: a manifest that was compressed anew, an index that grew.
        return (
            f"{says}, a digest of no known release: as far as is known it does not agree with its layers, "
            "and the layers decide."
        )
    if named and named.stream:
        return f"Its {claim.source} names the same stream."
    return f"{says}, which is not what its layers are: they disagree, and the layers decide."


def unresolved(claim: Claim, levels: Collection[Level], known: Releases) -> str:
    """Why a claim of a stream that is watched leads to no known release although the layers show none of it, or ""."""
    named = known.by_reference(claim.name) if claim.name else None
    if named is None or not named.stream or named.releases or (claim.digest and known.by_digest(claim.digest)):
        return ""
    if named.stream in {stream for level in levels for stream in level.streams}:
        return ""
    return f"Its {claim.source} says {claim.text}: which release of {named.stream} that is, is not known."
