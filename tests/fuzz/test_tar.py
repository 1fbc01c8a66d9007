"""Layers: any bytes are a layer or refused, and of a layer every fact keeps its promises."""

import io
import posixpath
import tarfile
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.layers.entries import FILE_KINDS, LayerContents
from functions_app.domain.layers.entry_table import EntryTable
from functions_app.domain.layers.overlay import merged, overlay
from functions_app.domain.layers.packages import overlay_packages
from functions_app.domain.layers.packing import pack, unpack
from functions_app.domain.layers.tar import read_tar
from sandbox.images.making import make_layer
from tests.fuzz.bounds import assert_shown, told
from tests.fuzz.inputs import EDGES, damaged, texts
from tests.fuzz.running import fuzzed
from tests.fuzz.samples import CODE, METADATA
from tests.fuzz.test_elves import check_elf

NAMES = (
    *("a", "a/b", "lib", "lib/x", "usr/lib", "usr/lib/x", "./a", "/a", "../a", "a/../b", "a//b", "a/."),
    *("/", ".", "..", ""),
    *(".wh.a", "a/.wh.b", ".wh.", ".wh..", ".wh...", ".wh..wh..opq", "a/.wh..wh..opq", ".wh..wh.plnk", ".wh..wh.aufs"),
    *("lib/.wh.x", "x" * 101, "d/" * 60 + "f", "é", "\udce9", "a\nb", "a\\x0ab"),
    *METADATA,
    *CODE,
)  # fmt: skip
TYPES = [bytes([code]) for code in b"01234567xgLKSDNXV\0A"]
PAX_KEYS = (
    *("path", "linkpath", "size", "mtime", "uid", "gname", "comment", "hdrcharset", "SCHILY.xattr.user.a"),
    *("GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.name", "GNU.sparse.size", "GNU.sparse.realsize"),
    *("GNU.sparse.map", "GNU.sparse.numblocks", "GNU.sparse.offset", "GNU.sparse.numbytes"),
)
PAX_VALUES = (
    *("0", "1", "-1", "512", "513", "1.5", "1e400", "nan", "0,1", "0,1,512,1", "1,0,0", ",", "9" * 20, "9" * 4400),
    *("BINARY", "ISO-IR 10646 2000 UTF-8", "a", "..", ".wh.a", "x=y", ""),
)  # fmt: skip
SPARSE = b"2\n0\n1\n512\n1\n"
# Fields of a header: where they begin, and how long they are.
FIELDS = {
    "mode": (100, 8),
    "uid": (108, 8),
    "size": (124, 12),
    "mtime": (136, 12),
    "type": (156, 1),
    "link": (157, 100),
}
SPARSE_FIELDS = {"map": (386, 96), "more": (482, 1), "real size": (483, 12), "prefix": (345, 155), "magic": (257, 8)}


@dataclass
class Trickle:
    """A stream that gives a few bytes at a time."""

    stream: io.BytesIO
    most: int

    def read(self, size: int) -> bytes:
        """At most so many."""
        return self.stream.read(min(size, self.most))


def number_field(draw: st.DrawFn, length: int) -> bytes:
    """A number as tar writes it, in octal or in binary, or what is none."""
    number = draw(st.one_of(st.sampled_from(EDGES), st.integers(-(2**40), 2**63)))
    octal = f"{abs(number):0{length - 1}o}".encode()[-length + 1 :] + b"\0"
    binary = bytes([0xFF if number < 0 else 0x80]) + (number % 2 ** (8 * (length - 1))).to_bytes(length - 1, "big")
    forms = (octal, binary, b"9" * length, b" " * length, b"-1".ljust(length, b"\0"))
    return forms[draw(st.integers(0, len(forms) - 1))]


@st.composite
def pax(draw: st.DrawFn, kind: bytes) -> bytes:
    """A header of PAX records, now and then of a length that is not theirs."""
    records = b""
    for _ in range(draw(st.integers(1, 4))):
        key = draw(st.sampled_from(PAX_KEYS)).encode()
        value = draw(st.one_of(st.sampled_from(PAX_VALUES), texts)).encode("utf-8", "surrogatepass")
        body = b" " + key + b"=" + value + b"\n"
        length = len(body) + 1
        while len(str(length)) + len(body) != length:
            length = len(str(length)) + len(body)
        length += draw(st.sampled_from((0,) * 20 + (-1, 1, 100)))
        records += str(length).encode() + body
    head = tarfile.TarInfo("PaxHeaders/x")
    head.type, head.size = kind, len(records)
    return head.tobuf(tarfile.USTAR_FORMAT) + records + bytes(-len(records) % 512)


