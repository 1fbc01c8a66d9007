"""Reading layers: the files of a large base and of an app, as fast and in as little memory as one process can."""

import hashlib
import io
import resource
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

from functions_app.domain.layers.packing import pack, unpack
from functions_app.domain.layers.tar import read_tar
from sandbox.images.elf import Elf, elf_bytes
from tests.benchmarks.figures import mark, table

MEGABYTE = 1024**2
MOST_BYTES, APP_SECONDS = 128 * MEGABYTE, 1.5
IMPORTS = b"import json\nimport os\n\nimport boto3\nfrom botocore.config import Config\n\n\n"


@dataclass(frozen=True)
class Shape:
    """A layer of so many files that together have so many megabytes; every so many-th is a shared library."""

    files: int
    megabytes: int
    folder: str
    library_of: int


SHAPES = {
    "500 MB base, 20,000 files": Shape(20_000, 500, "var/lang/lib", 50),
    "100 MB app, 5,005 entries": Shape(5_005, 100, "var/task", 25),
}


class Tar:
    """A tar of a shape, made while it is read."""

    def __init__(self, shape: Shape) -> None:
        self._blocks = self._make(shape, shape.megabytes * MEGABYTE // shape.files)
        self._waiting = b""

    def _make(self, shape: Shape, size: int) -> Iterator[bytes]:
        noise = hashlib.shake_128(b"layers").digest(size + shape.files)
        needed = {"libstdc++.so.6": ("GLIBCXX_3.4", "CXXABI_1.3"), "libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.14")}
        library = elf_bytes(Elf(soname="libship.so.1", needed=needed, defined=("SHIP_1", "SHIP_2")))
        padding = bytes(-size % 512)
        for number in range(shape.files):
            native = number % shape.library_of == 0
            head = library if native else IMPORTS
            suffix = "so" if native else "py"
            member = tarfile.TarInfo(f"{shape.folder}/package-{number // 50}/module_{number}.{suffix}")
            member.size = size
            yield member.tobuf(tarfile.GNU_FORMAT) + head + noise[number : number + size - len(head)] + padding
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
    """One row: native files, seconds to read, peak memory of the process, bytes packed, milliseconds to unpack."""
    began = time.perf_counter()
    contents = read_tar(Tar(SHAPES[name]))
    seconds = time.perf_counter() - began
    packed = pack(contents)
    began = time.perf_counter()
    unpack(packed)
    unpacking = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    kept, quick = mark(peak < MOST_BYTES), mark(seconds < APP_SECONDS) if SHAPES[name].folder == "var/task" else ""
    return [
        name, f"{len(contents.entries):,}", f"{len(contents.elves):,}", f"{seconds:.2f}{quick}",
        f"{peak / MEGABYTE:.0f}{kept}",
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
        "An uncompressed layer streams by: every file is hashed, native ones and apps' sources are read, none is kept "
        f"(promised: less than {MOST_BYTES // MEGABYTE} MiB, whatever its size; an app within {APP_SECONDS} s). "
        "The tar is made while it is read, which is in the time. "
        "What is packed is one row of the database; pages unpack it.\n"
    )
    print(table(["layer", "entries", "native", "s", "peak MiB", "packed MiB", "unpack ms"], rows), "\n")


if __name__ == "__main__":
    main()
