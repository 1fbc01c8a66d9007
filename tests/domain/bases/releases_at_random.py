"""Random releases and images for property tests: few layers and streams, so that they begin alike and collide."""

import hashlib
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from functions_app.domain.bases.claims import BASE_DIGEST, BASE_NAME
from functions_app.domain.bases.detection import ImageShape
from functions_app.domain.bases.lineage import KnownRelease
from functions_app.domain.bases.stream_names import Followed
from functions_app.domain.images.manifests import chain_ids

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
PLATFORMS = ("linux/amd64", "linux/arm64")
# Three layers and three streams in all, so that releases begin alike, are the same, and stand on each other.
LAYERS = tuple("sha256:" + hashlib.sha256(word).hexdigest() for word in (b"os", b"runtime", b"agent"))
STREAMS = {
    "python:3.12": "public.ecr.aws/lambda/python:3.12",
    "ours:1": "registry.corp/ours:1",
    "any": "docker.io/any",
}
FOLLOWED = {name: Followed(reference) for name, reference in STREAMS.items()}

stacks = st.lists(st.sampled_from(LAYERS), min_size=1, max_size=5).map(tuple)


@st.composite
def histories(draw: st.DrawFn) -> tuple[KnownRelease, ...]:
    """Releases as they may stand in the table: one per stream, platform and layers."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(sorted(STREAMS)), st.sampled_from(PLATFORMS), stacks, st.integers(0, 2), st.booleans()
            ),
            max_size=10,
            unique_by=lambda row: row[:3],
        )
    )
    return tuple(
        KnownRelease(
            id=number,
            stream=stream,
            platform=platform,
            chain_id=chain_ids(layers)[-1],
            diff_ids=layers,
            created_at=WHEN + timedelta(days=day),
            current=current,
            tag=f"1.{day}",
            manifest_digest=digest_of("manifest", platform, *layers),
            index_digest=digest_of("index", *layers),
        )
        for number, (stream, platform, layers, day, current) in enumerate(rows, 1)
    )


def digest_of(*words: str) -> str:
    """A digest that is the same for the same words."""
    return "sha256:" + hashlib.sha256(" ".join(words).encode()).hexdigest()


@st.composite
def claims(draw: st.DrawFn) -> dict[str, str]:
    """What an image may say of its base: right, wrong or nonsense."""
    names = [*STREAMS.values(), "registry.corp/ours:1.1", "nowhere/at:all", "???", ""]
    digests = [
        digest_of("index", *draw(stacks)),
        digest_of("manifest", draw(st.sampled_from(PLATFORMS)), *draw(stacks)),
    ]
    said = {BASE_NAME: draw(st.sampled_from(names)), BASE_DIGEST: draw(st.sampled_from([*digests, "sha256:1", ""]))}
    return {key: value for key, value in said.items() if value}


@st.composite
def images(draw: st.DrawFn) -> ImageShape:
    """An image's shape, with anything it may say of itself."""
    marks = draw(st.sampled_from([(), ("/lambda-entrypoint.sh",)]))
    return ImageShape.of(
        draw(stacks),
        draw(st.sampled_from(PLATFORMS)),
        annotations=draw(claims()),
        labels=draw(claims()),
        entrypoint=marks,
    )
