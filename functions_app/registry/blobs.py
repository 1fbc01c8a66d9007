"""A layer as the tar it holds: fetched, unpacked and verified as it is read, in constant memory.

Sources: image-spec layer.md (media types, diff ids), RFC 1952 (gzip, several members), RFC 8878 (zstd, several and
skippable frames). What a layer says of itself is not trusted: its first bytes tell how it is packed.
"""

import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import zstandard

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.manifests import SIZE_LIMIT, Descriptor
from functions_app.domain.refs import is_digest
from functions_app.registry.client import Registry
from functions_app.registry.errors import broken

LAYER_LIMIT = SIZE_LIMIT  # bytes, uncompressed: Lambda takes no larger image
PIECE = 256 * 1024  # bytes unpacked at a time
WINDOW_LIMIT = 64 * 1024**2  # bytes, all of it memory; builders of images stay below 8 MB, RFC 8878 asks for no more
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = (b"\x2a\x4d\x18", 0x50)  # 0x184D2A5?, little endian: the first byte is 0x50 to 0x5f


@dataclass(frozen=True)
class Growth:
    """When a layer grows like no files do: beyond `free` bytes it may be `ratio` times as large as it was packed."""

    free: int = 512 * 1024**2
    ratio: int = 250


@contextmanager
def open_layer(
    registry: Registry,
    repository: str,
    descriptor: Descriptor,
    diff_id: str,
    *,
    limit: int = LAYER_LIMIT,
    growth: Growth | None = None,
) -> Iterator[BinaryIO]:
    """The uncompressed tar of a layer, to be read from front to back; `limit` in bytes, uncompressed.

    Leaving the block reads what is left and verifies both digests, so nothing read may be relied on before. Raises
    DrydockError: FAILED for other bytes than the digests name, a layer that grows beyond all measure, a broken one.
    """
    if not is_digest(diff_id):
        raise DrydockError(Code.INVALID, f"Not a diff id: {diff_id[:100]!r}.")
    if "encrypted" in descriptor.media_type:
        raise DrydockError(
            Code.INVALID,
            f"The layer {descriptor.digest[:19]} of {repository} is encrypted: only its owner can read it.",
        )
    with registry.stream(repository, descriptor.digest, size=descriptor.size) as pieces:
        what = f"layer {repository}@{descriptor.digest[:19]}"
        layer = _Layer(pieces, diff_id, limit, growth or Growth(), lambda why: broken(registry.host, what, why))
        with io.BufferedReader(layer, PIECE) as reader:
            yield cast(BinaryIO, reader)
            while reader.read(PIECE):
                pass  # to its end, where the digests are


class _Packed:
    """The compressed bytes, as a file that can be looked at without taking."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._waiting, self.taken = pieces, b"", 0

    def peek(self, count: int) -> bytes:
        """The next bytes, fewer at the end; they stay."""
        while len(self._waiting) < count and (piece := next(self._pieces, b"")):
            self._waiting += piece
        return self._waiting[:count]

    def read(self, count: int = -1) -> bytes:
        """Some of the next bytes; none at the end, which is where their digest is verified."""
        piece = self._waiting or next(self._pieces, b"")
        count = len(piece) if count < 0 else count
        self._waiting = piece[count:]
        self.taken += len(piece[:count])
        return piece[:count]


class _Layer(io.RawIOBase):
    """Unpacks as it is read, counts and hashes what comes out."""

    def __init__(
        self,
        pieces: Iterator[bytes],
        diff_id: str,
        limit: int,
        growth: Growth,
        failure: Callable[[str], DrydockError],
    ) -> None:
        super().__init__()
        self._packed = _Packed(pieces)
        self._unpacked: Callable[[int], bytes] | None = None
        self._diff_id, self._limit, self._growth, self._failure = diff_id, limit, growth, failure
        self._hash = hashlib.new(diff_id.partition(":")[0])
        self._size = 0
        self._ended = False

    def readable(self) -> bool:
        """Yes: what io.BufferedReader asks first."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Put in the next bytes; 0 at the end. Raises DrydockError."""
        view = memoryview(buffer).cast("B")
        piece = b"" if self._ended else self._next(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def _next(self, count: int) -> bytes:
        try:
            if self._unpacked is None:
                self._unpacked = _unpacker(self._packed)
            piece = self._unpacked(count)
        except (zlib.error, zstandard.ZstdError, EOFError) as error:
            raise self._failure(f"it cannot be unpacked ({error})") from error
        if piece:
            self._count(piece)
        else:
            self._verify()
        return piece

    def _count(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise self._failure(f"unpacked it is larger than {self._limit:,} bytes")
        if self._size > max(self._growth.free, self._growth.ratio * self._packed.taken):
            grown = f"{self._packed.taken:,} bytes grow to more than {self._size:,}"
            raise self._failure(f"it unpacks like a bomb, {grown}")
        self._hash.update(piece)

    def _verify(self) -> None:
        self._ended = True
        while self._packed.read():
            pass  # whatever an unpacker may leave: the end is where the whole is verified
        found = f"{self._hash.name}:{self._hash.hexdigest()}"
        if found != self._diff_id:
            raise self._failure(f"unpacked its digest is {found[:19]}, not the diff id {self._diff_id[:19]}")


def _unpacker(packed: _Packed) -> Callable[[int], bytes]:
    """What gives the next unpacked bytes, up to a count, none at the end."""
    start = packed.peek(4)
    if start.startswith(_GZIP):
        return _Gzip(packed).read
    if start == _ZSTD or (start[1:4] == _ZSTD_SKIPPABLE[0] and start[0] & 0xF0 == _ZSTD_SKIPPABLE[1]):
        unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_LIMIT)
        return unpacker.stream_reader(cast(BinaryIO, packed), read_size=64 * 1024, read_across_frames=True).read
    return packed.read


class _Gzip:
    """gzip, member after member, never more of it at once than is asked for."""

    def __init__(self, packed: _Packed) -> None:
        self._packed = packed
        self._member = zlib.decompressobj(wbits=31)
        self._waiting = b""

    def read(self, count: int) -> bytes:
        """The next bytes, none at the end. Raises EOFError in the middle of a member, zlib.error."""
        while True:
            self._waiting = self._waiting or self._packed.read()
            if self._member.eof:
                if not self._waiting:
                    return b""
                self._waiting = self._waiting.lstrip(b"\0")  # padding, as some writers add it
                if not self._waiting:
                    continue
                self._member = zlib.decompressobj(wbits=31)
            if not self._waiting:
                raise EOFError("it ends too early")
            piece = self._member.decompress(self._waiting, count)
            self._waiting = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if piece:
                return piece
