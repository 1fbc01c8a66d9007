"""A whole image into a registry: its layers mounted or copied, several at once, then its config, then its manifest.

Every step looks before it acts and may be repeated: a push that was cut off anywhere is taken up by pushing again. The
manifest comes last, so that nothing that is half there has a name.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

from functions_app.domain.errors import DrydockError
from functions_app.domain.images.manifests import Descriptor
from functions_app.registry.client import Registry
from functions_app.registry.counting import counted
from functions_app.registry.manifests import BLOBS_MISSING, digest_of, is_free, put_tagged
from functions_app.registry.uploads import Source, Way, mount_or_copy, put_blob

AT_ONCE = 4  # layers
LOOK_EVERY = 0.2  # seconds between two looks for a cancel, and between two reports of progress


@dataclass(frozen=True)
class Layer:
    """A layer to be in the repository, and where it can be had; no source: the repository has it."""

    descriptor: Descriptor
    source: Source | None = None


@dataclass(frozen=True)
class NewImage:
    """What is pushed: the layers from the bottom up, and the bytes of config and manifest."""

    layers: tuple[Layer, ...]
    config: bytes
    manifest: bytes
    media_type: str


@dataclass(frozen=True)
class Progress:
    """How far a push has come: `sent` are bytes, `layers` those that are there."""

    layers: int
    of_layers: int
    sent: int


@dataclass(frozen=True)
class Pushed:
    """What a push came to: layers mounted, there before, and copied; bytes sent, requests to all registries."""

    digest: str
    mounted: int = 0
    existing: int = 0
    copied: int = 0
    copied_bytes: int = 0
    requests: int = 0


def push(
    registry: Registry,
    repository: str,
    image: NewImage,
    tag: str,
    *,
    watch: Callable[[], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Pushed:
    """Push an image under a tag that is new; where the tag names this very image, nothing is left to do.

    `watch` and `progress` are called in this thread, about every 0.2 s; what `watch` raises ends the push. Raises
    DrydockError: PREFLIGHT for a tag that names another image, whatever mode of tags the repository has.
    """
    with counted() as count:
        digest = digest_of(image.manifest)
        if not is_free(registry, repository, tag, digest):
            return Pushed(digest, existing=len(_distinct(image.layers)), requests=count.requests)
        work = _Push(registry, repository, watch or _nobody_watches, progress or _nobody_asks)
        layers = _distinct(image.layers)
        ways = work.carry_out(layers, image.config)
        try:
            put_tagged(registry, repository, tag, image.manifest, image.media_type)
        except DrydockError as error:
            # It had them, and has them no more, or never really had: ECR clears away what belongs to no image.
            anew = [layer for layer in layers if ways[layer.descriptor.digest] is Way.EXISTING and layer.source]
            if error.problem.aws_code not in BLOBS_MISSING or not anew:
                raise
            ways |= work.carry_out(anew, image.config, anew=True)
            put_tagged(registry, repository, tag, image.manifest, image.media_type)
        found = list(ways.values())
        mounted, existing, copied = (found.count(way) for way in (Way.MOUNTED, Way.EXISTING, Way.COPIED))
        return Pushed(digest, mounted, existing, copied, work.sent, count.requests)


def _distinct(layers: Iterable[Layer]) -> list[Layer]:
    """Each once: one image may have the same layer several times."""
    return list({layer.descriptor.digest: layer for layer in layers}.values())


def _nobody_watches() -> None:
    pass


def _nobody_asks(_progress: Progress) -> None:
    pass


class _StoppedError(Exception):
    """Nobody wants this push any more."""


@dataclass
class _Push:
    """The work of one push: a few threads that send, and this one, which looks after them."""

    registry: Registry
    repository: str
    watch: Callable[[], None]
    progress: Callable[[Progress], None]
    sent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def carry_out(self, layers: Sequence[Layer], config: bytes, *, anew: bool = False) -> dict[str, Way]:
        """Bring layers and config into the repository; how each layer came there, by its digest."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                waiting: dict[Future[Way], str] = {}
                for layer in layers:
                    waiting[pool.submit(copy_context().run, self._bring, layer, anew)] = layer.descriptor.digest
                last = pool.submit(copy_context().run, self._config, config)
                return self._look_after(waiting, last)
            finally:
                self._stop.set()  # or leaving the pool would wait for layers that nobody wants any more
                pool.shutdown(cancel_futures=True)
                self._stop.clear()

    def _look_after(self, layers: dict[Future[Way], str], config: Future[None]) -> dict[str, Way]:
        ways: dict[str, Way] = {}
        left: set[Future[Any]] = {*layers, config}
        while left:
            done, left = wait(left, LOOK_EVERY, FIRST_COMPLETED)
            for each in done:
                arrived = each.result()
                if each is not config:
                    ways[layers[each]] = arrived
            self.watch()
            self.progress(Progress(len(ways), len(layers), self.sent))
        return ways

    def _bring(self, layer: Layer, anew: bool) -> Way:
        return mount_or_copy(self.registry, self.repository, layer.descriptor, layer.source, self._count, anew=anew)

    def _config(self, data: bytes) -> None:
        put_blob(self.registry, self.repository, digest_of(data), data, self._count)

    def _count(self, more: int) -> None:
        if self._stop.is_set():
            raise _StoppedError
        with self._lock:
            self.sent += more
