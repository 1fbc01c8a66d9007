"""Read a base stream from its registry: what the moving tag points to, and the dated releases before it.

Nothing is stored here, so that streams can be read in parallel. A moving tag that did not move costs one HEAD.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from functions_app.domain.build_steps import without_values
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.images import (
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
    chain_ids,
    parse_config,
    parse_manifest,
)
from functions_app.domain.refs import ImageRef
from functions_app.models import BaseRelease
from functions_app.registry.client import CONFIG_LIMIT, Registry

BACKFILL = 20  # dated tags, the newest ones
PLATFORM_LIMIT = 16  # images of one index


@dataclass(frozen=True)
class Known:
    """What is known of a stream before it is read. `complete`: its last poll read all there was."""

    complete: bool
    current: frozenset[str]  # digests the moving tag is known to point to: of the index, or of the manifest
    digests: frozenset[str]
    tags: frozenset[str]


@dataclass(frozen=True)
class Reading:
    """What was read. `past` are releases of dated tags; `problem`: some of them could not be read, try again."""

    current: tuple[BaseRelease, ...]
    past: tuple[BaseRelease, ...]
    problem: Problem | None = None


def read_stream(registry: Registry, ref: ImageRef, tags: Callable[[], Iterable[str]], known: Known) -> Reading | None:
    """Read a stream, or give None when its tag did not move. `tags` lists the repository's, when they are needed.

    The releases are rows that are not saved and have no stream yet. Raises DrydockError when the tag cannot be read.
    """
    head = registry.head(ref.repository, ref.tag)
    if head is None:
        raise DrydockError(
            Code.NOT_FOUND,
            f"{ref.name} has no tag {ref.tag}.",
            next_step="Check the stream's reference, or switch the stream off.",
        )
    if known.complete and head.digest in known.current:
        return None
    current = _releases(registry, ref.repository, head.digest, "")
    past: list[BaseRelease] = []
    problem = None
    try:
        for tag in (tag for tag in newest_dated(tags(), ref.tag) if tag not in known.tags):
            dated = registry.head(ref.repository, tag)
            if dated and dated.digest == head.digest:
                _label(current, tag)
            elif dated and dated.digest not in known.digests:
                past += _dated(registry, ref.repository, dated.digest, tag)
    except DrydockError as error:
        problem = error.problem  # what was read so far is kept, and the next poll reads the rest
    return Reading(tuple(current), tuple(past), problem)


def _label(releases: Iterable[BaseRelease], tag: str) -> None:
    for release in releases:
        release.tag = release.tag or tag


def newest_dated(tags: Iterable[str], moving: str, limit: int = BACKFILL) -> list[str]:
    """The newest of a moving tag's dated ones, `3.12.2026.10.03.13`, newest first."""
    dated = re.compile(rf"{re.escape(moving)}\.(\d{{4}}\.\d{{2}}\.\d{{2}}\.\d{{2}})")
    found = [(match[1], tag) for tag in tags if (match := dated.fullmatch(tag))]
    return [tag for _, tag in sorted(found, reverse=True)[:limit]]


def _dated(registry: Registry, repository: str, digest: str, tag: str) -> list[BaseRelease]:
    """The releases of one dated tag; none where it is gone or unreadable, which must not hide the others."""
    try:
        return _releases(registry, repository, digest, tag)
    except DrydockError as error:
        if error.problem.retryable or error.problem.code is Code.DENIED:
            raise
        return []


def _releases(registry: Registry, repository: str, digest: str, tag: str) -> list[BaseRelease]:
    described, data = registry.manifest(repository, digest)
    manifest = parse_manifest(data, described.media_type)
    if isinstance(manifest, Manifest):
        return [_release(registry, repository, manifest, digest, "", tag)]
    return [
        _release(registry, repository, _image(registry, repository, entry), entry.digest, digest, tag)
        for entry in _image_entries(manifest)
    ]


def _image_entries(index: Index) -> list[Descriptor]:
    return [entry for entry, platform in index.entries if platform][:PLATFORM_LIMIT]


def _image(registry: Registry, repository: str, entry: Descriptor) -> Manifest:
    described, data = registry.manifest(repository, entry.digest)
    manifest = parse_manifest(data, described.media_type)
    if isinstance(manifest, Index):
        raise DrydockError(Code.INVALID, f"{repository}@{entry.digest[:19]} is an index within an index.")
    return manifest


def _release(
    registry: Registry, repository: str, manifest: Manifest, digest: str, index_digest: str, tag: str
) -> BaseRelease:
    config = parse_config(registry.blob(repository, manifest.config.digest, CONFIG_LIMIT))
    if not config.diff_ids or config.created is None:
        raise DrydockError(Code.INVALID, f"{repository}@{digest[:19]} has no layers, or no time of creation.")
    return BaseRelease(
        platform=str(config.platform)[:40],
        chain_id=chain_ids(config.diff_ids)[-1],
        diff_ids=list(config.diff_ids),
        manifest_digest=digest,
        index_digest=index_digest,
        tag=tag[:120],
        created_at=config.created,
        config=_kept(config),
        size_bytes=sum(layer.size for layer in manifest.layers),
    )


def _kept(config: ImageConfig) -> dict[str, object]:
    """What later decisions need of a public base's config: its values are no secrets, unlike an application's."""
    return {
        "entrypoint": config.entrypoint,
        "command": config.command,
        "working_directory": config.working_directory,
        "env": config.env,
        "labels": dict(config.labels),
        "history": [[without_values(step.created_by), step.empty_layer] for step in config.history],
    }
