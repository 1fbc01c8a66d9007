"""The one client of the OCI Distribution API: reads manifests, blobs and tags, and checks every digest.

Source: OCI distribution-spec 1.1. Only reads are retried, and every read here is one.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import httpx
from django.conf import settings

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images import MANIFEST_TYPES, Descriptor
from functions_app.domain.json_fields import read_object, read_strings
from functions_app.domain.refs import is_digest, is_repository, is_tag
from functions_app.registry.auth import Authorizer, Login, parse_challenges
from functions_app.registry.errors import broken, refusal, unreachable

__all__ = ["CONFIG_LIMIT", "MANIFEST_LIMIT", "Login", "Registry"]

MANIFEST_LIMIT = 4 * 1024**2  # bytes; the size that distribution-spec asks registries to take
CONFIG_LIMIT = 8 * 1024**2
ERROR_LIMIT = 64 * 1024
ATTEMPTS = 4
LONGEST_PAUSE = 20.0  # seconds; a registry that asks for more gets an error that says so
FIRST_PAUSE = 0.3
TIMEOUT = httpx.Timeout(30, connect=5)
WHOLE_READ = 120.0  # seconds for one body, however slowly it drips
REDIRECTS = 5
PAGE = 1000  # tags
GENERIC_TYPES = frozenset({"", "application/json", "application/octet-stream", "text/plain"})
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')


@dataclass(frozen=True)
class Answer:
    """A whole answer, its body within the limit that was asked for."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: str


