"""Read what layers hold, from the registry: each layer once, ever, however many images share it. No image is pulled
to disk: the tars stream by, and what stays is an index of files and packages (LayerFiles)."""

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.images.manifests import Descriptor, Manifest, parse_manifest
from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.package_files import Package
from functions_app.domain.layers.packing import VERSION, pack, unpack
from functions_app.domain.layers.tar import read_tar
from functions_app.domain.refs import ImageRef
from functions_app.domain.runs import ACTIVE, Done, Kind, Outcome, Skipped
from functions_app.domain.text import storable
from functions_app.models import BaseRelease, Image, LayerFiles, Run
from functions_app.registry.blobs import open_layer
from functions_app.registry.client import Registry
from functions_app.services.engine import runs
from functions_app.services.engine.steps import Cancelled, Context, StepSpec
from functions_app.services.images.registries import open_registry
from functions_app.services.people import access
from functions_app.services.people.actor import Actor

READERS = 2  # layers at a time: each may be gigabytes
RELEASES = 20  # of one run
LOOK_EVERY = 1.0  # seconds between two looks at whether somebody wants to cancel
ACTION = "read_files.submit"


@dataclass(frozen=True)
class Layer:
    """A layer to read, and where."""

    host: str
    repository: str
    descriptor: Descriptor
    diff_id: str


def submit_for_releases(release_ids: Collection[int], actor: Actor) -> Run:
    """Start reading the layers of base releases. Raises DENIED, NOT_FOUND, INVALID for too many, BUSY."""
    keys = sorted(set(release_ids))
    access.require_operator(actor, ACTION, f"base releases {', '.join(map(str, keys[:RELEASES]))}")
    if not 0 < len(keys) <= RELEASES:
        raise DrydockError(Code.INVALID, f"Choose between 1 and {RELEASES} releases, not {len(keys)}.")
    releases = list(BaseRelease.objects.filter(pk__in=keys).select_related("stream"))
    if len(releases) < len(keys):
        raise DrydockError(Code.NOT_FOUND, "Drydock knows no such base release.", next_step="Look in Base images.")
    names = ", ".join(f"{release.stream.name} {release.tag or release.manifest_digest[:19]}" for release in releases)
    lock = hashlib.sha256(",".join(map(str, keys)).encode()).hexdigest()
    return runs.submit(
        Kind.READ_FILES,
        title=f"Read the files of {names}",
        plan={"releases": keys},
        actor=actor,
        lock=f"read_files:releases:{lock}",
    )


def submit_for_image(image: Image, actor: Actor) -> Run:
    """Start reading an image's layers. Raises DENIED, BUSY, PREFLIGHT for an index or an image not inspected yet."""
    access.require_operator(actor, ACTION, str(image))
    if image.is_index:
        raise DrydockError(
            Code.PREFLIGHT,
            "This is an index of images for several platforms; it has no layers of its own.",
            next_step="Open the image of one platform.",
        )
    if not image.diff_ids or len(image.diff_ids) != len(image.layers):
        raise DrydockError(
            Code.PREFLIGHT, "Drydock does not know this image's layers yet.", next_step="Sync the account first."
        )
    return runs.submit(
        Kind.READ_FILES,
        title=f"Read the files of {image.repository.name}@{image.digest[:19]}",
        plan={"image": image.pk},
        actor=actor,
        account=image.repository.account,
        lock=f"read_files:image:{image.pk}",
    )


def submit_for_patch(image: Image, release_ids: Sequence[int], actor: Actor) -> Run:
    """Start reading what a verdict on a rebase looks into: an image and two base releases. Raises DENIED.

    Where the same is being read already, the run that reads it.
    """
    access.require_operator(actor, ACTION, str(image))
    lock = f"read_files:patch:{image.pk}:{','.join(map(str, release_ids))}"
    try:
        return runs.submit(
            Kind.READ_FILES,
            title=f"Read the files of {image.repository.name}@{image.digest[:19]} and of its bases",
            plan={"image": image.pk, "releases": list(release_ids)},
            actor=actor,
            account=image.repository.account,
            lock=lock,
        )
    except DrydockError:
        if run := Run.objects.filter(lock=lock, status__in=ACTIVE).first():
            return run
        raise


