"""Registries, asked: those of base streams by one HEAD each, an account's own by a manifest and its config."""

from collections.abc import Iterator

from functions_app.aws.permissions import Sample
from functions_app.aws.session import Target
from functions_app.domain.ecr_hosts import ecr_host
from functions_app.domain.errors import DrydockError
from functions_app.domain.health.findings import Finding, State
from functions_app.domain.health.permissions import CONFIGS, untried
from functions_app.domain.images.manifests import Manifest, parse_manifest
from functions_app.domain.refs import ImageRef
from functions_app.models import BaseStream, Repository
from functions_app.registry.client import CONFIG_LIMIT
from functions_app.services.images.registries import open_registry


def streams() -> list[ImageRef]:
    """One base stream for each registry that streams are read from. One query."""
    found: dict[str, ImageRef] = {}
    for reference in BaseStream.objects.filter(enabled=True).order_by("pk").values_list("reference", flat=True):
        ref = ImageRef.parse(reference)
        found.setdefault(ref.registry, ref)
    return list(found.values())


def examine(ref: ImageRef) -> list[Finding]:
    """Whether a registry answers for a base stream."""
    part = f"registry {ref.registry}"
    try:
        with open_registry(ref.registry) as registry:
            there = registry.head(ref.repository, ref.reference or "latest")
    except DrydockError as error:
        return [Finding.of(part, State.BAD, f"{ref.repository} can't be read.", error.problem)]
    if there is None:
        step = "See whether its base stream's address is right (Base images)."
        return [Finding(part, State.WARN, f"The registry answers, and has no {ref.repository}:{ref.tag}.", step)]
    return [Finding(part, State.OK, f"The registry answers (asked for {ref.repository}:{ref.tag}).")]


def examine_own(target: Target, sample: Sample) -> Iterator[Finding]:
    """Whether the account's registry gives an image's manifest and config, which need ecr:GetDownloadUrlForLayer."""
    part = f"{target}, registry"
    rows = Repository.objects.filter(account__account_id=target.account_id, region=target.region, gone_at=None)
    uri = rows.filter(name=sample.repository).values_list("uri", flat=True).first() if sample.digest else None
    if not uri:
        yield untried(part, CONFIGS, "no image is known there")
        return
    ref = ImageRef.parse(uri)
    host = ecr_host(ref.registry)
    try:
        with open_registry(host.plain if host else ref.registry, target=target) as registry:
            descriptor, data = registry.manifest(ref.repository, sample.digest)
            manifest = parse_manifest(data, descriptor.media_type)
            if isinstance(manifest, Manifest):
                registry.blob(ref.repository, manifest.config.digest, CONFIG_LIMIT)
    except DrydockError as error:
        yield Finding.of(part, State.BAD, f"An image of {ref.repository} can't be read ({CONFIGS}).", error.problem)
        return
    words = f"An image of {ref.repository} can be read, manifest and config, so {CONFIGS} is allowed."
    yield Finding(part, State.OK, words)
