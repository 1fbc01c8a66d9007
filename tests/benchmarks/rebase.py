"""Pushing rebased images: what it costs in requests and bytes, in memory where nothing is mounted, and many at once.

The registry is Debian's docker-registry on loopback. It has no list of referrers, which ECR has: what a statement costs
is asked of the sandbox.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from functions_app.domain.images.manifests import OCI_MANIFEST, Descriptor
from functions_app.domain.images.registry_login import Login
from functions_app.registry.client import Registry
from functions_app.registry.manifests import digest_of
from functions_app.registry.pushing import Layer, NewImage, push
from functions_app.registry.referrers import attach
from functions_app.registry.uploads import Source, put_blob
from tests import distribution_server
from tests.benchmarks.account import peak_bytes, sandbox
from tests.benchmarks.figures import mark, table

MEBIBYTE = 1024**2
LAYERS, BASE_BYTES, OWN_LAYERS = 11, 500 * 10**6, 3
MOST_REQUESTS, MOST_REFERRER, MOST_BYTES = 21, 6, 100_000
MOST_ABOVE = 64 * MEBIBYTE
PUSHES, THREADS, RATE = 200, 8, 30
BASE, APP = "platform/base", "team/app"
# What a study measured of others, as commands, on another machine: the same base, with mounts.
STUDY = (["crane (study)", "54", "-", "98 ms", "-"], ["regctl (study)", "42", "-", "84 ms", "-"])


def put(registry: Registry, repository: str, name: str, size: int) -> Descriptor:
    """Put a layer there that nothing compresses, and tell what it is."""
    data = hashlib.shake_128(name.encode()).digest(size)
    put_blob(registry, repository, digest_of(data), data, lambda _more: None)
    return Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest_of(data), size)


def image(base: Sequence[Descriptor], source: Source | None, own: Sequence[Descriptor], name: str) -> NewImage:
    """An image of these layers, like no other of another name."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "author": name}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _pointer(Descriptor("application/vnd.oci.image.config.v1+json", digest_of(config), len(config))),
        "layers": [_pointer(each) for each in (*base, *own)],
    }
    layers = [*(Layer(each, source) for each in base), *(Layer(each) for each in own)]
    return NewImage(tuple(layers), config, json.dumps(manifest).encode(), OCI_MANIFEST)


def _pointer(what: Descriptor) -> dict[str, object]:
    return {"mediaType": what.media_type, "digest": what.digest, "size": what.size}


class Stage:
    """A registry, with the base's layers and the app's own in it; a file tells other processes what they are."""

    def __init__(self, url: str, facts: Path) -> None:
        self.url, self.facts = url, facts
        base, own = json.loads(facts.read_text(encoding="utf-8"))
        self.base, self.own = ([Descriptor(**each) for each in part] for part in (base, own))

    def rebased(self, registry: Registry, name: str) -> NewImage:
        """The app on that base, whose layers are in another repository."""
        return image(self.base, Source(registry, BASE), self.own, name)


