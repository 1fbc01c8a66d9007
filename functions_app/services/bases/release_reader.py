"""Read the releases behind one digest of a base stream: an index with an image for each platform, or a single image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
from functions_app.domain.text import storable, storable_value
from functions_app.models import BaseRelease, BaseStream
from functions_app.registry.client import CONFIG_LIMIT, Registry
from functions_app.services.bases.streams import fits

PLATFORM_LIMIT = 16  # images of one index
DIGEST_LIMIT = 80  # characters: sha256; a base by sha512 has not been met


@dataclass
class Found:
    """What a moving tag points to: releases that were read, and those known whose manifests needed no reading.

    `kept` gives the digest around each known one (empty: none). `broken_off`: not all could be asked for, so that
    nobody knows whether the platforms left out are still there.
    """

    releases: list[BaseRelease] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    problem: Problem | None = None
    broken_off: bool = False


@dataclass(frozen=True)
class _Entry:
    """One image to read: its digest, that of the index around it, and its platform as far as the index tells.

    `untold`: the index says nothing of it, so that it need not be an image at all.
    """

    digest: str
    index_digest: str
    platform: Platform | None
    untold: bool = False


class ReleaseReader:
    """Reads releases of one stream; `known` are manifests that need not be read again, with their platforms.

    `seen` are the digests behind tags that were read.
    """

    def __init__(
        self, registry: Registry, stream: BaseStream, repository: str, known: Mapping[str, str] | None = None
    ) -> None:
        self.registry, self.stream, self.repository, self.known = registry, stream, repository, known or {}
        self.seen: set[str] = set()

    def current(self, digest: str) -> Found:
        """The releases the moving tag stands for, and what is wrong where one of them is missing or unreadable.

        Raises DrydockError where there is none at all.
        """
        if digest in self.known:
            return self._checked(Found(kept={digest: ""}))
        manifest, entries = self._open(digest)
        found, failure = Found(), self._nothing_wanted(manifest)
        for entry in entries:
            try:
                if entry.digest in self.known:
                    found.kept[entry.digest] = entry.index_digest
                else:
                    found.releases += self._read(entry, manifest)
            except DrydockError as error:
                failure = error if found.problem is None else failure
                found.problem = failure.problem
                if error.problem.retryable or error.problem.code is Code.DENIED:
                    found.broken_off = True
                    break
        if found.releases or found.kept:
            return self._checked(found)
        raise failure

    def _checked(self, found: Found) -> Found:
        """With the platforms that people want and the tag has no image for."""
        platforms = [release.platform for release in found.releases]
        platforms += [self.known[digest] for digest in found.kept]
        found.problem = found.problem or self._lacking(platforms)
        return found

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
        for release in releases:
            release.tag = storable(tag, 120)
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

    def _lacking(self, found: Sequence[str]) -> Problem | None:
        """The platforms people want of which the tag has no image now."""
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
