"""Layers made to fill the memory of who reads them: one process makes it, another reads it and tells what it took.

`python -m tests.domain.layers.hostile NAME SHARE | python -m tests.domain.layers.hostile SHARE`: with a share of 8 the
crowded ones have an eighth of the entries, and are read with an eighth of the limits.
"""

import io
import json
import sqlite3
import struct
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from itertools import pairwise

from functions_app.domain.errors import DrydockError
from functions_app.domain.layers.entries import Limits
from functions_app.domain.layers.packing import pack
from functions_app.domain.layers.tar import read_tar
from sandbox.images.elf import Elf, elf_bytes

MEGABYTE = 1024**2
ENTRIES = 399_000
PAGE = 512
RPM_LIMIT = 40 * MEGABYTE
WIDE = "\U0001f6a2"  # four bytes


def member(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> Iterator[bytes]:
    """One entry."""
    head = tarfile.TarInfo(name)
    head.size, head.type, head.linkname = len(data), kind, link
    yield head.tobuf(tarfile.GNU_FORMAT)
    yield data
    yield bytes(-len(data) % 512)


def named(count: int, name: Callable[[int], str]) -> Iterator[bytes]:
    """So many files with a byte of their own."""
    for number in range(count):
        yield from member(name(number), b"%d" % number)


def linked(count: int, length: int) -> Iterator[bytes]:
    """So many symbolic links that lead far."""
    for number in range(count):
        yield from member(f"{number}", kind=tarfile.SYMTYPE, link=WIDE * (length // 4))


def header(name: str, version: str = "1", padding: int = 0, tags: int = 0) -> bytes:
    """A header blob as rpm keeps it, with tags and bytes that nobody reads."""
    data = name.encode() + b"\0" + version.encode() + b"\0" + bytes(padding)
    index = struct.pack(">IIiI", 1000, 6, 0, 1) + struct.pack(">IIiI", 1001, 6, len(name.encode()) + 1, 1)
    index += struct.pack(">IIiI", 1000, 6, 0, 1) * tags
    return struct.pack(">II", 2 + tags, len(data)) + index + data


def sqlite_of(blobs: Iterator[bytes], schema: Sequence[tuple[str, str, str]] = ()) -> bytes:
    """rpmdb.sqlite with these header blobs."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("PRAGMA page_size = 65536; PRAGMA writable_schema = ON")
        connection.execute("CREATE TABLE Packages (hnum INTEGER, blob BLOB)")
        connection.executemany("INSERT INTO sqlite_master VALUES ('table', ?, ?, 2, ?)", schema)
        connection.executemany("INSERT INTO Packages (blob) VALUES (?)", ((blob,) for blob in blobs))
        connection.commit()
        return connection.serialize()


def ndb_of(blobs: list[bytes]) -> bytes:
    """Packages.db with these header blobs."""
    pages = (32 + 16 * len(blobs)) // 4096 + 1
    slots, records, at = b"", [], pages * 256
    for number, blob in enumerate(blobs, 1):
        blocks = (len(blob) + 16 + 12) // 16 + 1
        slots += struct.pack("<4sIII", b"Slot", number, at, blocks)
        records.append((struct.pack("<4sIII", b"BlbS", number, 0, len(blob)) + blob).ljust(blocks * 16, b"\0"))
        at += blocks
    head = struct.pack("<4sIII", b"RpmP", 0, 1, pages) + bytes(16)
    return head + slots + (b"Slot" + bytes(12)) * ((pages * 4096 - 32) // 16 - len(blobs)) + b"".join(records)


def page(kind: int, *, entries: int = 0, following: int = 0, used: int = 0, body: bytes = b"") -> bytes:
    """A page of a Berkeley DB."""
    head = bytes(16) + struct.pack("<IHH", following, entries, used) + b"\0" + bytes([kind])
    return (head + body).ljust(PAGE, b"\0")


def hash_page(item: bytes) -> bytes:
    """A page with one pair, its value an item of this kind."""
    key = b"\x01\x07\0\0\0"
    starts = PAGE - len(key), PAGE - len(key) - len(item)
    body = struct.pack("<HH", *starts)
    return page(13, entries=2, body=body)[: starts[1]] + item + key


def berkeley_head() -> bytes:
    """The first page of a hash."""
    return (bytes(12) + struct.pack("<III", 0x00061561, 9, PAGE) + bytes(1) + b"\x08").ljust(PAGE, b"\0")


def berkeley_circle(size: int) -> bytes:
    """A value whose pages, of a byte each, lead to one another for ever."""
    count = size // PAGE
    item = b"\x03\0\0\0" + struct.pack("<II", 2, min(size, 16 * MEGABYTE))
    pages = (page(7, following=2 if number == count - 1 else number + 1, used=1) for number in range(2, count))
    return berkeley_head() + hash_page(item) + b"".join(pages)


def berkeley_shared(size: int, chains: int) -> bytes:
    """Many values that lie on the same long chain of pages, and end early."""
    count = size // PAGE
    first = 1 + chains
    item = b"\x03\0\0\0" + struct.pack("<II", first, min(size, 16 * MEGABYTE))
    pages = (page(7, following=(number + 1) % count, used=1) for number in range(first, count))
    return berkeley_head() + hash_page(item) * chains + b"".join(pages)


RPM = "var/lib/rpm/"
APK = "lib/apk/db/installed"
DPKG = "var/lib/dpkg/status"


def paragraphs(form: str, size: int) -> bytes:
    """A database of paragraphs until it is so large."""
    data = io.BytesIO()
    number = 0
    while data.tell() < size - len(form.encode()) - 16:
        data.write(form.replace("#", str(number)).encode())
        number += 1
    return data.getvalue()


def manifests(count: int) -> Iterator[bytes]:
    """npm packages with long names and versions."""
    for number in range(count):
        text = {"name": f"{number}{WIDE * 300}", "version": WIDE * 300}
        yield from member(f"node_modules/{number}/package.json", json.dumps(text, ensure_ascii=False).encode())


def again(count: int, data: bytes, suffix: str = ".py") -> Iterator[bytes]:
    """So many files with the same contents."""
    for number in range(count):
        yield from member(f"var/task/{number}{suffix}", data)


def attributes(count: int) -> Iterator[bytes]:
    """Files with a few extended attributes of long names."""
    for number in range(count):
        head = tarfile.TarInfo(f"{number}")
        head.pax_headers = {f"SCHILY.xattr.user.{each}{'x' * 60}": "1" for each in range(3)}
        yield head.tobuf(tarfile.PAX_FORMAT)


def libraries(count: int, versions: int, letters: int) -> Iterator[bytes]:
    """Shared libraries, each with versions of its own."""
    whole = elf_bytes(Elf(defined=[f"{number:0{letters}}" for number in range(versions)]))
    form = "0" * letters
    for number in range(count):
        yield from member(f"{number}.so", whole.replace(form.encode(), f"{number:0{letters}}".encode(), 1))


def tangled() -> bytes:
    """A library whose versions share their links over and over, up to the most that is read of one."""
    count, whole = 1_999, elf_bytes(Elf(needed={"a": ["b"]}))
    tags = {(0x6FFFFFFE).to_bytes(8, "little"): len(whole), (0x6FFFFFFF).to_bytes(8, "little"): count}
    data = bytearray(whole)
    for tag, value in tags.items():
        at = whole.index(tag, 64) + 8
        data[at : at + 8] = value.to_bytes(8, "little")
    data[64 + 32 : 64 + 40] = (2**40).to_bytes(8, "little")  # the segment holds all of it
    for number in range(count):
        data += struct.pack("<HHIII", 1, count, 1, 16 * (count - number), 16)
    return bytes(data) + struct.pack("<IHHII", 0, 0, 2, 1, 16) * count


def sources(count: int) -> Iterator[bytes]:
    """Python that imports modules with long names, each another one."""
    for number in range(count):
        names = (f"import m{number}_{each}_{'x' * 80}\n" for each in range(200))
        yield from member(f"var/task/{number}.py", "".join(names).encode())


# Full of entries: of so many.
CROWDED: dict[str, Callable[[int], Iterator[bytes]]] = {
    "many entries": lambda count: named(count, lambda number: f"var/task/node_modules/some/dist/folder/{number}.js"),
    "names of a megabyte in four-byte letters": lambda count: named(count, lambda number: f"{number}" + WIDE * 160),
    "names of four-byte letters up to the limit": lambda count: named(count, lambda number: f"{number}" + WIDE * 18),
    "names written out": lambda count: named(count, lambda number: f"{number}" + "\u202e" * 30),
    "links that lead far": lambda count: linked(count, 72),
    "whiteouts": lambda count: named(count, lambda number: f"some/folder/somewhere/.wh.{number}"),
    "packages too": lambda count: everything(count),
    "shared libraries": lambda count: libraries(count, 1, 8),
    "shared libraries of many versions": lambda count: libraries(count // 40, 300, 60),
    "imports": lambda count: sources(count // 20),
    "attributes": lambda count: attributes(count),
    "one path again and again": lambda count: named(count, lambda _: "var/task/one/path/again/and/again" + WIDE * 8),
}
# With metadata that is as large as it may be.
LARGE: dict[str, Callable[[], Iterator[bytes]]] = {
    "Berkeley DB that goes round in a circle": lambda: member(f"{RPM}Packages", berkeley_circle(RPM_LIMIT)),
    "Berkeley DB whose values share pages": lambda: member(f"{RPM}Packages", berkeley_shared(RPM_LIMIT, 5000)),
    "sqlite, one value": lambda: member(
        f"{RPM}rpmdb.sqlite", sqlite_of(iter([header("a", padding=RPM_LIMIT - 400_000)]))
    ),
    "sqlite, names as long as they may be": lambda: member(
        f"{RPM}rpmdb.sqlite", sqlite_of(header(f"{number}{WIDE * 60}", WIDE * 60) for number in range(50_000))
    ),
    "sqlite, keys alone": lambda: member(
        f"{RPM}rpmdb.sqlite", sqlite_of(header("gpg-pubkey") for number in range(500_000))
    ),
    "sqlite, a schema in small letters": lambda: member(
        f"{RPM}rpmdb.sqlite",
        sqlite_of(iter(()), _small_letters(20_000)),
    ),
    "ndb, names as long as they may be": lambda: member(
        f"{RPM}Packages.db", ndb_of([header(f"{number}{WIDE * 250}", WIDE * 250) for number in range(15_000)])
    ),
    "ndb, tags": lambda: member(f"{RPM}Packages.db", ndb_of([header("a", tags=65_000)] * 35)),
    "apk of empty lines": lambda: member(APK, b"\n" * 31 * MEGABYTE),
    "apk of short lines": lambda: member(APK, b"a\n" * (31 * MEGABYTE // 2)),
    "apk of what is no UTF-8": lambda: member(APK, b"\xff" * 31 * MEGABYTE),
    "apk of short paragraphs": lambda: member(APK, b"P:\n\n" * (31 * MEGABYTE // 4)),
    "apk, one letter of four bytes": lambda: member(APK, WIDE.encode() + b"a" * 31 * MEGABYTE),
    "apk, a name of megabytes": lambda: member(APK, b"P:" + WIDE.encode() * 7 * MEGABYTE + b"\nV:1\n"),
    "apk of many packages": lambda: member(APK, paragraphs("P:p#\nV:1.2.3-r4\nA:x86_64\n\n", 31 * MEGABYTE)),
    "dpkg of names as long as they may be": lambda: member(
        DPKG, paragraphs(f"Package: #{WIDE * 60}\nVersion: {WIDE * 60}\n\n", 31 * MEGABYTE)
    ),
    "dpkg of what is not installed": lambda: member(DPKG, b"Package:a\nStatus:a\n\n" * (31 * MEGABYTE // 20)),
    "ELF of 64 MB, again and again": lambda: again(4, b"\x7fELF\x02\x01\x01" + bytes(64 * MEGABYTE - 7)),
    "ELF of 8 MB, again and again": lambda: again(20, b"\x7fELF\x02\x01\x01" + bytes(8 * MEGABYTE - 7)),
    "ELF of versions that share their links": lambda: again(2_000, tangled()),
    "Python of one word": lambda: again(260, b"import" * (MEGABYTE // 6)),
    "Node of one word": lambda: again(40, b'from"' * (8 * MEGABYTE // 5), ".js"),
    "npm of names as long as they may be": lambda: manifests(20_000),
}


def _small_letters(count: int) -> Sequence[tuple[str, str, str]]:
    columns = ",".join(f"c{number} text" for number in range(15))
    return [(f"x{number}", f"x{number}", f"create table x{number} ({columns})") for number in range(count)]


def everything(count: int) -> Iterator[bytes]:
    """As many names and packages as a layer may have, then the largest database."""
    yield from named(count - count // 25, lambda number: f"var/task/node_modules/some/dist/folder/{number}.js")
    yield from manifests(count // 25)
    if count == ENTRIES:
        yield from member(f"{RPM}rpmdb.sqlite", sqlite_of(header("a" * 50, padding=15 * MEGABYTE) for _ in range(2)))


INPUT = io.BufferedReader(io.FileIO(0, closefd=False))


class Piped:
    """Standard input, as it comes."""

    def read(self, size: int) -> bytes:
        """At most so many bytes."""
        return INPUT.read1(size)


def make(name: str, share: int) -> None:
    """Write a layer to standard output, until nobody reads it any more."""
    with suppress(BrokenPipeError):
        for piece in CROWDED[name](ENTRIES // share) if name in CROWDED else LARGE[name]():
            sys.stdout.buffer.write(piece)


def read(share: int) -> None:
    """Read a layer from standard input, with a share of the limits, and print what it cost: bytes, and CPU seconds."""
    INPUT.peek(1)  # by then it is made
    before, began, looked = most_memory(), time.process_time(), list[float]()
    shared = ("entries", "names_bytes", "packages_bytes", "facts_bytes", "elf_reads", "source_bytes")
    most = Limits()
    limits = replace(most, **{name: getattr(most, name) // share for name in shared if hasattr(most, name)})
    told = ""
    try:
        contents = read_tar(Piped(), limits=limits, watch=lambda: looked.append(time.process_time()))
        told = "; ".join((*contents.notes, *contents.gaps)) or "read"
        pack(contents)
    except DrydockError as error:
        told = str(error)
    silence = max((after - one for one, after in pairwise((began, *looked))), default=0.0)
    seconds = time.process_time() - began
    print(json.dumps({"grown": most_memory() - before, "seconds": seconds, "silence": silence, "told": told}))


def most_memory() -> int:
    """The most memory that this process has had, in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


if __name__ == "__main__":
    read(int(sys.argv[1])) if len(sys.argv) == 2 else make(sys.argv[1], int(sys.argv[2]))
