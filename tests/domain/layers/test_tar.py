"""Layers as tars: every kind of entry, names that lead astray, and archives made to do harm."""

import hashlib
import io
import tarfile
import tracemalloc
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.layers.entries import FileEntry, LayerContents, Limits
from functions_app.domain.layers.tar import CHUNK, read_tar
from sandbox.images.making import make_layer

Member = tuple[tarfile.TarInfo, bytes]


def entry(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, **values: Any) -> Member:
    """A member of a tar."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, len(data)
    for attribute, value in values.items():
        setattr(member, attribute, value)
    return member, data


def tar_of(members: Iterable[Member], form: int = tarfile.GNU_FORMAT, **options: Any) -> bytes:
    """A tar of these members, in their order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, **options) as archive:
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def contents(*members: Member, **options: Any) -> LayerContents:
    """What is read of a tar with these members."""
    return read_tar(io.BytesIO(tar_of(members, **options)))


def paths(*members: Member, **options: Any) -> list[str]:
    return [found.path for found in contents(*members, **options).entries]


def refusal(data: bytes, limits: Limits | None = None) -> DrydockError:
    """Why bytes are no layer."""
    with pytest.raises(DrydockError) as caught:
        read_tar(io.BytesIO(data), limits=limits)
    return caught.value


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Trickle:
    """A stream that gives little at a time, and counts."""

    def __init__(self, data: bytes, most: int = 700) -> None:
        self.stream, self.most, self.given = io.BytesIO(data), most, 0

    def read(self, size: int) -> bytes:
        """At most 700 bytes."""
        piece = self.stream.read(min(size, self.most))
        self.given += len(piece)
        return piece


# Entries


def test_a_file_has_size_digest_and_mode() -> None:
    assert contents(entry("a/b", b"data", mode=0o4755)).entries == (
        FileEntry("a/b", "file", 4, sha(b"data"), mode=0o4755),
    )


def test_directories_links_and_devices_are_told_apart() -> None:
    found = contents(
        entry("d", kind=tarfile.DIRTYPE, mode=0o700),
        entry("d/f", b"x"),
        entry("s", kind=tarfile.SYMTYPE, linkname="../d/./f"),
        entry("h", kind=tarfile.LNKTYPE, linkname="./d/f"),
        entry("null", kind=tarfile.CHRTYPE),
        entry("pipe", kind=tarfile.FIFOTYPE),
    ).entries

    assert [(one.path, one.kind, one.link) for one in found] == [
        ("d", "dir", ""),
        ("d/f", "file", ""),
        ("s", "symlink", "../d/./f"),
        ("h", "hardlink", "d/f"),
        ("null", "device", ""),
        ("pipe", "device", ""),
    ]


def test_whiteouts_name_what_they_hide() -> None:
    found = contents(entry("a/.wh.b"), entry("c/.wh..wh..opq"), entry(".wh..wh..opq"), entry(".wh..wh.plnk")).entries

    assert [(one.path, one.kind) for one in found] == [("a/b", "whiteout"), ("c", "opaque"), ("", "opaque")]


def test_a_whiteout_and_a_file_of_one_name_are_two_entries() -> None:
    found = contents(entry("a/.wh.b"), entry("a/b", b"new")).entries

    assert [(one.path, one.kind) for one in found] == [("a/b", "whiteout"), ("a/b", "file")]


@pytest.mark.parametrize("name", [".wh.", "a/.wh..", "a/.wh..."])
def test_a_whiteout_that_hides_no_name_is_refused(name: str) -> None:
    assert "hides no name" in refusal(tar_of([entry(name)])).problem.message


def test_the_last_entry_of_a_path_wins() -> None:
    found = contents(entry("a", b"one"), entry("b"), entry("./a", b"two")).entries

    assert [(one.path, one.size) for one in found] == [("b", 0), ("a", 3)]


@pytest.mark.parametrize(
    ("name", "path"),
    [("/etc/passwd", "etc/passwd"), ("../../etc/passwd", "etc/passwd"), ("a/../../b", "b"), ("./a//b/.", "a/b")],
)
def test_names_that_lead_out_of_the_layer_lead_to_its_root(name: str, path: str) -> None:
    assert paths(entry(name, b"x")) == [path]


