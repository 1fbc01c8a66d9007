"""What is asked of a registry and what comes back; the rules of redirects and of waiting.

Sources: OCI distribution-spec 1.1, RFC 9110 (redirects, Retry-After).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import httpx


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


@dataclass(frozen=True)
class Ask:
    """One thing to read. `url` may be a path; `what` names it in errors; `start` is the first byte wanted."""

    method: str
    url: str
    repository: str
    what: str
    limit: int = 0  # bytes of the body
    accept: tuple[str, ...] = ()
    start: int = 0
    unless: str = ""  # the digest that is known: a registry whose ETag it is answers 304

    @property
    def kind(self) -> str:
        """What registries count apart: manifests, blobs or tags."""
        return next((kind for kind in ("manifests", "blobs", "tags") if f"/{kind}/" in self.url), "")

    @property
    def headers(self) -> dict[str, str]:
        """What is sent whoever asks."""
        fields = {"Accept": ", ".join(self.accept) or "*/*"}
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


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises ValueError for a malformed URL."""
    try:
        parts = urlsplit(str(httpx.URL(url)))
    except (httpx.InvalidURL, TypeError) as error:
        raise ValueError(f"not an address: {error}") from error
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