@st.composite
def members(draw: st.DrawFn) -> bytes:
    """An entry with what stands before it, its checksum right whatever it claims."""
    before = b""
    if draw(st.integers(0, 3)) == 0:
        before = draw(pax(draw(st.sampled_from((tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)))))
    name = draw(st.one_of(st.sampled_from(NAMES), texts.filter(lambda text: "\0" not in text)))
    head = tarfile.TarInfo(name.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape"))
    head.type = draw(st.one_of(st.just(tarfile.REGTYPE), st.sampled_from(TYPES)))
    head.linkname = draw(st.sampled_from(("", *NAMES)))
    data = draw(st.sampled_from((b"", b"x", SPARSE.ljust(512, b"\0") + b"y" * 512, b"z" * 600)))
    data = {**METADATA, **CODE}.get(name, data) if draw(st.booleans()) else data
    head.size = len(data)
    written = draw(st.booleans())
    blocks = bytearray(head.tobuf(tarfile.GNU_FORMAT if written else tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        at, length = draw(st.sampled_from([*FIELDS.values(), *SPARSE_FIELDS.values()]))
        start = len(blocks) - 512 + at
        value = number_field(draw, length) if 8 <= length <= 12 else draw(st.binary(max_size=length))
        blocks[start : start + len(value)] = value
    _sign(blocks, len(blocks) - 512)
    return before + bytes(blocks) + data + bytes(-len(data) % draw(st.sampled_from((512,) * 10 + (1,))))


def _sign(blocks: bytearray, start: int) -> None:
    head = blocks[start : start + 512]
    blocks[start + 148 : start + 156] = b"%06o\0 " % (sum(head) - sum(head[148:156]) + 8 * ord(" "))


layers = st.builds(
    lambda parts, end: b"".join(parts) + end,
    st.lists(members(), max_size=8),
    st.sampled_from((bytes(1024), bytes(1024), b"", bytes(512), bytes(10240) + b"x")),
)
REAL = make_layer({"var/task/app.py": b"x = 1\n", "tmp/": b"", **METADATA, **CODE}).tar


def check(found: LayerContents) -> None:
    """What holds of every layer that was read."""
    shown: set[tuple[str, str]] = set()
    for entry in found.entries:
        group = entry.kind if entry.kind in {"whiteout", "opaque"} else "has it"
        assert (entry.path, group) not in shown
        shown.add((entry.path, group))
        assert entry.kind in FILE_KINDS
        assert entry.path == "" or posixpath.normpath("/" + entry.path) == "/" + entry.path
        assert entry.path or entry.kind == "opaque"
        assert 0 <= entry.mode <= 0o7777
        assert 0 <= entry.size <= found.size_bytes
        assert bool(entry.digest) == (entry.kind == "file")
        assert_shown(entry.path, 20_000)
        assert_shown(entry.link, 20_000)
    paths = {path for path, group in shown if group == "has it"}
    for package in found.packages:
        assert package.path in paths
        assert_shown(package.name, 200)
        assert_shown(package.version, 200)
    for note in found.notes:
        assert_shown(note, 300)
    for elf in found.elves:
        assert elf.path in paths
        check_elf(elf)
    for module in found.imports:
        assert module.path in paths
        assert_shown(module.module, 300)
    for mark in found.marks:
        assert mark.path in paths
        assert_shown(mark.attribute, 300)
    assert unpack(pack(found), found.packages) == replace(found, entries=tuple(found.entries))
    assert isinstance(found.entries, EntryTable)


@fuzzed(300)
@given(layers)
def test_any_members_make_a_layer_or_a_refusal(data: bytes) -> None:
    if found := told(lambda: read_tar(io.BytesIO(data))):
        check(found)


@fuzzed(150)
@given(damaged([REAL]))
def test_a_damaged_layer_is_read_or_refused(data: bytes) -> None:
    if found := told(lambda: read_tar(io.BytesIO(data))):
        check(found)


@fuzzed(60)
@given(layers, st.sampled_from((1, 100, 511, 700)))
def test_it_makes_no_difference_in_which_pieces_a_layer_comes(data: bytes, most: int) -> None:
    whole = told(lambda: read_tar(io.BytesIO(data)))
    assert whole == told(lambda: read_tar(Trickle(io.BytesIO(data), most)))


@fuzzed(70)
@given(st.lists(layers, min_size=1, max_size=3))
def test_layers_that_were_read_stack_up_to_one_file_system(stack: list[bytes]) -> None:
    read = [found for data in stack if (found := told(lambda data=data: read_tar(io.BytesIO(data))))]  # type: ignore[misc]
    entries = [one.entries for one in read]
    files = told(lambda: overlay(entries))
    if files is None:
        return
    for path in files:
        parent = posixpath.dirname(path)
        assert not parent or files[parent].kind == "dir"
        assert posixpath.normpath("/" + path) == "/" + path
    assert all(entry.path == path and entry.kind not in {"whiteout", "opaque"} for path, entry in files.items())
    assert [path for path, _, _ in merged(entries)] == list(files)
    held = {package.path for package in overlay_packages(read)}
    assert held <= {path for path, entry in files.items() if entry.kind in {"file", "hardlink"}}