def again(plan: dict[str, Any], actor: Actor) -> Run:
    """The same once more: what was read by then is not read again. Raises as the other three do."""
    releases = plan.get("releases", [])
    if "image" not in plan:
        return submit_for_releases(releases, actor)
    image = Image.objects.select_related("repository__account").filter(pk=plan["image"]).first()
    if image is None:
        raise DrydockError(Code.NOT_FOUND, "Drydock knows this image no more.", next_step="Sync.")
    return submit_for_patch(image, releases, actor) if releases else submit_for_image(image, actor)


def layer_contents(diff_ids: Iterable[str]) -> Mapping[str, LayerContents | None]:
    """What each layer holds, None for one that was not read; one query, no registry."""
    wanted = dict.fromkeys(diff_ids)
    rows = LayerFiles.objects.filter(diff_id__in=list(wanted)).values_list("diff_id", "files", "packages")
    found = {diff_id: _unpacked(bytes(files), packages) for diff_id, files, packages in rows}
    return {diff_id: found.get(diff_id) for diff_id in wanted}


def unread_layers(diff_ids: Iterable[str]) -> Collection[str]:
    """Those of which not all is known that a verdict needs: never read, not readable, or read before Drydock kept what
    their code needs. One query; nothing is unpacked.
    """
    wanted = set(diff_ids)
    read = LayerFiles.objects.filter(diff_id__in=wanted, problem__isnull=True, packed_as=VERSION)
    return wanted - set(read.values_list("diff_id", flat=True))


def _unpacked(files: bytes, packages: Iterable[Mapping[str, str]]) -> LayerContents | None:
    return unpack(files, map(Package.from_json, packages)) if files else None


def _read_step(context: Context) -> Outcome:
    """Read the layers that are not known yet. A crash costs those that were being read: the others are stored."""
    with ExitStack() as stack:
        registries: dict[str, Registry] = {}

        def registry_of(host: str) -> Registry:
            if host not in registries:
                registries[host] = stack.enter_context(open_registry(host))
            return registries[host]

        layers = {layer.diff_id: layer for layer in _layers(context, registry_of)}
        unread = unread_layers(layers)
        missing = [layer for layer in layers.values() if layer.diff_id in unread]
        known = len(layers) - len(missing)
        context.result["layers"] = {"read": 0, "known before": known}
        if not missing:
            return Skipped(f"all {known} layers were read before")
        context.log.info(f"layers to read: {len(missing)}; known: {known}")
        for layer in missing:
            registry_of(layer.host)  # opened here: whose login it takes stands in the database
        problems = _read_all(context, missing, registries)
    if problems:
        raise _failed(problems, len(missing))
    return Done(f"layers read: {len(missing)}")


def _failed(problems: Sequence[Problem], count: int) -> DrydockError:
    first = problems[0]
    return DrydockError(
        first.code,
        f"{len(problems)} of {count} layers could not be read. {first.message}",
        next_step=first.next_step or "What could be read is kept; read again when the cause is gone.",
        aws_code=first.aws_code,
        request_id=first.request_id,
        retryable=first.retryable,
    )


def _layers(context: Context, registry_of: Callable[[str], Registry]) -> Iterator[Layer]:
    """The layers that the plan names, each with where to read it."""
    if "image" in context.plan:
        image = Image.objects.select_related("repository").filter(pk=context.plan["image"]).first()
        if image is None:
            raise DrydockError(Code.NOT_FOUND, "Drydock does not know this image any more.")
        host = image.repository.uri.partition("/")[0]
        yield from _pairs(host, image.repository.name, image.layers, image.diff_ids)
    for release in BaseRelease.objects.filter(pk__in=context.plan.get("releases", ())).select_related("stream"):
        ref = ImageRef.parse(release.stream.reference)
        layers = release.layers or _read_manifest(registry_of(ref.registry), ref.repository, release)
        yield from _pairs(ref.registry, ref.repository, layers, release.diff_ids)


def _pairs(host: str, repository: str, layers: Sequence[Mapping[str, Any]], diff_ids: Sequence[str]) -> Iterator[Layer]:
    if len(layers) != len(diff_ids):
        raise DrydockError(
            Code.INVALID,
            f"{host}/{repository} contradicts itself: {len(layers)} layers in its manifest, {len(diff_ids)} in its "
            "config.",
        )
    for layer, diff_id in zip(layers, diff_ids, strict=True):
        yield Layer(host, repository, Descriptor(layer["media_type"], layer["digest"], layer["size"]), diff_id)


