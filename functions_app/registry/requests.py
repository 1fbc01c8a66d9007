"""What is asked of a registry and what comes back; the rules of redirects and of waiting.

Sources: OCI distribution-spec 1.1, RFC 9110 (redirects, Retry-After).
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

import httpx

_WRITING = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True)
class Limits:
    """How long a registry is waited for, and how often it is asked. Seconds, where nothing else is said."""

    attempts: int = 4
    connect: float = 5.0
    silence: float = 30.0  # without a byte
    whole: float = 120.0  # one answer that is read whole, and the head of any other, however slowly it drips
    in_all: float = 240.0  # a read with all its attempts: none begins later
    first_pause: float = 0.3
    throttled: float = 2.0  # the first pause after a 429 that asks for none; public registries count by the second
    longest_pause: float = 20.0  # a registry that asks for more gets an error that says so
    longest_turn: float = 60.0  # until a turn, where a registry's readers go one after another
    crawl: float = 60.0  # a layer that brings fewer than `crawl_bytes` in so long a wait is dropped
    crawl_bytes: int = 256 * 1024
    worth: int = 1024**2  # bytes of a layer after which a drop is forgiven: attempts count anew
    drops: int = 50  # of one layer, in all


Body = Callable[[], Generator[bytes]]
"""Makes what is sent, piece by piece, from its beginning: as often as a request has to be sent."""


@dataclass(frozen=True)
class Ask:
    """One thing to read or to write. `url` may be a path; `what` names it in errors; `start` is the first byte wanted.

    `writes`: the login must allow pushes to the repository; `source`: and reading of this one, to mount from it.
    """

    method: str
    url: str
    repository: str
    what: str
    limit: int = 0  # bytes of the body
    accept: tuple[str, ...] = ()
    start: int = 0
    unless: str = ""  # the digest that is known: a registry whose ETag it is answers 304
    writes: bool = False
    source: str = ""
    body: Body | None = None
    fields: Mapping[str, str] = field(default_factory=dict)  # what its headers say of the body

    @property
    def kind(self) -> str:
        """What registries count apart: manifests, blobs or tags, and what is written of them."""
        kind = next((kind for kind in ("manifests", "blobs", "tags") if f"/{kind}/" in self.url), "")
        return f"{kind} written" if self.method in _WRITING and kind else kind

    @property
    def scope(self) -> str:
        """What a token must allow, as the token specification writes it; several with a space between."""
        own = f"repository:{self.repository}:{'pull,push' if self.writes else 'pull'}"
        return f"{own} repository:{self.source}:pull" if self.source else own

    @property
    def headers(self) -> dict[str, str]:
        """What is sent whoever asks."""
        fields = {"Accept": ", ".join(self.accept) or "*/*", **self.fields}
        if self.unless:
            fields["If-None-Match"] = f'"{self.unless}"'
        return fields | {"Range": f"bytes={self.start}-"} if self.start else fields


@dataclass(frozen=True)
class Reply:
    """An answer whose body is still to be read."""

    status: int
    headers: httpx.Headers
    url: str
    chunks: Iterator[bytes]


@dataclass(frozen=True)
class Answer:
    """A whole answer, its body within the limit that was asked for."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: str


def redirect_target(base_url: str, url: str, location: str) -> str:
    """Where a redirect leads. Raises ValueError for no address, and for one that leaves https (mirrors may be http)."""
    target = urljoin(url, location)
    scheme, host, _ = origin(target)
    if not host or scheme not in ({"https", "http"} if base_url.startswith("http://") else {"https"}):
        where = f"{scheme}://{host}"[:100]  # without its query, which may be signed
        raise ValueError(f"it redirects to {where}, which is not https")
    return target


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait as a Retry-After header asks (seconds or an HTTP date); None when it asks for nothing."""
    if value.isascii() and value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


@lru_cache(maxsize=1024)
def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises ValueError for a malformed URL."""
    try:
        parts = urlsplit(str(httpx.URL(url)))
    except (httpx.InvalidURL, TypeError) as error:
        raise ValueError(f"not an address: {error}") from error
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
