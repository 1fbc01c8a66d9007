"""12,000 base releases of 40 streams, as AWS publishes them: each with its layers and config; and made-up digests."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta

from functions_app import clock
from functions_app.domain.images.manifests import chain_ids
from functions_app.models import BaseRelease, BaseStream

NOW = clock.now()
STREAMS, GOLDEN, RELEASES = 40, 4, 150  # the first GOLDEN of the streams stand on those after them
PLATFORMS = ("linux/amd64", "linux/arm64")
LAMBDA = ("python:3.12", "nodejs:22", "python:3.9", "provided:al2023")  # the first of these is the most popular
ENDED = {"python:3.9": NOW.date() - timedelta(days=320)}
LAYERS = ("os", "language", "runtime", "entrypoint", "emulator", "certificates")


def digest(text: str) -> str:
    """A well-formed digest made from a name."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def name_of(number: int) -> str:
    """The name of a stream: golden images first, then Lambda's."""
    if number < GOLDEN:
        return f"golden-{number}:1"
    return LAMBDA[number - GOLDEN] if number - GOLDEN < len(LAMBDA) else f"lambda-{number}:1"


def fill_releases() -> list[BaseRelease]:
    """Streams and releases, by stream, platform and age, the oldest first."""
    streams = BaseStream.objects.bulk_create(
        BaseStream(
            name=name_of(number),
            reference=f"registry.example/base-{number}:1",
            runtime=name_of(number).partition(":")[0] if number >= GOLDEN else "",
            runtime_version=name_of(number).partition(":")[2] if number >= GOLDEN else "",
            deprecated_on=ENDED.get(name_of(number)),
            polled_at=NOW,
            own=number < GOLDEN,
        )
        for number in range(STREAMS)
    )
    return BaseRelease.objects.bulk_create(_releases(streams), batch_size=500)


def _releases(streams: list[BaseStream]) -> Iterator[BaseRelease]:
    for number, stream in enumerate(streams):
        for platform in PLATFORMS:
            for edition in range(RELEASES):
                yield release(stream, number, platform, edition, current=edition == RELEASES - 1)


def release(stream: BaseStream, number: int, platform: str, edition: int, *, current: bool) -> BaseRelease:
    """A release of six layers, some shared by all streams, as AWS's are; a golden image has two more on one of them."""
    layers = _layers(number if number >= GOLDEN else number + GOLDEN, platform, edition)
    if number < GOLDEN:
        layers += [digest(f"agent {number}"), digest(f"rules {number} {edition}")]
    return BaseRelease(
        stream=stream,
        platform=platform,
        chain_id=chain_ids(layers)[-1],
        diff_ids=layers,
        layers=[{"digest": digest(f"packed {each}"), "size": 20_000_000, "media_type": "tar+gzip"} for each in layers],
        manifest_digest=digest(f"manifest {number} {platform} {edition}"),
        index_digest=digest(f"index {number} {edition}"),
        tag=f"1.{edition}",
        created_at=NOW - timedelta(days=5 * (RELEASES - edition)),
        first_seen_at=NOW - timedelta(days=5 * (RELEASES - edition)),
        config={
            "entrypoint": ["/lambda-entrypoint.sh"],
            "env": {"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime", "EDITION": str(edition)},
            "working_directory": "/var/task",
            "history": [[f"COPY {layer} {edition} /", False] for layer in LAYERS],
        },
        current=current,
    )


def _layers(number: int, platform: str, edition: int) -> list[str]:
    return [
        digest(f"os {platform} {edition // 2}"),
        digest(f"language {number} {platform} {edition}"),
        digest(f"runtime {number} {edition // 2}"),
        digest("entrypoint"),
        digest(f"emulator {platform}"),
        digest(f"certificates {edition}"),
    ]
