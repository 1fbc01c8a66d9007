"""PAX records that were made to keep tarfile busy for hours, or to fill the memory."""

import io
import tarfile
import tracemalloc

import pytest

from functions_app.domain.errors import DrydockError
from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.tar import read_tar

END = tarfile.TarInfo("a").tobuf(tarfile.USTAR_FORMAT) + bytes(1024)


def layer(body: bytes) -> bytes:
    """A tar of one file with these bytes for its PAX records."""
    head = tarfile.TarInfo("pax")
    head.type, head.size = tarfile.XHDTYPE, len(body)
    return head.tobuf(tarfile.USTAR_FORMAT) + body + bytes(-len(body) % 512) + END


def record(key: bytes, value: bytes) -> bytes:
    """A record that is as long as it says."""
    length = len(key) + len(value) + 3
    while len(b"%d" % length) + len(key) + len(value) + 3 != length:
        length = len(b"%d" % length) + len(key) + len(value) + 3
    return b"%d %s=%s\n" % (length, key, value)


def read(body: bytes) -> LayerContents:
    return read_tar(io.BytesIO(layer(body)))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"1" * 2_000_000, "not as long as it says"),
        (b"11 GNU.sparse.size=1" + b"1" * 1_000_000, "not as long as it says"),
        (record(b"comment", b"1" * 1_000_000), "digits in a row"),
        (b"2 " * 900_000 + b"=", "not as long as it says"),
        (b"0 a=\n", "not as long as it says"),
        (b"99 path=b\n", "not as long as it says"),
        (b"7 pathb\n", "not as long as it says"),
        (b"8 pathb\n", "no keyword"),
        (b"5 =b\n", "no keyword"),
    ],
)
def test_records_that_would_cost_hours_or_gigabytes_are_refused_at_once(body: bytes, says: str) -> None:
    tracemalloc.start()

    with pytest.raises(DrydockError, match=says):
        read(body)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 1024**2


def test_what_real_records_hold_is_read() -> None:
    body = (
        record(b"path", "größe/ä=b".encode())
        + record(b"SCHILY.xattr.security.capability", b"\x01\0\0\x02\0\n =9" + bytes(10))
        + record(b"mtime", b"1700000000.123456789")
    )

    assert [entry.path for entry in read(body).entries] == ["größe/ä=b"]


def test_records_that_fill_their_block_have_no_padding() -> None:
    body = record(b"comment", b"c" * 499)

    assert len(body) == 512
    assert [entry.path for entry in read(body).entries] == ["a"]


def test_the_records_of_records_are_checked_too() -> None:
    inner = layer(b"1" * 100_000)[: -len(END)]

    with pytest.raises(DrydockError, match="not as long as it says"):
        read_tar(io.BytesIO(layer(record(b"comment", b"fine"))[: -len(END)] + inner + END))