@contextmanager
def staged() -> Iterator[Stage]:
    """The registry, filled."""
    with tempfile.TemporaryDirectory(prefix="drydock-bench-") as name:
        folder = Path(name)
        with distribution_server.serving(folder, "nobody") as url:
            with Registry("127.0.0.1", url) as registry:
                base = [put(registry, BASE, f"base {number}", BASE_BYTES // LAYERS) for number in range(LAYERS)]
                push(registry, BASE, image(base, None, (), "base"), "3.12")
                own = [put(registry, APP, f"app {number}", 1000) for number in range(OWN_LAYERS)]
            facts = folder / "facts.json"
            facts.write_text(json.dumps([[asdict(each) for each in part] for part in (base, own)]), encoding="utf-8")
            yield Stage(url, facts)


def mounted(stage: Stage) -> list[str]:
    """One push whose base is mounted."""
    with Registry("127.0.0.1", stage.url) as registry:
        began = time.perf_counter()
        pushed = push(registry, APP, stage.rebased(registry, "mounted"), "mounted")
        taken = time.perf_counter() - began
    requests = f"{pushed.requests}{mark(pushed.requests <= MOST_REQUESTS)}"
    moved = f"{pushed.copied_bytes:,}{mark(pushed.copied_bytes < MOST_BYTES)}"
    return ["base mounted", requests, moved, f"{taken * 1000:.0f} ms", "-"]


def streamed(stage: Stage) -> list[str]:
    """One push whose base comes from another registry, in a process of its own, whose memory is then its own too."""
    command = [sys.executable, "-m", "tests.benchmarks.rebase", stage.url, str(stage.facts)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    requests, moved, seconds, above = answer.split()
    peak = f"{int(above) / MEBIBYTE:.0f}{mark(int(above) < MOST_ABOVE)}"
    return ["base streamed", requests, f"{int(moved):,}", f"{float(seconds):.1f} s", peak]


def stream(stage: Stage) -> None:
    """What that process does. The registry by another name is another registry: nothing of it is mounted."""
    with Registry("127.0.0.1", stage.url) as registry, Registry("there.example", stage.url) as there:
        registry.head(APP, "nothing")
        idle, began = peak_bytes(os.getpid()) or 0, time.perf_counter()
        pushed = push(registry, "team/streamed", image(stage.base, Source(there, BASE), (), "streamed"), "streamed")
        taken, above = time.perf_counter() - began, (peak_bytes(os.getpid()) or 0) - idle
        print(pushed.requests, pushed.copied_bytes, taken, above)


def referrer() -> int:
    """The requests that attaching a statement takes at ECR."""
    with sandbox() as (url, _, _), Registry("public.ecr.aws", url, Login("public", "sandbox")) as registry:
        empty, statement = b"{}", b'{"_type": "https://in-toto.io/Statement/v1"}'
        layer = put(registry, APP, "layer", 1000)
        about = image((), None, [layer], "app")
        push(registry, APP, about, "v1")
        kind = "application/vnd.in-toto+json"
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": kind,
            "config": _pointer(Descriptor("application/vnd.oci.empty.v1+json", digest_of(empty), len(empty))),
            "layers": [_pointer(Descriptor(kind, digest_of(statement), len(statement)))],
            "subject": _pointer(Descriptor(OCI_MANIFEST, digest_of(about.manifest), len(about.manifest))),
        }
        return attach(registry, APP, [empty, statement], json.dumps(manifest).encode(), OCI_MANIFEST).requests


def pushes_a_second(stage: Stage) -> float:
    """How many pushes with mounts a few threads make in a second, each image its own, each thread in a repository."""
    with Registry("127.0.0.1", stage.url) as registry, ThreadPoolExecutor(THREADS) as pool:

        def fill(thread: int) -> None:
            for number in range(OWN_LAYERS):
                put(registry, f"team/app-{thread}", f"app {number}", 1000)

        def push_all(thread: int) -> None:
            for number in range(thread, PUSHES, THREADS):
                push(registry, f"team/app-{thread}", stage.rebased(registry, f"app {number}"), f"t{number}")

        list(pool.map(fill, range(THREADS)))
        began = time.perf_counter()
        list(pool.map(push_all, range(THREADS)))
        return PUSHES / (time.perf_counter() - began)


def main() -> None:
    """Fill the registry, push in each way, print."""
    if sys.argv[1:]:
        stream(Stage(sys.argv[1], Path(sys.argv[2])))
        return
    with staged() as stage:
        rows = [mounted(stage), streamed(stage), *STUDY]
        rate = pushes_a_second(stage)
    statement = referrer()
    print("## Pushing rebased images\n")
    print(
        f"A base of {LAYERS} layers and {BASE_BYTES // 10**6} MB under an app of {OWN_LAYERS} layers, to "
        f"docker-registry on loopback (promised: with mounts at most {MOST_REQUESTS} requests and less than "
        f"{MOST_BYTES // 1000} KB moved; streamed at most {MOST_ABOVE // MEBIBYTE} MiB above idle). crane and regctl "
        "mount, too, as a study measured their commands on another machine. Attaching a statement at ECR: "
        f"{statement} requests (promised: at most {MOST_REFERRER}{mark(statement <= MOST_REFERRER)}). {PUSHES} pushes "
        f"with mounts on {THREADS} threads: {rate:.0f}/s (promised: at least {RATE}{mark(rate >= RATE)}); ECR itself "
        "takes 10 manifests a second.\n"
    )
    print(table(["push", "requests", "bytes moved", "took", "peak MiB above idle"], rows), "\n")


if __name__ == "__main__":
    main()
