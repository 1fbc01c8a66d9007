"""Which base image is in an image? Answered from its layers first, with the evidence (base-images: detection)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from functions_app.domain.bases.claims import Claim, Resolved, agreement, read_claim, resolve, unconfirmed, unresolved
from functions_app.domain.bases.lineage import KnownRelease, Level, Releases, SharedLayers, find_levels
from functions_app.domain.bases.settings_marks import guess_runtime, lambda_marks
from functions_app.domain.images.manifests import HistoryEntry, Platform, chain_ids

MINIMUM_SHARED = 2  # layers: one is nobody's, bases share their OS layer
NAMED_STREAMS = 4  # of those that an image shares layers with
UNREAD, UNREADABLE = "Its config has not been read yet.", "Its config could not be read: "


class Tier(StrEnum):
    """What a detection rests on, surest first."""

    EXACT = "exact"  # the image begins with all layers of a known release, on the same platform
    ANNOTATION = "annotation"  # the image says it, it leads to what is known, and no layer speaks against it
    PARTIAL = "partial"  # layers that only one stream has, but no whole release: one that is not known
    HEURISTIC = "heuristic"  # the marks of a Lambda base in its settings
    UNKNOWN = "unknown"

    @property
    def confidence(self) -> str:
        """How sure that is: certain, high, medium, low or none."""
        return {"exact": "certain", "annotation": "high", "partial": "medium", "heuristic": "low"}.get(self, "none")


@dataclass(frozen=True)
class ImageShape:
    """What detection looks at; `chains` and `diff_ids` from the bottom layer up (images.chain_ids)."""

    chains: tuple[str, ...]
    diff_ids: tuple[str, ...]
    platform: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env_keys: tuple[str, ...] = ()
    working_directory: str = ""
    history: tuple[HistoryEntry, ...] = ()

    @classmethod
    def of(cls, diff_ids: Sequence[str], platform: str | Platform, **values: object) -> "ImageShape":
        """A shape by its layers; the chain ids are worked out."""
        return cls(chain_ids(diff_ids), tuple(diff_ids), str(platform), **values)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Detection:
    """The base found, or none; the evidence is sentences, the most telling first, and is never empty."""

    tier: Tier
    release_id: int | None
    evidence: tuple[str, ...]
    stream: str = ""  # also where only the stream is known, not the release
    levels: tuple[Level, ...] = ()  # every whole release beneath it, the nearest first
    doubt: str = ""  # why it may stand on something that is not known, whatever its levels are

    @property
    def lineage(self) -> tuple[int, ...]:
        """The ids of those releases, the nearest first; `release_id` is the first of them."""
        return tuple(level.release.id for level in self.levels)


def detect(shape: ImageShape, known: Releases) -> Detection:
    """Find the base of an image: by its layers, else by what it says, by some of its layers, by its settings.

    What an image says never wins over its layers: `annotation` stands only where no layer contradicts it.
    """
    claim = read_claim(shape.annotations, shape.labels)
    chains = known.by_chain(shape.chains)
    named = known.by_reference(claim.name).stream if claim and claim.name else ""
    if levels := find_levels(shape.chains, shape.platform, chains, named):
        return _exact(levels, shape, claim, known)
    said = resolve(claim, shape.platform, known) if claim else Resolved()
    shared = known.sharing(shape.diff_ids, shape.platform)
    likely = _likely(shared)
    if found := _by_claim(said, shape, shared, likely, known):
        return found
    if likely:
        return _partial(likely, shape, said)
    others = (*_hints(shape, chains), *said.evidence, *_shared_by_many(shared, shape))
    if marks := lambda_marks(shape.entrypoint, shape.env_keys, shape.working_directory):
        return _heuristic(marks, shape, (_nothing_found(shape, known.streams_watched), *others))
    return unknown(_nothing_found(shape, known.streams_watched), *others)


def unknown(*evidence: str) -> Detection:
    """No base found; the evidence says what was looked at, or why nothing could be."""
    return Detection(Tier.UNKNOWN, None, evidence)


REPOSITORY_NOT_READ = "Its image is in a repository that Drydock does not read."


def not_read(*, platforms: Sequence[str] | None, gone: bool, problem: str) -> str:
    """Why nothing is known of an image's layers. `platforms` are those of an index, None for an image."""
    if platforms is not None:
        held = ", ".join(platforms) or "it names no platform"
        return f"This is an index ({held}), not an image: a base belongs to each image in it."
    if gone:
        return "It was deleted from ECR before Drydock could read its config."
    return f"{UNREADABLE}{problem}" if problem else UNREAD


def is_of_an_unread(evidence: Sequence[str]) -> bool:
    """Whether this is the evidence of an image that nobody has judged since it was read."""
    return not evidence or evidence[0] == UNREAD or evidence[0].startswith(UNREADABLE)


def _exact(levels: tuple[Level, ...], shape: ImageShape, claim: Claim | None, known: Releases) -> Detection:
    total = len(shape.chains)
    evidence = [_proof(level, total) for level in levels]
    evidence += [
        f"The same layers are a release of {', '.join(sorted(set(level.streams[1:])))} too."
        for level in levels
        if level.twins
    ]
    if claim:
        evidence.append(agreement(claim, levels, shape.platform, known))
    above = _above(levels, shape, known)
    evidence += above
    doubt = unresolved(claim, levels, known) if claim else ""
    if not doubt and above:
        doubt = "Layers above it are of a base of which that release is not known."
    nearest = levels[0].release
    return Detection(Tier.EXACT, nearest.id, tuple(evidence), nearest.stream, levels, doubt)


def _proof(level: Level, total: int) -> str:
    which = f"All {total} of its layers" if level.layers == total else f"The first {level.layers} of its {total} layers"
    release = level.release
    return (
        f"{which} are, whole and in order, the release {release.label} for {release.platform} "
        f"(chain id {release.chain_id[:19]})."
    )