def test_the_root_itself_is_no_entry() -> None:
    assert paths(entry("./", kind=tarfile.DIRTYPE), entry("a")) == ["a"]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_and_targets_may_be_long_in_either_format(form: int) -> None:
    long = "/".join(["directory-with-a-long-name"] * 20)

    found = contents(entry(long, b"x"), entry("s", kind=tarfile.SYMTYPE, linkname=long), form=form).entries

    assert (found[0].path, found[1].link) == (long, long)


def test_names_beyond_utf_8_and_ascii_are_shown_not_lost() -> None:
    # Without PAX records, a name is whatever bytes somebody wrote.
    assert paths(entry("b\udcff"), encoding="utf-8", errors="surrogateescape") == ["b\\xff"]
    assert paths(entry("größe"), form=tarfile.PAX_FORMAT) == ["größe"]


def test_names_that_would_hide_or_turn_text_around_are_written_out() -> None:
    found = contents(entry("a\u202egpj.exe\x1b[2K\n"), entry("l", kind=tarfile.SYMTYPE, linkname="\u2066x")).entries

    assert [one.path for one in found] == ["a‹U+202E›gpj.exe‹U+001B›[2K‹U+000A›", "l"]
    assert found[1].link == "‹U+2066›x"


def test_a_sparse_file_counts_with_its_holes() -> None:
    # The old GNU format by hand: 1 byte at offset 100,000 of a file of 100,001.
    member = tarfile.TarInfo("sparse")
    member.size, member.type = 1, tarfile.GNUTYPE_SPARSE
    head = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    head[386:410] = b"00000303240\0" + b"00000000001\0"
    head[483:495] = b"00000303241\0"
    head[148:156] = b" " * 8
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    data = bytes(head) + b"!".ljust(512, b"\0") + bytes(1024)

    (found,) = read_tar(io.BytesIO(data)).entries

    assert (found.size, found.digest) == (100_001, sha(bytes(100_000) + b"!"))


@pytest.mark.parametrize("data", [b"", bytes(1024), bytes(10240)])
def test_a_layer_may_be_empty(data: bytes) -> None:
    assert read_tar(io.BytesIO(data)) == LayerContents(())


def test_an_archive_may_end_without_the_blocks_of_zeros() -> None:
    whole = tar_of([entry("a", b"x")])

    assert [one.path for one in read_tar(io.BytesIO(whole[:1024])).entries] == ["a"]


def test_the_stream_is_read_to_its_end_where_its_digest_is_verified() -> None:
    stream = Trickle(tar_of([entry("a", b"x" * 5000)]) + b"whatever follows the end" * 100)

    assert [one.size for one in read_tar(stream).entries] == [5000]
    assert stream.given == len(stream.stream.getvalue())


def test_a_sandbox_layer_is_read_as_it_was_made() -> None:
    layer = make_layer({"var/task/app.py": b"x = 1\n", "tmp/": b""})

    found = read_tar(io.BytesIO(layer.tar))

    assert [one.path for one in found.entries] == ["tmp", "var", "var/task", "var/task/app.py"]
    assert found.size_bytes == 6


# Harm


def flat(count: int) -> bytes:
    """A tar of so many empty files."""
    return tar_of(entry(f"f{number}") for number in range(count))


