"""How a registry is told who asks: Basic as ECR wants it, or a bearer token that is fetched and kept until it expires.

Sources: RFC 9110 section 11 (challenges), distribution's token authentication specification, ECR's user guide
("Private registry authentication": Basic, user AWS).
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.json_fields import read_object, read_text
from functions_app.domain.logins import Login as Login

_CHALLENGE = re.compile(r'(?P<scheme>[A-Za-z]+)(?:\s+(?P<fields>(?:\w+=(?:"(?:[^"\\]|\\.)*"|[^\s,"]+)\s*,?\s*)+))?')
_FIELD = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
SHORTEST_LIFE = 60  # seconds; the specification's default where a token tells none
EARLY = 10  # seconds before its end that a token is no longer used


@dataclass(frozen=True)
class Challenge:
    """One way a registry offers to be told who asks; the scheme in lower case."""

    scheme: str
    parameters: Mapping[str, str]


# Fetches a token: address, query, Authorization (empty for none) -> the answer's body. Raises DrydockError.
FetchToken = Callable[[str, Mapping[str, str], str], bytes]


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

    def __init__(self, base_url: str, login: Login | None, fetch: FetchToken) -> None:
        self._plain_http = base_url.startswith("http://")
        self._login = login
        self._fetch = fetch
        self._basic = login.header if login else ""
        self._tokens: dict[str, tuple[str, float]] = {}

    def header(self, scope: str) -> str:
        """The Authorization to send for a scope, as far as it is known; empty for none."""
        token, ends = self._tokens.get(scope, ("", 0.0))
        return token if time.monotonic() < ends else self._basic

    def learn(self, challenges: Iterable[Challenge], scope: str, sent: str) -> bool:
        """Prepare for another try after a 401; False when nothing better than what was sent can be offered.

        Raises DrydockError when a token cannot be fetched.
        """
        offered = {challenge.scheme: challenge for challenge in challenges}
        if "bearer" in offered and not sent.startswith("Bearer "):
            self._tokens[scope] = self._token(offered["bearer"], scope)
            return True
        self._tokens.pop(scope, None)
        if "bearer" in offered:
            self._tokens[scope] = self._token(offered["bearer"], scope)
            return self._tokens[scope][0] != sent
        if "basic" in offered and not sent:
            self._basic = Login("", "").header  # a registry that only wants to see the form kept
            return True
        return False

    def _token(self, challenge: Challenge, scope: str) -> tuple[str, float]:
        realm = challenge.parameters.get("realm", "")
        if urlsplit(realm).scheme not in ({"https", "http"} if self._plain_http else {"https"}):
            raise DrydockError(
                Code.DENIED, f"The registry sends us for a token to {realm[:200]!r}, which is not https."
            )
        query = {"scope": scope}
        if service := challenge.parameters.get("service"):
            query["service"] = service
        answer = read_object(self._fetch(realm, query, self._login.header if self._login else ""), "token answer")
        token = read_text(answer.get("token")) or read_text(answer.get("access_token"))
        if not token:
            raise DrydockError(Code.DENIED, f"{urlsplit(realm).netloc} gave no token for {scope}.")
        lasts = answer.get("expires_in")
        life = max(SHORTEST_LIFE, lasts) if isinstance(lasts, int | float) else SHORTEST_LIFE
        return f"Bearer {token}", time.monotonic() + life - EARLY
