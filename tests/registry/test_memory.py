"""A layer's size does not show in the memory of who reads or copies it: measured in a process of its own."""

import hashlib
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import zstandard

from functions_app.domain.images.manifests import Descriptor
from tests.http_server import Server
from tests.processes import ROOT

BLOCK = b"".join(hashlib.sha512(bytes([number % 256, number // 256])).digest() for number in range(16384))  # 1 MiB
SMALL, LARGE = 8, 200  # blocks
MORE = 8 * 1024**2  # bytes; the allocator's own noise

# Linux hands ru_maxrss down from the process that forked us; VmHWM begins anew with the program.
READ = """
import sys
from functions_app.domain.errors import DrydockError
from functions_app.domain.images.manifests import Descriptor
from functions_app.registry.blobs import open_layer
from functions_app.registry.client import Registry
from functions_app.registry.uploads import Source, mount_or_copy
url, kind, digest, size, diff_id = sys.argv[1:]
read = 0
try:
    with Registry("registry.example", url) as registry:
        if kind == "copy":
            with Registry("sink.example", url + "/sink") as sink:
                bring = lambda more: globals().update(read=read + more)
                mount_or_copy(sink, "team/app", Descriptor("", digest, int(size)), Source(registry, "team/base"), bring)
        elif kind == "stream":
            with registry.stream("team/app", digest, size=int(size)) as pieces:
                read = sum(map(len, pieces))
        else:
            with open_layer(registry, "team/app", Descriptor("", digest, int(size)), diff_id) as tar:
                while piece := tar.read(1024 * 1024):
                    read += len(piece)
except DrydockError as error:
    print(error, file=sys.stderr)
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")]
print(read, peak[0])
"""


def blocks(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield number.to_bytes(8, "little") + BLOCK[8:]


def in_gzip(count: int) -> Iterator[bytes]:
    packer = zlib.compressobj(0, wbits=31)
    for block in blocks(count):
        yield packer.compress(block)
    yield packer.flush()


def in_zstd(count: int) -> Iterator[bytes]:
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    for block in blocks(count):
        yield packer.compress(block)
    yield packer.flush()


def measured(pieces: Iterator[bytes]) -> tuple[str, int]:
    found, size = hashlib.sha256(), 0
    for piece in pieces:
        found.update(piece)
        size += len(piece)
    return f"sha256:{found.hexdigest()}", size


@contextmanager
def serving(pack: Callable[[], Iterator[bytes]], size: int) -> Iterator[str]:
    """A registry whose every answer is this, made as it is sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            for piece in pack():
                self.wfile.write(piece)

        def do_HEAD(self) -> None:
            self.send_response(404)
            self.end_headers()

        def do_POST(self) -> None:
            self.send_response(202)
            self.send_header("Location", f"{self.path}1")
            self.end_headers()

        def do_PUT(self) -> None:
            left = int(self.headers["Content-Length"])
            while left and (piece := self.rfile.read(min(left, 65536))):
                left -= len(piece)
            self.send_response(201)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)


def run(kind: str, url: str, layer: Descriptor, diff_id: str) -> tuple[int, int, str]:
    """Read it in a process of its own: bytes read, its most memory in bytes, what went wrong."""
    arguments = [url, kind, layer.digest, str(layer.size), diff_id]
    command = [sys.executable, "-c", READ, *arguments]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert process.returncode == 0, process.stderr
    read, peak = process.stdout.split()
    return int(read), int(peak) * 1024, process.stderr


def peak_of(kind: str, pack: Callable[[int], Iterator[bytes]], count: int) -> int:
    """The most memory, in bytes, of a process that reads so many blocks."""
    layer = Descriptor("", *measured(pack(count)))
    diff_id, unpacked = measured(blocks(count))
    with serving(lambda: pack(count), layer.size) as url:
        read, peak, error = run(kind, url, layer, diff_id)
    assert (read, error) == (unpacked if kind == "layer" else layer.size, "")
    return peak


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its own peak: /proc/self/status")


KINDS = [("stream", blocks), ("layer", in_gzip), ("layer", in_zstd), ("copy", blocks)]


@LINUX
@pytest.mark.parametrize(("kind", "pack"), KINDS)
def test_a_layer_of_any_size_is_read_or_copied_in_the_same_memory(
    kind: str, pack: Callable[[int], Iterator[bytes]]
) -> None:
    small = peak_of(kind, pack, SMALL)
    large = peak_of(kind, pack, LARGE)

    assert large < small + MORE


def gzip_of_nothing(size: int) -> bytes:
    packer, block = zlib.compressobj(9, wbits=31), bytes(1024**2)
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


def zstd_of_nothing(size: int) -> bytes:
    return zstandard.ZstdCompressor().compress(bytes(size))


@LINUX
@pytest.mark.parametrize("pack", [gzip_of_nothing, zstd_of_nothing])
def test_a_bomb_of_gigabytes_is_refused_in_the_memory_of_a_small_layer(pack: Callable[[int], bytes]) -> None:
    bomb = pack(64 * 1024**2) * 64
    layer = Descriptor("", *measured(iter([bomb])))

    with serving(lambda: iter([bomb]), layer.size) as url:
        read, peak, error = run("layer", url, layer, layer.digest)

    assert "unpacks like a bomb" in error
    assert read <= 512 * 1024**2
    assert peak < peak_of("layer", in_gzip, SMALL) + MORE