@pytest.mark.parametrize(
    ("data", "limits", "says"),
    [
        (flat(5), Limits(entries=4), "more than 4 entries"),
        (flat(2) + b"x" * 4000, Limits(size_bytes=10_000), "larger than 10,000 bytes"),
        (tar_of([entry("a", b"x" * 20_000)]), Limits(size_bytes=10_000), "larger than 10,000 bytes"),
        (tar_of([entry("p" * 5000)]), Limits(), "a path is longer than 4,096 bytes"),
        (tar_of([entry("s", kind=tarfile.SYMTYPE, linkname="p" * 5000)]), Limits(), "the target of a link is longer"),
        (flat(50), Limits(names_bytes=100), "paths together are longer than 100 bytes"),
        # Bytes are counted, not letters: each of these has four.
        (tar_of([entry("🚢" * 1100)]), Limits(), "a path is longer than 4,096 bytes"),
        (tar_of([entry("s", kind=tarfile.SYMTYPE, linkname="🚢" * 1100)]), Limits(), "the target of a link is longer"),
        (tar_of([entry("🚢" * 30)]), Limits(names_bytes=100), "paths together are longer than 100 bytes"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_and_says_which(data: bytes, limits: Limits, says: str) -> None:
    problem = refusal(data, limits).problem

    assert (problem.code, says in problem.message) == (Code.FAILED, True), problem.message


def test_a_sparse_file_of_exabytes_is_refused_before_it_is_read() -> None:
    member = tarfile.TarInfo("sparse")
    member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "s",
                          "GNU.sparse.size": str(2**60), "GNU.sparse.map": "0,1"}  # fmt: skip
    member.size = 1
    data = tar_of([(member, b"x")], tarfile.PAX_FORMAT)

    assert "its files are larger" in refusal(data).problem.message


def test_a_sparse_file_of_countless_pieces_is_refused() -> None:
    member = tarfile.TarInfo("sparse")
    pieces = ",".join(f"{2 * number},1" for number in range(10_001))
    member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "s",
                          "GNU.sparse.size": "30000", "GNU.sparse.map": pieces}  # fmt: skip

    assert "more than 10,000 pieces" in refusal(tar_of([(member, b"")], tarfile.PAX_FORMAT)).problem.message


HUGE = 2**62


class Watched(Trickle):
    """A stream that does not let itself be read on and on after its end."""

    def read(self, size: int) -> bytes:
        """At most 700 bytes, and a few times none."""
        piece = super().read(size)
        self.ended = getattr(self, "ended", 0) + (not piece)
        assert self.ended < 100, "it reads on although there is nothing more"
        return piece


def claims(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A header that claims a size, and none of the bytes."""
    head = tarfile.TarInfo(name)
    head.size, head.type = size, kind
    return head.tobuf(tarfile.GNU_FORMAT)


def sparse(packed: int, size: int) -> bytes:
    """The header of a file in the old GNU sparse format: so many bytes packed, so many unpacked."""
    head = bytearray(claims("s", packed, tarfile.GNUTYPE_SPARSE))
    head[483:495] = tarfile.itn(size, 12, tarfile.GNU_FORMAT)  # type: ignore[attr-defined]  # not in typeshed
    head[148:156] = b" " * 8
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    return bytes(head)


@pytest.mark.parametrize(
    "head",
    [
        *(claims(name, HUGE) for name in (".wh.a", "/", "./", ".wh..wh..opq", ".wh..wh.plnk", "a", "a/b")),
        *(claims("a", HUGE, kind) for kind in (tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.DIRTYPE, tarfile.LNKTYPE)),
        *(claims("a", HUGE, kind) for kind in (tarfile.SYMTYPE, tarfile.FIFOTYPE, b"Z")),
        *(claims(name, -512) for name in (".wh.a", "/", "a")),
        claims("a", -512, tarfile.DIRTYPE),
        sparse(HUGE, 1),
        sparse(1, HUGE),
        sparse(-512, 1),
        sparse(1, -1),
    ],
)
def test_a_size_that_no_layer_has_is_refused_whatever_claims_it_and_nothing_more_is_read(head: bytes) -> None:
    stream = Watched(head + bytes(4 * 1024**2))

    with pytest.raises(DrydockError) as caught:
        read_tar(stream)

    assert "claims" in caught.value.problem.message
    assert stream.given <= 2 * CHUNK


@pytest.mark.parametrize("name", [".wh.a", "/", "a"])
@pytest.mark.parametrize(("key", "size"), [("size", HUGE), ("size", -512), ("GNU.sparse.realsize", HUGE)])
def test_a_size_that_a_pax_record_claims_counts_like_any_other(name: str, key: str, size: int) -> None:
    stream = Watched(pax_header([(key, str(size))]) + claims(name, 0) + bytes(4 * 1024**2))

    with pytest.raises(DrydockError, match="claims"):
        read_tar(stream)

    assert stream.given <= 2 * CHUNK


@pytest.mark.parametrize("size", [HUGE, 2**32, -512])
@pytest.mark.parametrize(
    "kind",
    [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK],
)
def test_a_header_that_claims_a_size_that_no_header_has_is_not_read_at_all(kind: bytes, size: int) -> None:
    stream = Watched(claims("a", size, kind) + bytes(4 * 1024**2))

    with pytest.raises(DrydockError, match="claims"):
        read_tar(stream)

    assert stream.given <= 2 * CHUNK


@pytest.mark.parametrize("name", [".wh.a", "/", "a"])
def test_an_archive_that_ends_before_what_it_claims_is_not_read_on(name: str) -> None:
    stream = Watched(claims(name, 9 * 1024**3) + bytes(1024))

    with pytest.raises(DrydockError, match=r"early|end"):
        read_tar(stream)


def test_the_sizes_of_entries_that_keep_nothing_count_together_too() -> None:
    data = b"".join(claims(f".wh.{number}", 400) + bytes(512) for number in range(30))

    assert refusal(data, Limits(size_bytes=20 * 1024)).problem.code is Code.FAILED


def test_a_whiteout_or_the_root_with_a_little_content_is_read_over() -> None:
    assert paths(entry(".wh.a", b"x" * 700), entry("./", b"y" * 10), entry("b")) == ["a", "b"]


def pax_header(records: Sequence[tuple[str, str]], kind: bytes = tarfile.XHDTYPE) -> bytes:
    """A PAX header block of its own."""
    body = b""
    for key, value in records:
        length = len(f" {key}={value}\n".encode())
        total = length + len(str(length + len(str(length))))
        body += f"{total} {key}={value}\n".encode()
    member = tarfile.TarInfo("pax")
    member.type, member.size = kind, len(body)
    return member.tobuf(tarfile.USTAR_FORMAT) + body.ljust(-(-len(body) // 512) * 512, b"\0")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_that_claims_gigabytes_is_not_kept_in_memory(kind: bytes) -> None:
    head = tarfile.TarInfo("bomb")
    head.type, head.size = kind, 2**32
    data = head.tobuf(tarfile.GNU_FORMAT) + bytes(12 * 1024**2)
    tracemalloc.start()

    problem = refusal(data).problem

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "headers of one entry are longer" in problem.message
    assert peak < 8 * 1024**2


def test_headers_upon_headers_are_refused() -> None:
    assert refusal(pax_header([("path", "a")]) * 1500).problem.code in {Code.INVALID, Code.FAILED}


def test_records_for_all_entries_that_pile_up_are_refused() -> None:
    piled = b"".join(
        pax_header([(f"k{number}.{key}", "v") for key in range(20)], tarfile.XGLTYPE) + tar_of([entry("a")])[:512]
        for number in range(9)
    )

    assert "too many PAX records" in refusal(piled).problem.message


def test_a_broken_header_in_the_middle_is_not_taken_for_the_end() -> None:
    data = bytearray(tar_of([entry("a"), entry("b"), entry("c")]))
    data[512 + 148 : 512 + 156] = b"00000000"

    assert "bad checksum" in refusal(bytes(data)).problem.message


@pytest.mark.parametrize("cut", [700, 1024 + 511, 1024 + 700])
def test_an_archive_that_is_cut_short_is_refused(cut: int) -> None:
    whole = tar_of([entry("a", b"x" * 300), entry("b", b"y" * 3000)])

    assert refusal(whole[:cut]).problem.code is Code.INVALID


def test_an_entry_of_a_type_that_no_runtime_unpacks_is_refused() -> None:
    assert "unknown type b'Z'" in refusal(tar_of([entry("a", kind=b"Z")])).problem.message


def test_memory_does_not_grow_with_the_size_of_a_file() -> None:
    head = tarfile.TarInfo("large")
    head.size = 64 * 1024**2

    class Large:
        """The header, then zeros."""

        def __init__(self) -> None:
            self.left = head.size + 1024
            self.head = head.tobuf(tarfile.GNU_FORMAT)

        def read(self, size: int) -> bytes:
            """Zeros, mostly."""
            if self.head:
                piece, self.head = self.head, b""
                return piece
            count = min(size, self.left)
            self.left -= count
            return bytes(count)

    tracemalloc.start()

    found = read_tar(Large())

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.size_bytes == 64 * 1024**2
    assert peak < 4 * 1024**2


REAL = tar_of(
    [entry("a/b", b"x" * 700), entry("l" * 300), entry("h", kind=tarfile.LNKTYPE, linkname="a/b"), entry("a/.wh.c")],
    tarfile.PAX_FORMAT,
    pax_headers={"comment": "for all"},
)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(REAL) - 1), junk=st.binary(min_size=1, max_size=24))
def test_damage_anywhere_gives_entries_or_a_refusal_and_nothing_else(at: int, junk: bytes) -> None:
    damaged, told = REAL[:at] + junk + REAL[at + len(junk) :], list[str]()
    try:
        found = read_tar(io.BytesIO(damaged), limits=Limits(size_bytes=1024**2)).entries
    except DrydockError as error:
        found = ()
        told.append(error.problem.message)
    assert all(text.startswith("The layer is ") for text in told)
    for one in found:
        assert not one.path.startswith("/")
        assert ".." not in one.path.split("/")
        assert "\0" not in one.path + one.link
        (one.path + one.link).encode()