def _read_manifest(registry: Registry, repository: str, release: BaseRelease) -> list[dict[str, Any]]:
    """The layers of a release that was stored before Drydock kept them; from now on it does."""
    described, data = registry.manifest(repository, release.manifest_digest)
    manifest = parse_manifest(data, described.media_type)
    if not isinstance(manifest, Manifest):
        raise DrydockError(Code.INVALID, f"{repository}@{release.manifest_digest[:19]} is an index, not an image.")
    layers = [
        {"digest": layer.digest, "size": layer.size, "media_type": storable(layer.media_type, 120)}
        for layer in manifest.layers
    ]
    BaseRelease.objects.filter(pk=release.pk).update(layers=layers)
    return layers


def _read_all(context: Context, missing: Sequence[Layer], registries: Mapping[str, Registry]) -> list[Problem]:
    """Read layers side by side and store each when it is done; the problems of those that failed.

    Threads read registries, never rows. Raises Cancelled, and LeaseLost when another worker has the run.
    """
    waiting, reading, stop = deque(missing), dict[Future[LayerContents | Problem], Layer](), threading.Event()
    problems: list[Problem] = []
    done = 0
    with ThreadPoolExecutor(READERS, thread_name_prefix="layers") as pool:
        try:
            while waiting or reading:
                if context.cancel_requested():
                    raise Cancelled(f"layers read: {done} of {len(missing)}")
                while waiting and len(reading) < READERS:
                    layer = waiting.popleft()
                    reading[pool.submit(_read, registries[layer.host], layer, stop)] = layer
                for future in wait(reading, LOOK_EVERY, FIRST_COMPLETED).done:
                    done += 1
                    outcome = future.result()
                    _store(context, reading.pop(future), outcome, f"layer {done} of {len(missing)}")
                    context.progress(done, len(missing), "layers")
                    problems += [outcome] if isinstance(outcome, Problem) else []
                    del future, outcome  # contents may be large, and the next wait long
        finally:
            stop.set()  # or leaving the pool would wait for layers that nobody wants any more
    return problems


class _Stopped(Exception):
    """Nobody wants this layer any more."""


def _read(registry: Registry, layer: Layer, stop: threading.Event) -> LayerContents | Problem:
    def watch() -> None:
        if stop.is_set():
            raise _Stopped

    try:
        with open_layer(registry, layer.repository, layer.descriptor, layer.diff_id) as tar:
            return read_tar(tar, watch=watch)  # leaving the block verifies the layer's digests
    except DrydockError as error:
        return error.problem


def _store(context: Context, layer: Layer, outcome: LayerContents | Problem, which: str) -> None:
    context.lease.check()
    short = layer.diff_id[:19]
    if isinstance(outcome, Problem):
        context.log.error(f"{which}, {short}: {outcome.message}")
        facts: dict[str, Any] = {"read_at": context.now, "problem": outcome.as_json()}
        row, made = LayerFiles.objects.get_or_create(diff_id=layer.diff_id, defaults=facts)
        if not made:  # what another run could read meanwhile stays
            LayerFiles.objects.filter(pk=row.pk, problem__isnull=False).update(**facts)
        return
    files = sum(entry.kind in {"file", "hardlink"} for entry in outcome.entries)
    facts = {
        "read_at": context.now,
        "file_count": files,
        "size_bytes": outcome.size_bytes,
        "files": pack(outcome),
        "packed_as": VERSION,
        "packages": [package.as_json() for package in outcome.packages],
        "problem": None,
    }
    LayerFiles.objects.update_or_create(diff_id=layer.diff_id, defaults=facts)
    context.result["layers"]["read"] += 1
    context.log.info(
        f"{which}, {short}: files: {files:,}, {outcome.size_bytes:,} bytes; packages: {len(outcome.packages):,}"
    )
    for note in outcome.notes:
        context.log.warning(f"{short}: {note}")


STEPS = (StepSpec("read", "Read the files of the layers", _read_step),)
