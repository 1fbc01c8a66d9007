"""Rebases as registries see them: the three images are read, put together, judged by their files, and pushed."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from django.conf import settings

from functions_app.aws.session import Target
from functions_app.domain.changes.patching.base_moves import BaseMove
from functions_app.domain.images.manifests import ImageConfig
from functions_app.domain.rebase.held import HeldImage
from functions_app.domain.rebase.rebase import Rebase, rebase
from functions_app.domain.rebase.refusals import Refusal
from functions_app.domain.rebase.safety.findings import Verdict
from functions_app.domain.rebase.statement import BaseTold, Judged, make_statement, refer
from functions_app.domain.rebase.tags import longer_tags
from functions_app.domain.refs import ImageRef
from functions_app.registry import referrers
from functions_app.registry.client import CONFIG_LIMIT, Registry
from functions_app.registry.manifests import is_free
from functions_app.registry.pushing import Layer, NewImage, Progress, Pushed, push
from functions_app.registry.uploads import Source
from functions_app.services.images.registries import open_registry


@dataclass(frozen=True)
class Images:
    """The image that is rebased, the base it stands on, the one it is to stand on, and what comes of it."""

    app: HeldImage
    old: HeldImage
    new: HeldImage
    result: Rebase

    def tagged(self, tag: str) -> "Images":
        """The same under another tag, which is no part of the image."""
        return replace(self, result=replace(self.result, tag=tag))

    @property
    def config(self) -> ImageConfig:
        """The config of the image as it is."""
        return self.app.config

    @property
    def as_base(self) -> HeldImage:
        """What comes of it as another image's new base, pushed or not."""
        made = self.result
        found = HeldImage.read(self.app.repository, made.manifest, made.config, made.media_type)
        if isinstance(found, Refusal):
            raise found.error()
        return found


def put_together(app: ImageRef, tag: str, base: BaseMove, owner: Target, new_base: HeldImage | None = None) -> Images:
    """Read the three images and rebase; the same inputs give the same digest. Raises PREFLIGHT for what can't be.

    `owner` is the account whose login the app's registry is asked with; nothing is written anywhere. `new_base`: the
    new base where it is to be pushed yet.
    """
    old, new = ImageRef.parse(base.from_reference), ImageRef.parse(base.to_reference)
    with ExitStack() as stack:
        of_app = stack.enter_context(open_registry(app.registry, target=owner))
        of_base = stack.enter_context(open_registry(old.registry))
        held = _held(of_app, app), _held(of_base, old), new_base or _held(of_base, new)
    made = rebase(
        *held,
        released=base.released,
        base_name=base.to_name,
        base_digest=base.index_digest or new.digest,
        tag=tag,
    )
    if isinstance(made, Refusal):
        raise made.error()
    return Images(*held, made)


def tagged_freely(images: Images, into: ImageRef, owner: Target) -> Images:
    """The same under the first of its tags that names no other image in that repository; nothing is written."""
    result = images.result
    with open_registry(into.registry, target=owner) as registry:
        for tag in longer_tags(result.tag, result.digest):
            held = registry.head(into.repository, tag)
            if held is None or held.digest == result.digest:
                return images.tagged(tag)
    return images  # the push will say so


def _held(registry: Registry, reference: ImageRef) -> HeldImage:
    described, data = registry.manifest(reference.repository, reference.digest)
    found = HeldImage.read(reference.name, data, b"", described.media_type)
    if isinstance(found, Refusal):
        raise found.error()
    config = registry.blob(reference.repository, found.manifest.config.digest, CONFIG_LIMIT)
    return HeldImage(found.repository, found.manifest, data, config)


def is_pushed(images: Images, into: ImageRef, owner: Target) -> bool:
    """Whether the repository has the result under its tag. Raises PREFLIGHT where the tag names another image."""
    with open_registry(into.registry, target=owner) as registry:
        return not is_free(registry, into.repository, images.result.tag, images.result.digest)


def push_result(
    images: Images,
    into: ImageRef,
    owner: Target,
    *,
    watch: Callable[[], None],
    progress: Callable[[Progress], None],
) -> Pushed:
    """Push what came of it into the repository of the app, under its own new tag. Repeated, it changes nothing."""
    result = images.result
    with ExitStack() as stack:
        target = stack.enter_context(open_registry(into.registry, target=owner))
        opened: dict[str, Registry] = {into.registry: target}
        layers = []
        for layer in result.layers:
            host, _, repository = layer.from_repository.partition("/")
            if host not in opened:
                opened[host] = stack.enter_context(open_registry(host))
            here = layer.from_repository == into.name
            layers.append(Layer(layer.descriptor, None if here else Source(opened[host], repository)))
        image = NewImage(tuple(layers), result.config, result.manifest, result.media_type)
        send = partial(push, target, into.repository, image, result.tag)
        return send(watch=watch, progress=progress)


def attest(images: Images, base: BaseMove, verdict: Verdict, into: ImageRef, owner: Target) -> str:
    """Push a statement of what was done beside the result, and give its digest. Repeated, it changes nothing."""
    old, new = ImageRef.parse(base.from_reference), ImageRef.parse(base.to_reference)
    statement = make_statement(
        images.result,
        images.app,
        BaseTold(f"{old.name}:{base.from_label}", old.digest, images.old),
        BaseTold(base.to_name, base.index_digest or new.digest, images.new),
        Judged(verdict.level.value, tuple(finding.code for finding in verdict.findings)),
        name=into.name,
        version=settings.DRYDOCK_VERSION,
    )
    made = refer(statement, images.result.descriptor)
    with open_registry(into.registry, target=owner) as registry:
        blobs = (made.config, made.statement)
        kind = made.descriptor.media_type
        return referrers.attach(registry, into.repository, blobs, made.manifest, kind).digest
