"""Reading layers: the files of a large base and of an app, as fast and in as little memory as one process can."""

import hashlib
import io
import resource
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator

from functions_app.domain.layers.packing import pack, unpack
from functions_app.domain.layers.tar import read_tar
from tests.benchmarks.figures import mark, table

MEGABYTE = 1024**2
SHAPES = {"500 MB base, 20,000 files": (20_000, 500), "100 MB app, 5,005 entries": (5_005, 100)}
MOST_BYTES = 128 * MEGABYTE


class Tar:
    """A tar of so many files that together have so many megabytes, made while it is read."""

    def __init__(self, files: int, megabytes: int) -> None:
        self._blocks = self._make(files, megabytes * MEGABYTE // files)
        self._waiting = b""

    def _make(self, files: int, size: int) -> Iterator[bytes]:
        noise = hashlib.shake_128(b"layers").digest(size + files)
        padding = bytes(-size % 512)
        for number in range(files):
            member = tarfile.TarInfo(f"var/lang/lib/package-{number // 50}/module_{number}.py")
            member.size = size
            yield member.tobuf(tarfile.GNU_FORMAT) + noise[number : number + size] + padding
        yield bytes(1024)

    def read(self, size: int) -> bytes:
        """At most so many bytes."""
        buffer = io.BytesIO()
        buffer.write(self._waiting)
        while buffer.tell() < size and (block := next(self._blocks, b"")):
            buffer.write(block)
        data = buffer.getvalue()
        self._waiting = data[size:]
        return data[:size]


def measure(name: str) -> list[str]:
    """One row: seconds to read, peak memory of the process, bytes packed, milliseconds to unpack."""
    began = time.perf_counter()
    contents = read_tar(Tar(*SHAPES[name]))
    seconds = time.perf_counter() - began
    packed = pack(contents)
    began = time.perf_counter()
    unpack(packed)
    unpacking = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    kept = mark(peak < MOST_BYTES)
    return [
        name, f"{len(contents.entries):,}", f"{seconds:.2f}", f"{peak / MEGABYTE:.0f}{kept}",
        f"{len(packed) / MEGABYTE:.2f}", f"{unpacking * 1000:.0f}",
    ]  # fmt: skip


def main() -> None:
    """Measure each shape in a process of its own, whose memory is then its own too."""
    if sys.argv[1:]:
        print("\t".join(measure(sys.argv[1])))
        return
    rows = []
    for name in SHAPES:
        command = [sys.executable, "-m", "tests.benchmarks.layers", name]
        rows.append(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip().split("\t"))
    print("## Files of layers\n")
    print(
        "An uncompressed layer streams by: every file is hashed, none is kept (promised: less than "
        f"{MOST_BYTES // MEGABYTE} MiB, whatever its size). The tar is made while it is read, which is in the time. "
        "What is packed is one row of the database; pages unpack it.\n"
    )
    print(table(["layer", "entries", "s", "peak MiB", "packed MiB", "unpack ms"], rows), "\n")


if __name__ == "__main__":
    main()
