"""Drydock over HTTP: what is asked is asked again where that is safe, and what goes wrong is told in one line.

A change is sent with an Idempotency-Key, the same however often: Drydock carries it out once.
"""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from drydock_cli import VERSION
from drydock_cli.configuration import Configuration
from drydock_cli.failures import Document, ExitCode, Failure, of_problem, of_status

API = "/api/v1"
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before the second try and each after it: a server restarts in less
LONGEST_PAUSE = 60.0  # seconds that Retry-After may ask for
TIMEOUTS = httpx.Timeout(60.0, connect=10.0)  # plans wait for AWS
STREAMED = httpx.Timeout(45.0, connect=10.0)  # without a byte: three of the server's signs of life
Tell = Callable[[str], None]
Query = Mapping[str, str | list[str]]


class Server:
    """One Drydock, asked as one token."""

    def __init__(self, configuration: Configuration, tell: Tell, pause: Callable[[float], None] = time.sleep) -> None:
        self._tell, self.pause = tell, pause
        self.address = str(configuration.url)
        self._http = _client(configuration)

    def get(self, path: str, query: Query | None = None) -> Document:
        """What an address of the API answers."""
        return _document(self._ask("GET", path, params=query))

    def post(self, path: str, body: Document, *, key: str = "", query: Query | None = None) -> Document:
        """Change something, once. `key`: what the caller calls this change, where it may ask for it anew."""
        if not (key.isascii() and key.isprintable()):
            raise Failure(ExitCode.USAGE, "invalid", "A key has letters, digits and signs of ASCII alone.")
        headers = {"Idempotency-Key": key or uuid4().hex, "Content-Type": "application/json"}
        return _document(self._ask("POST", path, params=query, content=json.dumps(body), headers=headers))

    @contextmanager
    def stream(self, path: str, after: int) -> Iterator[Iterator[bytes]]:
        """The bytes of a stream of events, after the one of this number. What breaks within raises TransportError."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
        response = self._ask("GET", path, stream=True, headers=headers, timeout=STREAMED)
        try:
            yield response.iter_bytes()
        finally:
            response.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _ask(self, method: str, path: str, *, stream: bool = False, **more: Any) -> httpx.Response:
        """The answer, once it is a success. Raises Failure."""
        for pause in (*PAUSES, None):
            try:
                response = self._http.send(self._http.build_request(method, path, **more), stream=stream)
                if response.is_success:
                    return response
                response.read()
            except httpx.TransportError as error:
                failure, wait = unreachable(self.address, error), None if untrusted(error) else pause
            else:
                failure, wait = refusal(response), _again_in(response, pause)
            if wait is None or pause is None:
                raise failure
            self._tell(f"{failure.line} Trying again in {wait:g} s.")
            self.pause(wait)
        raise AssertionError("the last pause is none")


def _client(configuration: Configuration) -> httpx.Client:
    headers = {"Authorization": f"Bearer {configuration.token}", "Accept": "application/json"}
    try:
        return httpx.Client(
            base_url=f"{configuration.url}{API}",
            headers={**headers, "User-Agent": f"drydock-cli/{VERSION}"},
            timeout=TIMEOUTS,
            follow_redirects=False,  # the token is for this address
            trust_env=configuration.encrypted,  # a proxy would read what is not encrypted
        )
    except (ValueError, OSError) as error:  # of what the environment says
        told = f"What the environment says of proxies or certificates can't be used: {error}."
        raise Failure(ExitCode.USAGE, "configuration", told, "Look at HTTPS_PROXY and SSL_CERT_FILE.") from error


def segment(name: str) -> str:
    """A name as a part of an address."""
    return quote(name, safe=":$")


def unreachable(address: str, error: httpx.TransportError) -> Failure:
    """Nobody answered."""
    return Failure(
        ExitCode.UNREACHABLE,
        "unreachable",
        f"{address} gives no answer ({type(error).__name__}: {error or 'nothing said'}).",
        "Its certificate is not trusted: SSL_CERT_FILE names those that are." if untrusted(error) else "",
    )


def untrusted(error: BaseException) -> bool:
    """Whether it is about the server's certificate: the next try would end alike."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def refusal(response: httpx.Response) -> Failure:
    """What an answer says that is no success."""
    request = response.headers.get("X-Request-Id", "")
    if response.is_redirect:
        told = f"{response.url.copy_with(query=None)} leads on to {response.headers.get('Location', 'nowhere')}."
        return Failure(ExitCode.USAGE, "redirected", told, "If that is Drydock's address: drydock login it.")
    if _is_problem(response):
        return of_problem(response.status_code, _json(response), request)
    return of_status(response.status_code, response.reason_phrase, request)


def _again_in(response: httpx.Response, pause: float | None) -> float | None:
    """The seconds to wait before the same may be asked again; None where that would help nothing."""
    asked = response.headers.get("Retry-After", "")
    if asked:
        seconds = float(asked) if asked.isascii() and asked.isdigit() else _seconds_until(asked)
        return seconds if seconds is not None and seconds <= LONGEST_PAUSE else None
    passing = (429, 503) if _is_problem(response) else (429, 502, 503, 504)  # 502 and 504: a proxy that finds nobody
    return pause if response.status_code in passing else None


def _is_problem(response: httpx.Response) -> bool:
    return bool(response.headers.get("Content-Type", "").startswith("application/problem+json"))


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())  # noqa: TID251 - nothing of the product
    except ValueError:
        return None


def _document(response: httpx.Response) -> Document:
    if "text" not in (found := _json(response)):  # every answer has it
        told = f"What answers at {response.url.copy_with(query=None)} is not Drydock."
        raise Failure(ExitCode.UNREACHABLE, "no_answer_of_drydock", told, "Look at the address: DRYDOCK_URL.")
    return found


def _json(response: httpx.Response) -> Document:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
