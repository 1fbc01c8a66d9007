"""Requests to one registry: who asks is told to its own origin alone, redirects are followed, reads are repeated."""

import os
import ssl
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar

import httpx

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.registry.addresses import GuardedBackend, Reach, refuse_literal, within
from functions_app.registry.auth import Authorizer, Credentials, parse_challenges
from functions_app.registry.counting import one_more
from functions_app.registry.errors import broken, refusal, unreachable
from functions_app.registry.pace import Pace
from functions_app.registry.requests import Answer, Ask, Limits, Reply, origin, redirect_target, retry_after

ERROR_LIMIT = 64 * 1024  # bytes of a refusal that are read
REDIRECTS = 5
CONNECTIONS = httpx.Limits(max_connections=32, max_keepalive_connections=16)
_REDIRECTED = frozenset({301, 302, 303, 307, 308})
_SENT_ON = frozenset({307, 308})  # those that let a body be sent again; after the others it would be a GET

T = TypeVar("T")
Failure = tuple[DrydockError, float | None]
"""Why an answer is worth another attempt, and the seconds it asks to wait; None: it asks for nothing."""


class Transport:
    """The connections to one registry. Safe to use from many threads."""

    def __init__(
        self,
        host: str,
        base_url: str,
        credentials: Credentials | None,
        reach: Reach,
        limits: Limits,
        pause: Callable[[float], None],
        pace: Pace | None = None,
    ) -> None:
        """`pace`: that of all who ask this registry; None: this one goes by itself."""
        self.host, self.limits, self._pace = host, limits, pace
        self._base, self._reach, self._pause = base_url.rstrip("/"), reach, pause
        self._own = origin(self._base)
        self._http = guarded_client(limits, reach, self._own[1:])
        self._authorizer = Authorizer(self._base, credentials, self._fetch_token)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def is_own(self, url: str) -> bool:
        """Whether a URL is of the registry's own scheme, host and port. Raises ValueError for a malformed one."""
        return origin(url) == self._own

    def address(self, url: str, location: str) -> str:
        """Where an answer of that URL leads. Raises ValueError for no address, and one that must not be followed."""
        return redirect_target(self._base, url, location)

    def read(self, ask: Ask) -> Answer:
        """The whole answer to an ask that may be repeated, with retries. Raises DrydockError when there is none."""

        def once() -> Answer:
            with within(self.limits.whole), self.opened(ask) as reply:
                fine = reply.status == 200
                # A refusal's body only explains it: what is too long is cut there, and refused elsewhere.
                body = self._body(reply.chunks, ask.limit, ask.what) if fine else beginning(reply.chunks)
                return Answer(reply.status, reply.headers, body, reply.url)

        return self._repeated(ask, once)

    def _repeated(self, ask: Ask, once: Callable[[], Answer]) -> Answer:
        """Try again what brought no answer, 429 and 5xx, after the pause that was asked for."""
        ends = time.monotonic() + self.limits.in_all
        for attempt in range(self.limits.attempts):
            asked: float | None = None
            self.wait_for_turn(ask)
            try:
                answer = once()
            except (httpx.TransportError, DrydockError) as error:
                failure = self.failure(ask.what, error)
            else:
                found = self.refusal(ask.what, answer.status, answer.headers, answer.body)
                if found is None:
                    return answer
                failure, asked = found
            self.pause_or_raise(ask, attempt, asked, failure, ends)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def failure(self, what: str, error: httpx.TransportError | DrydockError) -> DrydockError:
        """The error to give up with when no further attempt helps; raises what none can help."""
        if isinstance(error, httpx.TransportError):
            return unreachable(self.host, what, error)
        if not error.problem.retryable:
            raise error
        return error

    def refusal(self, what: str, status: int, headers: httpx.Headers, body: bytes) -> Failure | None:
        """Why an answer is worth another attempt; None for one that stands."""
        if status != 429 and status < 500:
            return None
        asked = retry_after(headers.get("retry-after", ""), clock.now())
        return refusal(self.host, what, status, headers, body), asked

    def wait_for_turn(self, ask: Ask) -> None:
        """Wait until it is this request's turn among all who ask the registry. Raises THROTTLED for too long a wait."""
        if self._pace is None:
            return
        granted, wait = self._pace.turn(ask.kind, self.limits.longest_turn)
        if not granted:
            raise DrydockError(
                Code.THROTTLED,
                f"{self.host} has throttled us, and {ask.what} would have its turn in {wait:.0f} s only.",
                next_step="Try again later, or log in: the limits are higher then.",
                retryable=True,
                again_in=wait,
            )
        if wait:
            self._pause(wait)

    def pause_or_raise(self, ask: Ask, attempt: int, asked: float | None, failure: DrydockError, ends: float) -> None:
        """Pause before the next attempt; raise the failure instead where none is left or it would come too late."""
        throttled = failure.problem.code is Code.THROTTLED
        first = self.limits.throttled if throttled else self.limits.first_pause
        pause = first * 2**attempt if asked is None else asked
        if throttled and self._pace:
            self._pace.slow_down(ask.kind, pause)
        last = attempt >= self.limits.attempts - 1 or (asked or 0) > self.limits.longest_pause
        if last or time.monotonic() + pause > ends:
            raise failure
        self._pause(pause)

    @contextmanager
    def opened(self, ask: Ask) -> Iterator[Reply]:
        """An answer with its body still to be read: one attempt, and another with the login where that is asked for.

        Raises httpx.TransportError for no answer, DrydockError for what must not be followed.
        """
        url = ask.url if ask.url.startswith(("http://", "https://")) else self._base + ask.url
        scope = ask.scope
        said = b""
        with within(self.limits.whole) as renew:
            sent = self._authorizer.header(scope)
            response = self._follow(ask, url, sent, renew)
            # Whoever else answers, after a redirect, has no say in where our login is sent.
            refused = response.status_code in {401, 403} and self.is_own(str(response.url))
            if refused:
                with closing(response):
                    said = beginning(response.iter_raw())
                    again = self._learn(response, said, scope, sent)
                if again:
                    refused = False
                    response = self._follow(ask, url, self._authorizer.header(scope), renew)
        with closing(response):
            chunks = iter((said,)) if refused else response.iter_raw()
            yield Reply(response.status_code, response.headers, str(response.url), chunks)

    def _learn(self, response: httpx.Response, said: bytes, scope: str, sent: str) -> bool:
        if response.status_code == 401:
            return self._authorizer.learn(parse_challenges(response.headers.get_list("www-authenticate")), scope, sent)
        # ECR says 403 to a login that has run out, as to one that may not read; to HEAD it does not say which.
        return (not said or b"token has expired" in said) and self._authorizer.renew(sent)

    def _follow(self, ask: Ask, url: str, authorization: str, renew: Callable[[], None]) -> httpx.Response:
        """Send, and follow redirects. The Authorization goes to the registry's own origin alone, never further."""
        for _ in range(REDIRECTS + 1):
            trusted = authorization and self.is_own(url)
            headers = {**ask.headers, "Authorization": authorization} if trusted else ask.headers
            with closing(_getting_on(ask.body(), renew)) if ask.body else nullcontext() as body:
                response = self._send(ask.method, url, headers, content=body)
            if response.status_code not in (_REDIRECTED if ask.body is None else _SENT_ON):
                return response
            with closing(response):
                beginning(response.iter_raw())  # to its end, so that the connection can be used again
            try:
                url = self.address(url, str(response.headers.get("location", "")))
            except ValueError as error:
                raise broken(self.host, ask.what, str(error)) from error
        raise broken(self.host, ask.what, "it redirects without end")

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
        content: Iterator[bytes] | None = None,
    ) -> httpx.Response:
        if not self.is_own(url):
            refuse_literal(httpx.URL(url), self._reach)
        one_more()
        data = dict(form) if form else None
        request = self._http.build_request(method, url, headers=dict(headers), data=data, content=content)
        return self._http.send(request, stream=True)

    def _body(self, chunks: Iterable[bytes], limit: int, what: str) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > limit:
                raise broken(self.host, what, f"it is larger than {limit:,} bytes")
        return bytes(body)

    def _fetch_token(
        self, realm: str, query: Mapping[str, str], authorization: str, form: Mapping[str, str] | None
    ) -> bytes:
        what = f"token for {query['scope']}"
        # By address each scope has a parameter of its own; a form names them in one, as OAuth does.
        scopes = {**query, "scope": query["scope"].split()}
        url = realm if form else str(httpx.URL(realm).copy_merge_params(scopes))
        headers = {"Authorization": authorization} if authorization else {}
        place = httpx.URL(realm).host
        try:
            with closing(self._send("POST" if form else "GET", url, headers, form)) as response:
                if response.status_code == 200:
                    return self._body(response.iter_raw(), ERROR_LIMIT, what)
                said = beginning(response.iter_raw())
        except httpx.TransportError as error:
            raise unreachable(place, what, error) from error
        raise refusal(place, what, response.status_code, response.headers, said)


