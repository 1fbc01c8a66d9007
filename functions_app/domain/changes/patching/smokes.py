"""A smoke test: one call of a new version before any traffic reaches it, and what its answer must be. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from jsonpath import JSONPathError, compile as compile_path  # isort: skip

from functions_app.domain.changes.invocations import Mode, check_payload, check_tenant
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import NOT_KEPT, holds_secret

PAYLOAD_BYTES = 16 * 1024  # of a kept payload: enough for an event, and no place for data
PATH_LENGTH, VALUE_LENGTH = 200, 1000
LONGEST_S = 900
_ENDLESS = re.compile(r"[?,|&]")
SHOWN = 300  # characters of what was found instead


@dataclass(frozen=True)
class Smoke:
    """What is called with, and what is expected: no FunctionError in any case.

    `status`: the member statusCode of the answer, 0 for any. `path`: a JSONPath (RFC 9535) that must find something,
    where `value` (JSON) is not '' something equal to it. `limit_s`: how long the answer may take.
    """

    payload: str = "{}"
    status: int = 0
    path: str = ""
    value: str = ""
    limit_s: int = 30
    tenant: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Smoke":
        """Read what `as_json` wrote."""
        return cls(**value)

    @property
    def expects(self) -> str:
        """What must be so, in words."""
        parts = ["no function error", f"within {self.limit_s} s"]
        if self.status:
            parts.append(f"statusCode {self.status}")
        if self.path:
            parts.append(f"{self.path} is {self.value}" if self.value else f"{self.path} is there")
        return ", ".join(parts)


def check_smoke(smoke: Smoke) -> Smoke:
    """The same, where it can be kept and carried out. Raises INVALID, saying which part can't."""
    payload = check_payload(smoke.payload, Mode.SYNC)
    if not payload.ok:
        raise _wrong(payload.text)
    if payload.size_bytes > PAYLOAD_BYTES:
        raise _wrong(f"The payload has {payload.size_bytes:,} bytes; {PAYLOAD_BYTES:,} are kept at most.")
    if holds_secret(smoke.payload) or holds_secret(smoke.value):
        raise _wrong(f"The smoke test: {NOT_KEPT}")
    if smoke.status and not 100 <= smoke.status <= 599:
        raise _wrong("The status is a number from 100 to 599, or empty.")
    if not 1 <= smoke.limit_s <= LONGEST_S:
        raise _wrong(f"The answer may take 1 to {LONGEST_S} s.")
    check_tenant(smoke.tenant)
    if smoke.path:
        _compiled(smoke.path)
    if smoke.value and not smoke.path:
        raise _wrong("A value needs a path that finds it.")
    if smoke.value:
        _json(smoke.value)
    return smoke


def failure(smoke: Smoke, answer: bytes, function_error: str) -> str:
    """What is wrong with an answer, as a sentence; '' where it is as expected."""
    if function_error:
        return f"The function failed ({function_error})."
    if not smoke.status and not smoke.path:
        return ""
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        return "Its answer is not JSON."
    if smoke.status:
        found = told.get("statusCode") if isinstance(told, dict) else None
        if found != smoke.status:
            return f"Its statusCode is {_shown(found)}, expected was {smoke.status}."
    return _not_found(smoke, told) if smoke.path else ""


def _not_found(smoke: Smoke, told: Any) -> str:
    try:
        values, wanted = _compiled(smoke.path).findall(told), _json(smoke.value or "null")
        found = not smoke.value or any(_equal(wanted, value) for value in values)
    except (JSONPathError, RecursionError) as error:
        return f"{smoke.path} could not be looked for: {type(error).__name__}."
    if not values:
        return f"Its answer has nothing at {smoke.path}."
    return "" if found else f"At {smoke.path} is {_shown(values[0])}, expected was {smoke.value}."


def _equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are: 1 and 1.0 are, 1 and true are not, which Python takes for the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _compiled(path: str) -> Any:
    """A path of names, indexes and wildcards, which finds each value once: what finds it again at each step of many
    (`..`, lists, unions), and filters, could be made to take for ever.
    """
    if len(path) > PATH_LENGTH or _ENDLESS.search(path) or path.count("..") > 1:
        raise _wrong(f"The path has at most {PATH_LENGTH} characters, one “..”, and no filters, lists or unions.")
    try:
        return compile_path(path)
    except JSONPathError as error:
        raise _wrong(f"{path!r} is no JSONPath: {error}.") from error


def _json(text: str) -> Any:
    if len(text) > VALUE_LENGTH:
        raise _wrong(f"The value has at most {VALUE_LENGTH} characters.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(f'The value {text[:60]!r} is no JSON: a text stands in quotes, "ok".') from error


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[:SHOWN] + " ..."


def _wrong(text: str) -> DrydockError:
    return DrydockError(Code.INVALID, text, next_step="Correct it; nothing was changed.")
