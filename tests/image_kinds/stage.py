"""Push every kind to a registry, then read and judge them as the product does: poll, inspect, judge. Once a session."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from django.conf import settings
from django.test import override_settings

from functions_app.domain.images.manifests import Index, Manifest, parse_config, parse_manifest
from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.tar import read_tar
from functions_app.models import BaseRelease, Image, Repository
from functions_app.registry.blobs import open_layer
from functions_app.registry.client import CONFIG_LIMIT, Registry
from functions_app.services.bases import polls
from functions_app.services.bases.streams import seed_streams
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.images.facts import FACTS, inspect
from sandbox.images import making as built
from tests import distribution_server, packages
from tests.factories import make_account, make_repository
from tests.fixtures import put_blob, put_manifest
from tests.image_kinds import apps, published, tools
from tests.image_kinds.published import HOST, NOW
from tests.image_kinds.tools import Workshop

TAG = "v1"
COMPANY_HOST = "000000000001.dkr.ecr.eu-west-1.amazonaws.com"
# The images within an index, in its order: ECR lists them beside it.
MEMBERS = {
    "multi-arch index": ("multi-arch index, linux/amd64", "multi-arch index, linux/arm64"),
    "index with attestation": ("index with attestation, its image",),
}


@dataclass(frozen=True)
class Judged:
    """What the product says of an image: the columns that people see, as plain values."""

    digest: str
    base: str  # the release as people write it; empty: none
    platform: str
    stream: str
    tier: str
    freshness: str
    releases_behind: int
    days_behind: int
    evidence: str  # its sentences and the verdict's reason
    lineage: tuple[dict[str, object], ...]
    layers: tuple[dict[str, object], ...]
    diff_ids: tuple[str, ...]
    steps: int  # of its history
    facts: dict[str, object]  # all that was read of it


class Silent:
    """A log that nobody reads; what went wrong ends the test."""

    def info(self, text: str) -> None:
        """Not kept."""

    def warning(self, text: str) -> None:
        """A poll of these bases has nothing to warn of."""
        raise AssertionError(text)


class Pushing:
    """Pushes as docker does: a blob that another repository has is mounted, not sent again."""

    def __init__(self, shop: Workshop) -> None:
        self._registry, self._sent = httpx.Client(base_url=f"http://{shop.registry}"), dict[str, str]()

    def __enter__(self) -> "Pushing":
        return self

    def __exit__(self, *failure: object) -> None:
        self._registry.close()

    def __call__(self, repository: str, image: built.Image | built.Index, tags: Sequence[str]) -> None:
        """Blobs first, the images of an index before it."""
        for child in image.images if isinstance(image, built.Index) else (image,):
            for blob in child.blobs:
                self._blob(repository, blob)
            if child is not image:
                put_manifest(self._registry, repository, child.digest, child).raise_for_status()
        for tag in tags:
            put_manifest(self._registry, repository, tag, image).raise_for_status()

    def _blob(self, repository: str, blob: built.Blob) -> None:
        if owner := self._sent.get(blob.digest):
            mount = {"mount": blob.digest, "from": owner}
            if self._registry.post(f"/v2/{repository}/blobs/uploads/", params=mount).status_code == 201:
                return
        put_blob(self._registry, repository, blob.data)
        self._sent[blob.digest] = repository


@contextmanager
def stage(folder: Path) -> Iterator[Workshop]:
    """A docker-registry with every kind in it."""
    with distribution_server.serving(folder, "nobody") as url:
        shop = Workshop(url.removeprefix("http://"), folder)
        _push_kinds(shop)
        yield shop


def read_in_place(shop: Workshop) -> override_settings:
    """The product reads that registry in the place of public.ecr.aws and of ECR."""
    url = f"http://{shop.registry}"
    mirrors = {HOST: url, "*.amazonaws.com": url}
    return override_settings(ENV=dataclasses.replace(settings.ENV, registry_mirrors=mirrors))


def _push_kinds(shop: Workshop) -> None:
    with Pushing(shop) as push:
        for publication in published.yesterday():
            push(publication.repository, publication.image, publication.tags)
        for kind, build in apps.KINDS.items():
            push(repository_of(kind), build(), [TAG])
    base = f"lambda/python:{published.label(published.PYTHON, 2).partition(':')[2]}"
    for kind, make in makeable().items():
        make(shop, base, f"{repository_of(kind)}:{TAG}")


def makeable() -> Mapping[str, Callable[[Workshop, str, str], None]]:
    """The kinds made by tools that are installed here."""
    return {kind: make for kind, make in tools.KINDS.items() if all(map(packages.find, tools.programs(kind)))}


def repository_of(kind: str) -> str:
    """`kinds/docker-schema-2` of "docker schema 2"."""
    return "kinds/" + re.sub("[^a-z0-9]+", "-", kind)


def judge(shop: Workshop) -> Mapping[str, Judged]:
    """Poll twice, read every kind by its tag, judge. Writes rows: the caller rolls them back."""
    seed_streams(published.references())
    polls.poll(NOW - timedelta(days=1), Silent())
    with Pushing(shop) as push:
        for publication in published.today():
            push(publication.repository, publication.image, publication.tags)
    polls.poll(NOW, Silent())
    account = make_account()
    kinds = [*apps.KINDS, *makeable()]
    images: dict[str, Image] = {}
    manifests: dict[str, bytes] = {}
    with Registry.open(COMPANY_HOST) as registry_read:
        for kind in kinds:
            repository = make_repository(account, repository_of(kind))
            images[kind] = _listed(registry_read, repository, TAG, manifests)
            if kind in MEMBERS:
                index = parse_manifest(manifests[images[kind].digest])
                assert isinstance(index, Index)
                for (member, _), name in zip(index.entries, MEMBERS[kind], strict=False):
                    images[name] = _listed(registry_read, repository, member.digest, manifests)
        inspect(list(images.values()), manifests, registry_read, now=NOW)
    judge_images(now=NOW)
    return {kind: _judged(image) for kind, image in images.items()}


def read_layers(shop: Workshop, kind: str) -> tuple[LayerContents, ...]:
    """What each layer of an image holds, fetched, unpacked, verified and read as the product does."""
    repository = repository_of(kind)
    with read_in_place(shop), Registry.open(COMPANY_HOST) as registry:
        manifest = parse_manifest(registry.manifest(repository, TAG)[1])
        assert isinstance(manifest, Manifest)
        config = parse_config(registry.blob(repository, manifest.config.digest, CONFIG_LIMIT))
        contents = []
        for layer, diff_id in zip(manifest.layers, config.diff_ids, strict=True):
            with open_layer(registry, repository, layer, diff_id) as stream:
                contents.append(read_tar(stream))
    return tuple(contents)


def _listed(registry: Registry, repository: Repository, reference: str, manifests: dict[str, bytes]) -> Image:
    """The row that a sync makes of an image that ECR lists."""
    described, data = registry.manifest(repository.name, reference)
    manifests[described.digest] = data
    return Image.objects.create(
        repository=repository, digest=described.digest, media_type=described.media_type, synced_at=NOW
    )


def _judged(image: Image) -> Judged:
    image.refresh_from_db()
    release = image.base_release
    return Judged(
        digest=image.digest,
        base=_name(release) if release else "",
        platform=release.platform if release else "",
        stream=image.base_stream.name if image.base_stream else "",
        tier=image.base_tier,
        freshness=image.freshness,
        releases_behind=image.releases_behind,
        days_behind=image.days_behind,
        evidence=" ".join([*image.base_evidence, image.freshness_reason]),
        lineage=tuple(image.base_lineage),
        layers=tuple(image.layers),
        diff_ids=tuple(image.diff_ids),
        steps=len(image.history),
        facts=facts_of(image),
    )


def facts_of(image: Image) -> dict[str, object]:
    """What was read of an image, apart from when."""
    return {name: getattr(image, name) for name in FACTS if name != "inspected_at"}


def _name(release: BaseRelease) -> str:
    name = release.stream.name
    return f"{name.partition(':')[0]}:{release.tag}" if release.tag else f"{name} of {release.created_at:%F}"
