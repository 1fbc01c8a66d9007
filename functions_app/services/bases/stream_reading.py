"""Read a base stream from its registry: what the moving tag points to, and the releases before it by their tags.

Nothing is stored here, so that streams can be read in parallel. A moving tag that did not move costs one HEAD.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from functions_app.domain.bases.release_tags import history_tags
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.images.build_steps import kept_step
from functions_app.domain.images.manifests import (
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    chain_ids,
    parse_config,
    parse_manifest,
)
from functions_app.domain.redaction import redact_value
from functions_app.domain.refs import ImageRef
from functions_app.domain.text import storable, storable_value
from functions_app.models import BaseRelease, BaseStream
from functions_app.registry.client import CONFIG_LIMIT, Registry
from functions_app.services.bases.streams import fits

BACKFILL = 20  # tags of earlier releases, the newest ones
PLATFORM_LIMIT = 16  # images of one index
DIGEST_LIMIT = 80  # characters: sha256; a base by sha512 has not been met


@dataclass(frozen=True)
class Known:
    """What is known of a stream before it is read.

    `tag_digest` is what its tag pointed to when all there was could be read; empty where it must be read anew.
    `digests` and `tags` are those of releases that need not be read again.
    """

    tag_digest: str
    digests: frozenset[str]
    tags: frozenset[str]


@dataclass(frozen=True)
class StreamReading:
    """What was read: the releases `digest` stands for, and `past` ones. `problem`: what could not be, try again.

    `tags` are those of its history, known or not, the newest first.
    """

    digest: str
    current: tuple[BaseRelease, ...]
    past: tuple[BaseRelease, ...]
    tags: tuple[str, ...] = ()
    problem: Problem | None = None


def read_stream(
    registry: Registry, stream: BaseStream, ref: ImageRef, tags: Callable[[], Iterable[str]], known: Known
) -> StreamReading | None:
    """Read a stream, or give None when its tag did not move. `tags` lists the repository's, when they are needed.

    The releases are rows that are not saved and have no stream yet. Raises DrydockError when the tag cannot be read.
    """
    head = registry.head(ref.repository, ref.tag, unless=known.tag_digest)
    if head is None:
        raise DrydockError(
            Code.NOT_FOUND,
            f"{ref.name} has no tag {ref.tag}.",
            next_step="Check the stream's reference, or switch the stream off.",
        )
    if head.digest == known.tag_digest:
        return None
    reader = _Reader(registry, stream, ref.repository)
    current, lacking = reader.current(head.digest)
    past: list[BaseRelease] = []
    history: list[str] = []
    problem = lacking
    try:
        history += history_tags(tags(), ref.tag, BACKFILL, own=stream.own)
        for tag in history:
            if tag in known.tags:
                continue
            found = registry.head(ref.repository, tag)
            if found and found.digest == head.digest:
                _label(current, tag)
            elif found and found.digest not in known.digests and found.digest not in reader.seen:
                past += reader.earlier(found.digest, tag)
    except DrydockError as error:
        problem = error.problem  # what was read so far is kept, and the next poll reads the rest
    return StreamReading(head.digest, tuple(current), tuple(past), tuple(history), problem)


def _label(releases: Iterable[BaseRelease], tag: str) -> None:
    for release in releases:
        release.tag = release.tag or tag


@dataclass(frozen=True)
class _Entry:
    """One image to read: its digest, that of the index around it, and its platform as far as the index tells.

    `untold`: the index says nothing of it, so that it need not be an image at all.
    """

    digest: str
    index_digest: str
    platform: Platform | None
    untold: bool = False


class _Reader:
    """Reads releases of one stream; `seen` are the digests behind tags that were read."""

    def __init__(self, registry: Registry, stream: BaseStream, repository: str) -> None:
        self.registry, self.stream, self.repository = registry, stream, repository
        self.seen: set[str] = set()

    def current(self, digest: str) -> tuple[list[BaseRelease], Problem | None]:
        """The releases the moving tag stands for, and what is wrong where one of them is missing or unreadable.

        Raises DrydockError where there is none at all.
        """
        manifest, entries = self._open(digest)
        releases: list[BaseRelease] = []
        problem: Problem | None = None
        for entry in entries:
            try:
                releases += self._read(entry, manifest)
            except DrydockError as error:
                if error.problem.retryable or error.problem.code is Code.DENIED or len(entries) == 1:
                    raise
                problem = problem or error.problem
        if releases:
            return releases, problem or self._lacking(releases)
        raise DrydockError(problem.code, problem.message) if problem else self._nothing_wanted(manifest)

    def earlier(self, digest: str, tag: str) -> list[BaseRelease]:
        """The releases of an older tag; those that are gone or unreadable are left out: they must not hide others."""
        self.seen.add(digest)
        releases: list[BaseRelease] = []
        try:
            manifest, entries = self._open(digest)
            for entry in entries:
                releases += self._read(entry, manifest)
        except DrydockError as error:
            if error.problem.retryable or error.problem.code is Code.DENIED:
                raise
        _label(releases, storable(tag, 120))
        return releases

    def _open(self, digest: str) -> tuple[Manifest | Index, list[_Entry]]:
        manifest = self._manifest(digest)
        if isinstance(manifest, Manifest):
            return manifest, [_Entry(digest, "", None)]
        entries = [
            _Entry(entry.digest, digest, platform, entry.digest in manifest.untold)
            for entry, platform in manifest.entries
            if entry.digest in manifest.untold or (platform and fits(str(platform), self.stream))
        ]
        return manifest, entries[:PLATFORM_LIMIT]

    def _manifest(self, digest: str) -> Manifest | Index:
        if len(digest) > DIGEST_LIMIT:
            raise DrydockError(Code.INVALID, f"{self._name(digest)} is known by sha512, which Drydock does not keep.")
        described, data = self.registry.manifest(self.repository, digest)
        return parse_manifest(data, described.media_type)

    def _read(self, entry: _Entry, outer: Manifest | Index) -> list[BaseRelease]:
        """The release of an image; none where its own config says that it is for a platform that is not wanted."""
        name = self._name(entry.digest)
        manifest = self._manifest(entry.digest) if isinstance(outer, Index) else outer
        if isinstance(manifest, Index):
            raise DrydockError(Code.INVALID, f"{name} is an index within an index.")
        if not manifest.is_image and entry.untold:
            return []
        if not manifest.is_image:
            raise DrydockError(Code.INVALID, f"{name} is an artifact, not a container image.")
        config = parse_config(self.registry.blob(self.repository, manifest.config.digest, CONFIG_LIMIT))
        if not config.diff_ids:
            raise DrydockError(Code.INVALID, f"{name} has no layers.")
        if len(config.diff_ids) != len(manifest.layers) or any(len(each) > DIGEST_LIMIT for each in config.diff_ids):
            raise DrydockError(
                Code.INVALID, f"{name} contradicts itself: its config has other layers than its manifest."
            )
        platform = str((not config.platform.os and entry.platform) or config.platform)
        if not fits(platform, self.stream):
            return []
        return [_release(manifest, config, entry, platform, own=self.stream.own)]

    def _name(self, digest: str) -> str:
        return f"{self.repository}@{digest[:19]}"

    def _lacking(self, releases: Sequence[BaseRelease]) -> Problem | None:
        """The platforms people want of which the tag has no image now."""
        found = [release.platform for release in releases]
        lacking = [
            wanted for wanted in self.stream.platforms if not any(f"{each}/".startswith(f"{wanted}/") for each in found)
        ]
        if not lacking:
            return None
        return Problem(
            Code.NOT_FOUND,
            f"{self.stream.reference} has no image for {', '.join(lacking)}, only for {', '.join(sorted(found))}.",
            next_step="Take the platform out of the stream, or have it built again.",
        )

    def _nothing_wanted(self, manifest: Manifest | Index) -> DrydockError:
        held = sorted({storable(str(each), 40) for each in manifest.platforms}) if isinstance(manifest, Index) else []
        wanted = ", ".join(self.stream.platforms)
        return DrydockError(
            Code.NOT_FOUND,
            f"{self.stream.reference} has no image for {wanted or 'any platform'}"
            + (f"; it has {', '.join(held[:PLATFORM_LIMIT])}." if held else "."),
            next_step="Check the stream's platforms.",
        )


def _release(manifest: Manifest, config: ImageConfig, entry: _Entry, platform: str, *, own: bool) -> BaseRelease:
    return BaseRelease(
        platform=storable(platform, 40),
        chain_id=chain_ids(config.diff_ids)[-1],
        diff_ids=list(config.diff_ids),
        layers=[_layer(layer) for layer in manifest.layers],
        manifest_digest=entry.digest,
        index_digest=entry.index_digest,
        built_at=config.created,
        config=storable_value(_kept_config(config, own=own)),
        size_bytes=sum(layer.size for layer in manifest.layers),
    )


def _layer(layer: Descriptor) -> dict[str, object]:
    return {"digest": layer.digest, "size": layer.size, "media_type": storable(layer.media_type, 120)}


def _kept_config(config: ImageConfig, *, own: bool) -> dict[str, object]:
    """What later decisions need of a base's config. AWS's bases hold no secrets; a company's may, by their names."""
    env, labels = dict(config.env), dict(config.labels)
    entrypoint, command = list(config.entrypoint), list(config.command)
    if own:
        env, labels, entrypoint, command = map(redact_value, (env, labels, entrypoint, command))
    return {
        "entrypoint": entrypoint,
        "command": command,
        "working_directory": config.working_directory,
        "env": [[key, env[key]] for key, _ in config.env],
        "labels": labels,
        "history": [[kept_step(step.created_by), step.empty_layer] for step in config.history],
    }
