"""A blob of any size, piece by piece: hashed on the way, taken up again where a connection dropped.

Source: OCI distribution-spec 1.1 ("Pulling blobs"), RFC 9110 section 14 (ranges).
"""

import hashlib
import re
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import httpx

from functions_app.domain.errors import DrydockError
from functions_app.registry.addresses import within
from functions_app.registry.errors import broken, refusal
from functions_app.registry.requests import Ask, Reply
from functions_app.registry.transport import Transport

BLOB_LIMIT = 52_000 * 1024**2  # bytes; the largest layer that ECR takes
EXPLAINED = 64 * 1024  # bytes of a refusal that are read
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(?:(\d{1,18})|\*)")


@contextmanager
def stream(transport: Transport, ask: Ask, digest: str, *, offset: int, size: int | None) -> Iterator[Iterator[bytes]]:
    """The pieces of a blob from `offset` on; the whole is hashed, and compared at the end. Raises DrydockError."""
    with closing(_Download(transport, ask, digest, size).pieces(offset)) as pieces:
        yield pieces


class _Download:
    """One blob on its way: how much of it has come, and what it should be."""

    def __init__(self, transport: Transport, ask: Ask, digest: str, size: int | None) -> None:
        self._transport, self._ask, self._digest, self._size = transport, ask, digest, size
        self._limits = transport.limits
        self._got = 0
        self._hash = hashlib.new(digest.partition(":")[0])

    def pieces(self, offset: int) -> Generator[bytes]:
        """What is still to come after `offset` bytes, verified at the end."""
        limit = BLOB_LIMIT if self._size is None else self._size
        with closing(self._chunks()) as chunks:
            for chunk in chunks:
                before, self._got = self._got, self._got + len(chunk)
                if self._got > limit:
                    raise self._broken(f"it is larger than {limit:,} bytes")
                self._hash.update(chunk)
                if self._got > offset:
                    yield chunk[max(0, offset - before) :]
        if self._size not in {None, self._got}:
            raise self._broken(f"it has {self._got:,} bytes, not {self._size:,}")
        found = f"{self._hash.name}:{self._hash.hexdigest()}"
        if found != self._digest:
            raise self._broken(f"its digest is {found[:19]}, not {self._digest[:19]}")

    def _chunks(self) -> Generator[bytes]:
        """The blob from its start; a drop is mended from where it happened."""
        attempt, mark = 0, 0
        ends = time.monotonic() + self._limits.in_all
        for _ in range(self._limits.drops):
            asked: float | None = None
            self._transport.wait_for_turn(self._ask)
            try:
                with self._transport.opened(replace(self._ask, start=self._got)) as reply:
                    if reply.status in {200, 206}:
                        yield from self._paced(reply.chunks, self._skipped(reply))
                        return
                    if reply.status == 416 and self._got:
                        return  # nothing is left to send: what came is whole, or its digest will tell
                    failure, asked = self._refused(reply)
            except (httpx.TransportError, DrydockError) as error:
                failure = self._transport.failure(self._ask.what, error)
            if self._got - mark >= self._limits.worth:
                attempt, mark = 0, self._got
                ends = time.monotonic() + self._limits.in_all
            if self._got == self._size:
                return  # only the end of the connection was lost
            self._transport.pause_or_raise(self._ask, attempt, asked, failure, ends)
            attempt += 1
        raise self._broken(f"it dropped {self._limits.drops} times")

    def _refused(self, reply: Reply) -> tuple[DrydockError, float | None]:
        said = bytearray()
        with within(self._limits.whole):
            for chunk in reply.chunks:
                said += chunk
                if len(said) > EXPLAINED:
                    break
        found = self._transport.refusal(self._ask.what, reply.status, reply.headers, bytes(said))
        if found is None:
            raise refusal(self._transport.host, self._ask.what, reply.status, reply.headers, bytes(said))
        return found

    def _skipped(self, reply: Reply) -> int:
        """How many of an answer's bytes are here already: all that came, where a server knows no ranges.

        That the rest belongs to the same blob is proven by the digest, whose name the blob has.
        """
        if reply.status == 200:
            return self._got
        told = _CONTENT_RANGE.fullmatch(reply.headers.get("content-range", ""))
        if told is None or int(told[1]) != self._got or (self._size and told[2] and int(told[2]) != self._size):
            said = str(reply.headers.get("content-range", ""))[:80]
            raise self._broken(f"asked for the bytes from {self._got:,} on, it sends {said!r}")
        return 0

    def _paced(self, chunks: Iterator[bytes], skip: int) -> Iterator[bytes]:
        """The chunks after `skip` bytes. Raises httpx.ReadTimeout for a server that only drips; readers may be slow."""
        waited, brought = 0.0, 0
        while True:
            began = time.monotonic()
            with within(self._limits.whole):
                chunk = next(chunks, None)
            if chunk is None:
                return
            waited, brought = waited + time.monotonic() - began, brought + len(chunk)
            if waited > self._limits.crawl:
                if brought < self._limits.crawl_bytes:
                    raise httpx.ReadTimeout(f"{brought:,} bytes in {waited:.0f} s")
                waited, brought = 0.0, 0
            if skip < len(chunk):
                yield chunk[skip:]
            skip = max(0, skip - len(chunk))

    def _broken(self, why: str) -> DrydockError:
        return broken(self._transport.host, self._ask.what, why)