def _getting_on(body: Generator[bytes], renew: Callable[[], None]) -> Generator[bytes]:
    """The pieces, each of which has the whole time to itself; and so has the answer after the last."""
    with closing(body):
        for piece in body:
            renew()
            yield piece
    renew()


def beginning(chunks: Iterable[bytes]) -> bytes:
    """As much of a body as an error needs."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > ERROR_LIMIT:
            break
    return bytes(body)


def guarded_client(limits: Limits, reach: Reach, own: tuple[str, int]) -> httpx.Client:
    """Connections that lead nowhere they must not; `own` (host, port) was named by who runs Drydock."""
    # Bodies are wanted as they were hashed, hence no compression; redirects are followed here, by our own rule.
    http = httpx.Client(
        verify=_authorities(),
        timeout=httpx.Timeout(limits.silence, connect=limits.connect),
        follow_redirects=False,
        headers={"User-Agent": "drydock", "Accept-Encoding": "identity"},
        limits=CONNECTIONS,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # none: one could follow a redirect to a sibling
    )
    # httpx has no public way to hand httpcore's connection pools their backend, and knows best which proxy is whose.
    for transport, proxied in ((http._transport, False), *((each, True) for each in http._mounts.values())):
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = GuardedBackend(reach, own, proxied=proxied)
    return http


def _authorities() -> ssl.SSLContext:
    """Whom registries' certificates are believed by: what the environment names counts anew as soon as it changes."""
    file = os.environ.get("SSL_CERT_FILE", "")
    return _read_authorities(file, os.environ.get("SSL_CERT_DIR", ""), os.stat(file).st_mtime_ns if file else 0)


@lru_cache(maxsize=2)
def _read_authorities(_file: str, _folder: str, _changed: int) -> ssl.SSLContext:
    return httpx.create_ssl_context()  # of all of them: 23 ms, as often as a registry is asked
