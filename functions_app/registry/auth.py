"""How a registry is told who asks: Basic as ECR wants it, or a bearer token that is fetched and kept until it expires.

Sources: RFC 9110 section 11 (challenges), distribution's token authentication specification, ECR's user guide
("Private registry authentication": Basic, user AWS).
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.registry_login import Login
from functions_app.domain.json_fields import read_object, read_text

_CHALLENGE = re.compile(r'(?P<scheme>[A-Za-z]+)(?:\s+(?P<fields>(?:\w+=(?:"(?:[^"\\]|\\.)*"|[^\s,"]+)\s*,?\s*)+))?')
_FIELD = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_TOKEN = re.compile(r"[!-~]+")
LONGEST_LIFE = 24 * 3600  # seconds that a token is believed to last
SHORTEST_LIFE = 60  # seconds; the specification's default where a token tells none
EARLY = 10  # seconds before its end that a token is no longer used


@dataclass(frozen=True)
class Challenge:
    """One way a registry offers to be told who asks; the scheme in lower case."""

    scheme: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class IdentityToken:
    """What some registries give instead of a password: it is exchanged for tokens (OAuth 2.0 refresh token)."""

    value: str = field(repr=False)


class RenewedLogin(Protocol):
    """Gives a login that runs out, such as ECR's; kept by whoever fetches it."""

    def __call__(self, refused: Login | None = None) -> Login:
        """The login to use now; `refused` is one that the registry no longer takes. Raises DrydockError."""


Credentials = Login | IdentityToken | RenewedLogin

# Fetches a token: address, query, Authorization (empty for none), form to post instead of the query (None: get) -> the
# answer's body. Raises DrydockError.
FetchToken = Callable[[str, Mapping[str, str], str, Mapping[str, str] | None], bytes]


def parse_challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """Read the WWW-Authenticate headers of an answer; what cannot be read is left out."""
    found = []
    for value in values:
        for match in _CHALLENGE.finditer(value):
            fields = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(match["fields"] or "")}
            found.append(Challenge(match["scheme"].lower(), fields))
    return tuple(found)


class Authorizer:
    """Knows what to send with a request to one registry; learns it from the registry's challenges."""

    def __init__(self, base_url: str, credentials: Credentials | None, fetch: FetchToken) -> None:
        self._plain_http = base_url.startswith("http://")
        self._credentials = credentials
        self._fetch = fetch
        self._empty = ""  # empty credentials, for a registry that only wants to see the form kept
        self._tokens: dict[str, tuple[str, float]] = {}

    def header(self, scope: str) -> str:
        """The Authorization to send for a scope, as far as it is known; empty for none."""
        token, ends = self._tokens.get(scope, ("", 0.0))
        return token if time.monotonic() < ends else self._basic()

    def _basic(self) -> str:
        login = self._login()
        return login.header if login else self._empty

    def _login(self) -> Login | None:
        if self._credentials is None or isinstance(self._credentials, Login | IdentityToken):
            return self._credentials if isinstance(self._credentials, Login) else None
        return self._credentials()

    def learn(self, challenges: Iterable[Challenge], scope: str, sent: str) -> bool:
        """Prepare for another try after a 401; False when nothing better than what was sent can be offered.

        Raises DrydockError when a token cannot be fetched.
        """
        offered = {challenge.scheme: challenge for challenge in challenges}
        if "bearer" in offered:
            token, ends = self._tokens.get(scope, ("", 0.0))
            if token in {"", sent} or time.monotonic() >= ends:  # else another thread has just fetched one
                self._tokens[scope] = self._token(offered["bearer"], scope)
            return self._tokens[scope][0] != sent
        self._tokens.pop(scope, None)
        if "basic" in offered and self._credentials is None and not sent:
            self._empty = Login("", "").header
            return True
        return "basic" in offered and self.renew(sent)

    def renew(self, sent: str) -> bool:
        """Fetch a new login in place of the one sent; False where there is none to be had."""
        if self._credentials is None or isinstance(self._credentials, Login | IdentityToken) or not sent:
            return False
        login = self._credentials()
        if login.header == sent:  # nobody else has renewed it meanwhile
            login = self._credentials(login)
        return login.header != sent

    def _token(self, challenge: Challenge, scope: str) -> tuple[str, float]:
        realm = challenge.parameters.get("realm", "")
        place = self._check_realm(realm)
        query = {"scope": scope}
        if service := challenge.parameters.get("service"):
            query["service"] = service
        form, login = None, None
        if isinstance(self._credentials, IdentityToken):
            # https://distribution.github.io/distribution/spec/auth/oauth/
            grant = {"grant_type": "refresh_token", "refresh_token": self._credentials.value, "client_id": "drydock"}
            form = {**query, **grant}
        else:
            login = self._login()
        answer = read_object(self._fetch(realm, query, login.header if login else "", form), "token answer")
        token = read_text(answer.get("token")) or read_text(answer.get("access_token"))
        if not _TOKEN.fullmatch(token):
            raise DrydockError(Code.DENIED, f"{place} gave no usable token for {scope}.")
        lasts = answer.get("expires_in")
        life = min(max(SHORTEST_LIFE, lasts), LONGEST_LIFE) if isinstance(lasts, int | float) else SHORTEST_LIFE
        return f"Bearer {token}", time.monotonic() + life - EARLY

    def _check_realm(self, realm: str) -> str:
        """The host that gives tokens. Raises DENIED for an address that nobody should be sent to with a login."""
        try:
            url = httpx.URL(realm)
        except httpx.InvalidURL:
            url = httpx.URL("")
        if not url.host or url.scheme not in ({"https", "http"} if self._plain_http else {"https"}):
            raise DrydockError(
                Code.DENIED, f"The registry sends us for a token to {realm[:200]!r}, which is not https."
            )
        return url.netloc.decode("ascii", "replace")
