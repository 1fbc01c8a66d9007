"""A layer's size does not show in the memory of who reads it: measured in a process of its own."""

import hashlib
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import zstandard

from functions_app.domain.images import Descriptor
from tests.processes import ROOT

BLOCK = b"".join(hashlib.sha512(bytes([number % 256, number // 256])).digest() for number in range(16384))  # 1 MiB
SMALL, LARGE = 8, 200  # blocks
MORE = 8 * 1024**2  # bytes; the allocator's own noise

# Linux hands ru_maxrss down from the process that forked us; VmHWM begins anew with the program.
READ = """
import sys
from functions_app.domain.images import Descriptor
from functions_app.registry.blobs import open_layer
from functions_app.registry.client import Registry
url, kind, digest, size, diff_id = sys.argv[1:]
read = 0
with Registry("registry.example", url) as registry:
    if kind == "stream":
        with registry.stream("team/app", digest, size=int(size)) as pieces:
            read = sum(map(len, pieces))
    else:
        with open_layer(registry, "team/app", Descriptor("", digest, int(size)), diff_id) as tar:
            while piece := tar.read(1024 * 1024):
                read += len(piece)
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

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)


def peak_of(kind: str, pack: Callable[[int], Iterator[bytes]], count: int) -> int:
    """The most memory, in bytes, of a process that reads so many blocks."""
    layer = Descriptor("", *measured(pack(count)))
    diff_id, unpacked = measured(blocks(count))
    with serving(lambda: pack(count), layer.size) as url:
        arguments = [url, kind, layer.digest, str(layer.size), diff_id]
        command = [sys.executable, "-c", READ, *arguments]
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert process.returncode == 0, process.stderr
    read, peak = process.stdout.split()
    assert int(read) == (layer.size if kind == "stream" else unpacked)
    return int(peak) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its own peak: /proc/self/status")
@pytest.mark.parametrize(("kind", "pack"), [("stream", blocks), ("layer", in_gzip), ("layer", in_zstd)])
def test_a_layer_of_any_size_is_read_in_the_same_memory(kind: str, pack: Callable[[int], Iterator[bytes]]) -> None:
    small = peak_of(kind, pack, SMALL)
    large = peak_of(kind, pack, LARGE)

    assert large < small + MORE
