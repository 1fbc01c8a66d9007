"""The one client of the OCI Distribution API: reads manifests, blobs and tags, and checks every digest.

Source: OCI distribution-spec 1.1. What is written to a registry is in uploads.py, pushing.py and referrers.py.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from fnmatch import fnmatchcase
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import httpx
from django.conf import settings

from functions_app.domain.ecr_hosts import ecr_host
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.manifests import MANIFEST_TYPES, Descriptor
from functions_app.domain.json_fields import read_object, read_strings
from functions_app.domain.refs import is_digest, is_repository, is_tag
from functions_app.registry import download
from functions_app.registry.addresses import Reach
from functions_app.registry.auth import Credentials
from functions_app.registry.errors import broken, refusal
from functions_app.registry.pace import Pace
from functions_app.registry.requests import Answer, Ask, Limits
from functions_app.registry.transport import Transport

MANIFEST_LIMIT = 4 * 1024**2  # bytes; the size that distribution-spec asks registries to take
CONFIG_LIMIT = 8 * 1024**2
PAGE = 1000  # tags
PAGES, TAGS = 1000, 500_000  # of one repository: a list without end is refused
DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
DOCKER_HUB_URL = "https://registry-1.docker.io"
GENERIC_TYPES = frozenset({"", "application/json", "application/octet-stream", "text/plain"})
_NEXT = re.compile(r'<([^<>]*)>\s{0,9};[^,<]*\brel="?next"?')


class Registry:
    """One registry host. Safe to use from many threads; close it, or use it in a `with`.

    `reach` is how far its redirects may lead; None: a base that is not the host's own is a mirror, so anywhere.
    """

    def __init__(
        self,
        host: str,
        base_url: str,
        login: Credentials | None = None,
        *,
        reach: Reach | None = None,
        limits: Limits | None = None,
        pause: Callable[[float], None] = time.sleep,
        pace: Pace | None = None,
    ) -> None:
        self.host = host
        self.reach = reach or (_reach(host) if base_url == own_url(host) else Reach.PRIVATE)
        self.transport = Transport(host, base_url, login, self.reach, limits or Limits(), pause, pace)

    @classmethod
    def open(cls, host: str, login: Credentials | None = None, *, reach: Reach | None = None) -> "Registry":
        """The registry of this host name, by https, or by the mirror that DRYDOCK_REGISTRY_MIRRORS names for it."""
        base_url = mirror_of(host, settings.ENV.registry_mirrors) or own_url(host)
        pace = Pace(f"{host} at {_without_login(base_url)}", "login" if login else "nameless")
        return cls(host, base_url, login, reach=reach, pace=pace)

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def __enter__(self) -> "Registry":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def head(self, repository: str, reference: str, *, unless: str = "", writes: bool = False) -> Descriptor | None:
        """What a tag or digest points to now, without its contents; None when there is no such thing.

        `unless`: the digest that is known; where it is still that one, the answer may have neither type nor size.
        `writes`: something is written next, with the same token.
        """
        answer, what = self._ask_manifest("HEAD", repository, reference, limit=0, unless=unless, writes=writes)
        if answer.status == 404:
            return None
        if answer.status == 304 and unless:
            return Descriptor("", unless, 0)
        digest = answer.headers.get("docker-content-digest", "")
        if answer.status == 405 or (answer.status == 200 and not is_digest(digest)):
            return self.manifest(repository, reference)[0]  # HEAD and the header are optional in old registries
        self._expect(answer, what)
        length = answer.headers.get("content-length", "")
        size = int(length) if length.isascii() and length.isdecimal() else 0
        if size > MANIFEST_LIMIT:
            raise broken(self.host, what, f"it is larger than {MANIFEST_LIMIT:,} bytes")
        return Descriptor(_media_type(answer), digest, size)

    def manifest(self, repository: str, reference: str) -> tuple[Descriptor, bytes]:
        """A manifest or index by tag or digest, its digest verified. The media type may be empty. Raises NOT_FOUND."""
        answer, what = self._ask_manifest("GET", repository, reference, limit=MANIFEST_LIMIT)
        self._expect(answer, what)
        told = answer.headers.get("docker-content-digest", "")
        digest = reference if is_digest(reference) else told if is_digest(told) else _digest_of(answer.body)
        self._verify(answer.body, digest, what)
        return Descriptor(_media_type(answer), digest, len(answer.body)), answer.body

    def blob(self, repository: str, digest: str, limit_bytes: int) -> bytes:
        """A whole blob, its digest verified; for configs, not for layers. Raises NOT_FOUND, FAILED beyond the limit."""
        ask = self._blob(repository, digest, limit_bytes)
        answer = self.transport.read(ask)
        self._expect(answer, ask.what)
        self._verify(answer.body, digest, ask.what)
        return answer.body

    def stream(
        self, repository: str, digest: str, *, offset: int = 0, size: int | None = None
    ) -> AbstractContextManager[Iterator[bytes]]:
        """A blob of any size in pieces, in constant memory: `with registry.stream(...) as pieces`.

        The digest is verified when the last piece is taken, so until then nothing is proven: who stops before has no
        proof. A drop is resumed by Range. `offset`: leave out so many bytes; they are read all the same, since only
        the whole can be verified. `size`: what the manifest says; another one is refused. Raises DrydockError.
        """
        return download.stream(self.transport, self._blob(repository, digest), digest, offset=offset, size=size)

    def tags(self, repository: str) -> Iterator[str]:
        """Every tag of a repository, in the registry's own order, page by page. Raises FAILED for endless ones."""
        if not is_repository(repository):
            raise DrydockError(Code.INVALID, f"Not a repository's name: {repository[:100]!r}.")
        name, what = self.name_of(repository), f"tags of {repository}"
        address, seen, count = f"/v2/{name}/tags/list?n={PAGE}", set[str](), 0
        while address:
            answer = self.transport.read(Ask("GET", address, name, what, MANIFEST_LIMIT))
            self._expect(answer, what)
            found = [
                tag for tag in read_strings(read_object(answer.body, "list of tags").get("tags"), "tags") if is_tag(tag)
            ]
            count += len(found)
            if count > TAGS or len(seen) >= PAGES:
                raise broken(self.host, what, f"there are more than {TAGS:,} tags, or {PAGES:,} pages of them")
            yield from found
            address = self.next_page(answer, seen, what)

    def next_page(self, answer: Answer, seen: set[str], what: str) -> str:
        """Where a list goes on, empty at its end; `seen` are the pages that were, and takes this one. Raises FAILED."""
        seen.add(answer.url)
        following = _NEXT.search(answer.headers.get("link", ""))
        if following is None:
            return ""
        link = str(following[1])
        try:
            address = urljoin(answer.url, link)
            fine = self.transport.is_own(address) and str(httpx.URL(address)) not in seen
        except ValueError:
            fine = False
        if not fine:
            raise broken(self.host, what, f"the next page is at {link[:200]!r}")
        return address

    def _ask_manifest(
        self, method: str, repository: str, reference: str, *, limit: int, unless: str = "", writes: bool = False
    ) -> tuple[Answer, str]:
        if not is_repository(repository) or not (is_tag(reference) or is_digest(reference)):
            raise DrydockError(Code.INVALID, f"Not an image's address: {repository[:100]!r}, {reference[:150]!r}.")
        joint = "@" if is_digest(reference) else ":"
        name, what = self.name_of(repository), f"{repository}{joint}{reference}"
        address = f"/v2/{name}/manifests/{reference}"
        ask = Ask(method, address, name, what, limit, MANIFEST_TYPES, unless=unless, writes=writes)
        return self.transport.read(ask), what

    def _blob(self, repository: str, digest: str, limit: int = 0) -> Ask:
        if not is_repository(repository) or not is_digest(digest):
            raise DrydockError(Code.INVALID, f"Not a blob's address: {repository[:100]}@{digest[:100]}.")
        name, what = self.name_of(repository), f"blob {repository}@{digest[:19]}"
        return Ask("GET", f"/v2/{name}/blobs/{digest}", name, what, limit)

    def name_of(self, repository: str) -> str:
        """The repository's name as the registry knows it: Docker Hub keeps `python` as `library/python`."""
        return f"library/{repository}" if self.host in DOCKER_HUB and "/" not in repository else repository

    def _expect(self, answer: Answer, what: str) -> None:
        if answer.status != 200:
            raise refusal(self.host, what, answer.status, answer.headers, answer.body)

    def _verify(self, body: bytes, digest: str, what: str) -> None:
        if (found := _digest_of(body, digest.partition(":")[0])) != digest:
            raise broken(self.host, what, f"its digest is {found[:19]}, not {digest[:19]}")


def own_url(host: str) -> str:
    """Where a registry answers when there is no mirror: https, and for Docker Hub its registry's own host."""
    return DOCKER_HUB_URL if host in DOCKER_HUB else f"https://{host}"


def mirror_of(host: str, mirrors: Mapping[str, str]) -> str:
    """The base URL given for this host, by its own name first, then by the first pattern that fits; empty for none.

    What stands for a registry of ECR does so whichever of its names is asked for.
    """
    known = ecr_host(host)
    names = dict.fromkeys((host, known.plain) if known else (host,))
    fitting = (url for name in names for pattern, url in mirrors.items() if fnmatchcase(name, pattern))
    return next((mirrors[name] for name in names if name in mirrors), "") or next(fitting, "")


def _without_login(url: str) -> str:
    """A mirror's address without the name and password in it, to be a key in Redis."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _reach(host: str) -> Reach:
    return Reach.AWS if ecr_host(host) else Reach.PUBLIC


def _media_type(answer: Answer) -> str:
    told = str(answer.headers.get("content-type", "")).partition(";")[0].strip()
    return "" if told in GENERIC_TYPES else told


def _digest_of(body: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