def _above(levels: tuple[Level, ...], shape: ImageShape, known: Releases) -> list[str]:
    """Layers above the base found that another stream brought in: a release of a golden image that was never seen."""
    upper = shape.diff_ids[levels[0].layers :]
    found = {stream for level in levels for stream in level.streams}
    others = {stream: common.own for stream, common in known.sharing(upper, shape.platform).items() if common.own}
    return [
        f"Of the layers above it, {len(own)} of {len(upper)} {'is' if len(own) == 1 else 'are'} of {stream} "
        "and no other stream: perhaps it stands on a release of that which is not known."
        for stream, own in sorted(others.items())
        if stream not in found
    ][:NAMED_STREAMS]


def _by_claim(
    said: Resolved,
    shape: ImageShape,
    shared: Mapping[str, SharedLayers],
    likely: Mapping[str, SharedLayers],
    known: Releases,
) -> Detection | None:
    """The base that the image says, unless its layers speak for another stream or another release of this one."""
    if not said.stream or (likely and said.stream not in likely):
        return None
    common = shared.get(said.stream)
    if release := said.release:
        if said.stream in likely and common and not common.layers <= set(release.diff_ids):
            return None
        beneath = chain_ids(release.diff_ids)
        levels = find_levels(beneath, shape.platform, known.by_chain(beneath), said.stream)
        evidence = (*said.evidence, unconfirmed(release, shape.diff_ids))
        return Detection(Tier.ANNOTATION, release.id, evidence, said.stream, levels)
    layers = _of_an_unknown_release(said.stream, common, shape) if common and said.stream in likely else ()
    return Detection(
        Tier.ANNOTATION, None, (*said.evidence, "Which release it is, nothing tells.", *layers), said.stream
    )


def _likely(shared: Mapping[str, SharedLayers]) -> dict[str, SharedLayers]:
    """The streams that layers speak for: two or more in common, one at least that no other stream brought in.

    Of a golden image and the base that it stands on, the golden image: it explains more layers.
    """
    found = {stream: layers for stream, layers in shared.items() if len(layers.layers) >= MINIMUM_SHARED and layers.own}
    return {
        stream: layers
        for stream, layers in found.items()
        if not any(layers.layers < other.layers for other in found.values())
    }


def _partial(likely: Mapping[str, SharedLayers], shape: ImageShape, said: Resolved) -> Detection:
    streams = sorted(likely, key=lambda stream: (-len(likely[stream].layers), stream))
    evidence = [text for stream in streams for text in _of_an_unknown_release(stream, likely[stream], shape)]
    if len(streams) > 1:
        evidence.insert(0, f"It has layers of {' and of '.join(streams[:NAMED_STREAMS])}: its base can't be told.")
    if said.stream and (said.stream not in likely or said.release):
        evidence += [*said.evidence, "That disagrees with its layers, and the layers decide."]
    else:
        evidence += said.evidence
    return Detection(Tier.PARTIAL, None, tuple(evidence), streams[0] if len(streams) == 1 else "")


def _of_an_unknown_release(stream: str, common: SharedLayers, shape: ImageShape) -> tuple[str, ...]:
    count, own = len(common.layers), len(common.own)
    return (
        f"An unknown release of {stream}: {count} of its {len(shape.diff_ids)} layers are those of known releases, "
        f"{own} of them in no other stream.",
    )


def _heuristic(marks: Sequence[str], shape: ImageShape, others: Sequence[str]) -> Detection:
    runtime = guess_runtime(
        [step.created_by for step in shape.history], shape.env_keys, shape.entrypoint + shape.command
    )
    which = f", probably of {runtime}" if runtime else ", of a runtime that nothing shows"
    evidence = [f"Only its settings look like one of Lambda's bases{which}: {', '.join(marks)}."]
    if len(shape.chains) == 1:
        evidence.append("It has one layer: it was squashed, and the layers of its base are gone.")
    return Detection(Tier.HEURISTIC, None, (*evidence, *others))


def _nothing_found(shape: ImageShape, streams_watched: int) -> str:
    if shape.platform.startswith("unknown"):
        return "This is an attestation (provenance or SBOM) of an image, not an image: it has no base."
    if not streams_watched:
        return "No base stream has been read yet, so there is nothing to compare its layers with."
    layers = len(shape.chains)
    if not layers:
        return "Its config names no layers."
    noun = "one base image" if streams_watched == 1 else f"{streams_watched} base images"
    begins = "one layer is" if layers == 1 else f"{layers} layers begin with"
    return f"Its {begins} no known release of the {noun} watched."


def _hints(shape: ImageShape, chains: Mapping[str, tuple[KnownRelease, ...]]) -> tuple[str, ...]:
    """A release for another platform that it begins with."""
    for chain in reversed(shape.chains):
        if found := chains.get(chain):
            foreign = found[0]
            text = f"Its layers are those of {foreign.label} for {foreign.platform}, but it says {shape.platform}."
            return (text,)
    return ()


def _shared_by_many(shared: Mapping[str, SharedLayers], shape: ImageShape) -> tuple[str, ...]:
    if not shared:
        return ()
    streams = sorted(shared, key=lambda stream: (-len(shared[stream].layers), stream))
    count = len(frozenset[str]().union(*(each.layers for each in shared.values())))
    more = f" and {len(streams) - NAMED_STREAMS} streams more" if len(streams) > NAMED_STREAMS else ""
    verb = "is" if count == 1 else "are"
    return (
        f"{count} of its {len(shape.diff_ids)} layers {verb} also in releases of "
        f"{', '.join(streams[:NAMED_STREAMS])}{more}: bases share layers, so that proves nothing.",
    )