class Registry:
    """One registry host. Safe to use from many threads; close it, or use it in a `with`."""

    def __init__(
        self, host: str, base_url: str, login: Login | None = None, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.host = host
        self._base = base_url.rstrip("/")
        # Bodies are wanted as they were hashed, hence no compression; redirects are followed here, by our own rule.
        self._http = httpx.Client(
            timeout=TIMEOUT,
            follow_redirects=False,
            headers={"User-Agent": "drydock", "Accept-Encoding": "identity"},
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=16),
        )
        self._authorizer = Authorizer(self._base, login, self._fetch_token)
        self._pause = pause

    @classmethod
    def open(cls, host: str, login: Login | None = None) -> "Registry":
        """The registry of this host name, by https, or by the mirror that DRYDOCK_REGISTRY_MIRRORS names for it."""
        return cls(host, mirror_of(host, settings.ENV.registry_mirrors) or f"https://{host}", login)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> "Registry":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def head(self, repository: str, reference: str) -> Descriptor | None:
        """What a tag or digest points to now, without its contents; None when there is no such thing."""
        path, what = self._manifest_path(repository, reference)
        answer = self._read("HEAD", path, repository, what, limit=0, accept=MANIFEST_TYPES)
        if answer.status == 404:
            return None
        digest = answer.headers.get("docker-content-digest", "")
        if answer.status == 405 or (answer.status == 200 and not is_digest(digest)):
            return self.manifest(repository, reference)[0]  # HEAD and the header are optional in old registries
        self._expect(answer, what)
        return Descriptor(_media_type(answer), digest, int(answer.headers.get("content-length") or 0))

    def manifest(self, repository: str, reference: str) -> tuple[Descriptor, bytes]:
        """A manifest or index by tag or digest, its digest verified. The media type may be empty. Raises NOT_FOUND."""
        path, what = self._manifest_path(repository, reference)
        answer = self._read("GET", path, repository, what, limit=MANIFEST_LIMIT, accept=MANIFEST_TYPES)
        self._expect(answer, what)
        told = answer.headers.get("docker-content-digest", "")
        digest = reference if is_digest(reference) else told if is_digest(told) else ""
        self._verify(answer.body, digest or _digest_of(answer.body), what)
        return Descriptor(_media_type(answer), digest or _digest_of(answer.body), len(answer.body)), answer.body

    def blob(self, repository: str, digest: str, limit_bytes: int) -> bytes:
        """A whole blob, its digest verified; for configs, not for layers. Raises NOT_FOUND, FAILED beyond the limit."""
        if not is_repository(repository) or not is_digest(digest):
            raise DrydockError(Code.INVALID, f"Not a blob's address: {repository[:100]}@{digest[:100]}.")
        what = f"blob {repository}@{digest[:19]}"
        answer = self._read("GET", f"/v2/{repository}/blobs/{digest}", repository, what, limit=limit_bytes)
        self._expect(answer, what)
        self._verify(answer.body, digest, what)
        return answer.body

    def tags(self, repository: str) -> Iterator[str]:
        """Every tag of a repository, in the registry's own order, page by page."""
        if not is_repository(repository):
            raise DrydockError(Code.INVALID, f"Not a repository's name: {repository[:100]!r}.")
        what = f"tags of {repository}"
        address, seen = f"/v2/{repository}/tags/list?n={PAGE}", set[str]()
        while address:
            answer = self._read("GET", address, repository, what, limit=MANIFEST_LIMIT)
            self._expect(answer, what)
            yield from read_strings(read_object(answer.body, "list of tags").get("tags"), "tags")
            seen.add(answer.url)
            following = _NEXT.search(answer.headers.get("link", ""))
            address = urljoin(answer.url, following[1]) if following else ""
            if address and (_origin(address) != _origin(self._base) or address in seen):
                raise broken(self.host, what, f"the next page is at {address[:200]}")

    def _manifest_path(self, repository: str, reference: str) -> tuple[str, str]:
        if not is_repository(repository) or not (is_tag(reference) or is_digest(reference)):
            raise DrydockError(Code.INVALID, f"Not an image's address: {repository[:100]!r}, {reference[:150]!r}.")
        joint = "@" if is_digest(reference) else ":"
        return f"/v2/{repository}/manifests/{reference}", f"{repository}{joint}{reference}"

    def _expect(self, answer: Answer, what: str) -> None:
        if answer.status != 200:
            raise refusal(self.host, what, answer.status, answer.headers, answer.body)

    def _verify(self, body: bytes, digest: str, what: str) -> None:
        if (found := _digest_of(body, digest.partition(":")[0])) != digest:
            raise broken(self.host, what, f"its digest is {found[:19]}, not {digest[:19]}")

    def _read(
        self, method: str, address: str, repository: str, what: str, *, limit: int, accept: tuple[str, ...] = ()
    ) -> Answer:
        """Read with retries: no answer, 429 and 5xx are tried again, after as long as Retry-After asks for."""
        for attempt in range(ATTEMPTS):
            asked: float | None = None
            try:
                answer = self._authorized(method, self._url(address), repository, what, limit, accept)
            except httpx.TransportError as error:
                failure = unreachable(self.host, what, error)
            except DrydockError as error:  # the token's server
                if not error.problem.retryable:
                    raise
                failure = error
            else:
                if answer.status != 429 and answer.status < 500:
                    return answer
                failure = refusal(self.host, what, answer.status, answer.headers, answer.body)
                asked = retry_after(answer.headers.get("retry-after", ""), datetime.now(UTC))
            if attempt == ATTEMPTS - 1 or (asked or 0) > LONGEST_PAUSE:
                raise failure
            self._pause(FIRST_PAUSE * 2**attempt if asked is None else asked)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _url(self, address: str) -> str:
        return address if address.startswith(("http://", "https://")) else self._base + address

    def _authorized(
        self, method: str, url: str, repository: str, what: str, limit: int, accept: tuple[str, ...]
    ) -> Answer:
        scope = f"repository:{repository}:pull"
        headers = {"Accept": ", ".join(accept) or "*/*"}
        sent = self._authorizer.header(scope)
        answer = self._follow(method, url, headers, sent, limit, what)
        if answer.status == 401:
            challenges = parse_challenges(answer.headers.get_list("www-authenticate"))
            if self._authorizer.learn(challenges, scope, sent):
                return self._follow(method, url, headers, self._authorizer.header(scope), limit, what)
        return answer

    def _follow(
        self, method: str, url: str, headers: Mapping[str, str], authorization: str, limit: int, what: str
    ) -> Answer:
        """Send, and follow redirects. The Authorization goes to the registry's own origin alone, never further."""
        for _ in range(REDIRECTS + 1):
            trusted = authorization and _origin(url) == _origin(self._base)
            answer = self._send(
                method, url, {**headers, "Authorization": authorization} if trusted else headers, limit, what
            )
            if answer.status not in {301, 302, 303, 307, 308}:
                return answer
            try:
                url = redirect_target(self._base, url, str(answer.headers.get("location", "")))
            except ValueError as error:
                raise broken(self.host, what, str(error)) from error
        raise broken(self.host, what, "it redirects without end")

    def _send(self, method: str, url: str, headers: Mapping[str, str], limit: int, what: str) -> Answer:
        with self._http.stream(method, url, headers=dict(headers)) as response:
            # The body of a refusal only explains it: what is too long is cut there, and refused elsewhere.
            fine = response.status_code == 200
            body = b"" if method == "HEAD" else self._body(response, limit if fine else ERROR_LIMIT, what, cut=not fine)
            return Answer(response.status_code, response.headers, body, url)

    def _body(self, response: httpx.Response, limit: int, what: str, *, cut: bool) -> bytes:
        body, until = bytearray(), time.monotonic() + WHOLE_READ
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > limit:
                if cut:
                    break
                raise broken(self.host, what, f"it is larger than {limit:,} bytes")
            if time.monotonic() > until:
                raise httpx.ReadTimeout(f"not complete after {WHOLE_READ:.0f} s")
        return bytes(body)

    def _fetch_token(self, realm: str, query: Mapping[str, str], authorization: str) -> bytes:
        url = str(httpx.URL(realm).copy_merge_params(dict(query)))
        headers = {"Authorization": authorization} if authorization else {}
        what = f"token for {query['scope']}"
        answer = self._send("GET", url, headers, ERROR_LIMIT, what)
        if answer.status != 200:
            raise refusal(urlsplit(realm).netloc, what, answer.status, answer.headers, answer.body)
        return answer.body


def mirror_of(host: str, mirrors: Mapping[str, str]) -> str:
    """The base URL given for this host, by its own name first, then by the first pattern that fits; empty for none."""
    fitting = (url for pattern, url in mirrors.items() if fnmatchcase(host, pattern))
    return mirrors.get(host) or next(fitting, "")


def redirect_target(base_url: str, url: str, location: str) -> str:
    """Where a redirect leads. Raises ValueError for no address, and for one that leaves https (mirrors may be http)."""
    target = urljoin(url, location)
    scheme, host, _ = _origin(target)
    if not host or scheme not in ({"https", "http"} if base_url.startswith("http://") else {"https"}):
        raise ValueError(f"it redirects to {target[:100]}, which is not https")
    return target


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait as a Retry-After header asks (seconds or an HTTP date); None when it asks for nothing."""
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _media_type(answer: Answer) -> str:
    told = str(answer.headers.get("content-type", "")).partition(";")[0].strip()
    return "" if told in GENERIC_TYPES else told


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _digest_of(body: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
