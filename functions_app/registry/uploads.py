"""Blobs on their way into a registry: mounted where it has them already, else sent in one session, in constant memory.

Sources: OCI distribution-spec 1.1 ("Pushing blobs", "Mounting a blob from another repository"). A blob is sent by POST
and one PUT of known length, as containerd does: ECR takes it, while its answers to a PATCH after the first are wrong
(https://github.com/aws/containers-roadmap/issues/2831). So a drop begins a new session, from the blob's first byte.
"""

import math
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import httpx

from functions_app.domain.ecr_hosts import ecr_host
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.manifests import Descriptor
from functions_app.domain.refs import is_digest, is_repository
from functions_app.registry.addresses import within
from functions_app.registry.client import Registry
from functions_app.registry.errors import broken, refusal
from functions_app.registry.requests import Answer, Ask, Body
from functions_app.registry.transport import beginning

PIECE = 256 * 1024  # bytes of what is in memory anyway
# What a registry says of a session that cannot go on: another one can.
LOST_SESSION = frozenset({"BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "DIGEST_INVALID", "SIZE_INVALID"})


@dataclass(frozen=True)
class Source:
    """Where a blob can be had."""

    registry: Registry
    repository: str


class Way(Enum):
    """How a blob came to be in a repository."""

    EXISTING = "it was there"
    MOUNTED = "the registry had it in another repository"
    COPIED = "it was sent"


Sent = Callable[[int], None]
"""Told how many bytes more are sent, fewer than none where a session was lost. What it raises ends the upload."""


def holds(registry: Registry, repository: str, digest: str) -> bool:
    """Whether a repository has this blob already. Raises DrydockError."""
    ask = _ask(registry, "HEAD", repository, digest, f"/blobs/{digest}")
    answer = registry.transport.read(ask)
    if answer.status not in {200, 404}:
        raise _refusal(registry, ask, answer)
    return answer.status == 200


def put_blob(registry: Registry, repository: str, digest: str, data: bytes, sent: Sent) -> None:
    """Send bytes that are in memory: a config, a statement. Raises DrydockError."""

    def pieces() -> Generator[bytes]:
        for start in range(0, len(data), PIECE):
            yield data[start : start + PIECE]

    _Upload(registry, repository, Descriptor("", digest, len(data)), pieces, sent).run("")


def mount_or_copy(
    registry: Registry, repository: str, blob: Descriptor, source: Source | None, sent: Sent, *, anew: bool = False
) -> Way:
    """Bring a blob into a repository with as few bytes as can be; `source` None: nobody else has it.

    `anew`: the registry says that it has the blob, and does not know it when it matters. Raises DrydockError: NOT_FOUND
    for a blob that is nowhere, FAILED for other bytes than its digest names (the upload is not completed then).
    """
    elsewhere = source and not (_is_same(source.registry, registry) and source.repository == repository)
    session = ""
    if source and elsewhere and _is_same(source.registry, registry):
        mounted, session = _mount(registry, repository, blob.digest, source.repository)
        if mounted:
            return Way.MOUNTED
    if not anew and holds(registry, repository, blob.digest):
        return Way.EXISTING
    if source is None or not elsewhere:
        raise DrydockError(
            Code.NOT_FOUND,
            f"{registry.host}/{repository} no longer has the layer {blob.digest[:19]} of its own image.",
            next_step="Build and push the image again.",
        )
    _Upload(registry, repository, blob, _streamed(source, blob), sent).run(session)
    return Way.COPIED


def _mount(registry: Registry, repository: str, digest: str, source: str) -> tuple[bool, str]:
    """Whether the registry has mounted it, and otherwise the session it has begun; empty for none."""
    name = registry.name_of(source)
    ask = _ask(registry, "POST", repository, digest, f"/blobs/uploads/?mount={digest}&from={name}", source=name)
    try:
        answer = registry.transport.read(ask)
    except DrydockError as error:
        if error.problem.code is not Code.DENIED:
            raise
        return False, ""  # this login gets no token for both repositories; the source has one of its own
    if answer.status == 201:
        return True, ""
    # 202: the registry does not mount it. Others say so by an error, where its source may not be read, or is gone.
    return False, _location(registry, ask, answer) if answer.status == 202 else ""


def _is_same(one: Registry, other: Registry) -> bool:
    """Whether both are the same registry, whichever of ECR's names for it they were opened by."""
    known, asked = ecr_host(one.host), ecr_host(other.host)
    return (known.plain if known else one.host) == (asked.plain if asked else other.host)


def _ask(registry: Registry, method: str, repository: str, digest: str, path: str, **more: Any) -> Ask:
    if not is_repository(repository) or not is_digest(digest):
        raise DrydockError(Code.INVALID, f"Not a blob's address: {repository[:100]}@{digest[:100]}.")
    name = registry.name_of(repository)
    return Ask(method, f"/v2/{name}{path}", name, f"blob {repository}@{digest[:19]}", writes=True, **more)


def _location(registry: Registry, ask: Ask, answer: Answer) -> str:
    """The address of an upload's session, which may be relative, elsewhere, and have a query of its own."""
    location = str(answer.headers.get("location", "")).partition("#")[0]
    try:
        if not location:
            raise ValueError("it tells no address to send it to")
        return registry.transport.address(answer.url, location)
    except ValueError as error:
        raise broken(registry.host, ask.what, str(error)) from error


def _refusal(registry: Registry, ask: Ask, answer: Answer) -> DrydockError:
    return refusal(registry.host, ask.what, answer.status, answer.headers, answer.body, writes=True)


class _SourceFailedError(Exception):
    """The blob cannot be had, which no other session mends."""

    def __init__(self, error: DrydockError) -> None:
        super().__init__(str(error))
        self.error = error


def _streamed(source: Source, blob: Descriptor) -> Body:
    def pieces() -> Generator[bytes]:
        """The last piece is held back until the digest is verified, so that no registry gets a whole wrong blob."""
        try:
            with source.registry.stream(source.repository, blob.digest, size=blob.size) as found:
                held = next(found, b"")
                for piece in found:
                    yield held
                    held = piece
        except DrydockError as error:
            raise _SourceFailedError(error) from error
        if held:
            yield held

    return pieces


class _Upload:
    """One blob on its way into one repository."""

    def __init__(self, registry: Registry, repository: str, blob: Descriptor, pieces: Body, sent: Sent) -> None:
        self._registry, self._repository, self._blob = registry, repository, blob
        self._pieces, self._tell, self._sent = pieces, sent, 0
        self._transport, self._limits = registry.transport, registry.transport.limits

    def run(self, session: str) -> None:
        """Send it, in this session first where there is one. Raises DrydockError when that leads nowhere."""
        for attempt in range(self._limits.attempts):
            asked: float | None = None
            if attempt and holds(self._registry, self._repository, self._blob.digest):
                return  # only the answer was lost, or somebody else was quicker
            ask = self._ask(session or self._begin())
            self._transport.wait_for_turn(ask)
            try:
                answer = self._put(ask)
            except _SourceFailedError as failed:
                raise failed.error from failed
            except (httpx.TransportError, DrydockError) as error:
                failure = self._transport.failure(ask.what, error)
            else:
                if answer.status in {201, 204}:
                    self._check(ask, answer)
                    return
                failure, asked = self._refused(ask, answer)
            session = ""
            # However long it took: a large blob is worth as many attempts as a small one.
            self._transport.pause_or_raise(ask, attempt, asked, failure, math.inf)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _begin(self) -> str:
        ask = _ask(self._registry, "POST", self._repository, self._blob.digest, "/blobs/uploads/")
        answer = self._transport.read(ask)
        if answer.status != 202:
            raise _refusal(self._registry, ask, answer)
        return _location(self._registry, ask, answer)

    def _ask(self, session: str) -> Ask:
        digest = self._blob.digest
        ask = _ask(self._registry, "PUT", self._repository, digest, "", body=self._paced)
        # What a session's address has in its query is the registry's own and stays as it is.
        url = f"{session}{'&' if '?' in session else '?'}digest={digest}"
        fields = {"Content-Type": "application/octet-stream", "Content-Length": str(self._blob.size)}
        return replace(ask, url=url, fields=fields)

    def _put(self, ask: Ask) -> Answer:
        with self._transport.opened(ask) as reply, within(self._limits.whole):
            return Answer(reply.status, reply.headers, beginning(reply.chunks), reply.url)

    def _refused(self, ask: Ask, answer: Answer) -> tuple[DrydockError, float | None]:
        """Why another session may help. Raises DrydockError where none can."""
        found = self._transport.refusal(ask.what, answer.status, answer.headers, answer.body)
        if found:
            return found
        error = _refusal(self._registry, ask, answer)
        if answer.status in {404, 416} or error.problem.aws_code in LOST_SESSION:
            return error, None
        raise error

    def _check(self, ask: Ask, answer: Answer) -> None:
        told = answer.headers.get("docker-content-digest", "")
        if is_digest(told) and told != self._blob.digest:
            raise broken(self._registry.host, ask.what, f"it has kept {told[:19]}")

    def _paced(self) -> Generator[bytes]:
        """The pieces, counted. Raises httpx.WriteTimeout for a registry that takes them too slowly."""
        self._tell(-self._sent)
        self._sent = 0
        waited, taken = 0.0, 0
        with closing(self._pieces()) as pieces:
            for piece in pieces:
                began = time.monotonic()
                yield piece
                waited, taken = waited + time.monotonic() - began, taken + len(piece)
                self._sent += len(piece)
                self._tell(len(piece))
                if waited > self._limits.crawl:
                    if taken < self._limits.crawl_bytes:
                        raise httpx.WriteTimeout(f"{taken:,} bytes in {waited:.0f} s")
                    waited, taken = 0.0, 0
