"""The one kind of error people and bots see: a plain cause, AWS's own code and request id, what to do next."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from functions_app.domain.redaction import redact
from functions_app.domain.text import line, storable

LENGTH = 4000  # characters of each of its texts that are kept of a problem


class Code(StrEnum):
    """What went wrong, in Drydock's words."""

    INVALID = "invalid"  # the request itself is malformed
    PREFLIGHT = "preflight"  # well-formed, but a check made before the change forbids it
    NOT_FOUND = "not_found"
    DENIED = "denied"  # AWS or a registry refuses these credentials
    CHANGED = "changed"  # somebody else changed it meanwhile (RevisionId, 412)
    AMBIGUOUS = "ambiguous"  # several are called so (409)
    BUSY = "busy"  # another change is in progress (409)
    EXPIRED = "expired"  # the plan is too old
    THROTTLED = "throttled"
    OVERLOADED = "overloaded"  # Drydock itself has no room for it at this moment
    UNAVAILABLE = "unavailable"  # Drydock's own database is locked, full or away
    UNREACHABLE = "unreachable"  # no answer: network, DNS, time-out, 5xx
    FAILED = "failed"  # AWS carried it out and it failed
    UNKNOWN_OUTCOME = "unknown_outcome"  # it may or may not have happened: look before you repeat it

    @property
    def heading(self) -> str:
        """The few words above a problem."""
        return _DOORS[self][0]

    @property
    def http_status(self) -> int:
        """How every door answers it."""
        return _DOORS[self][1]


_DOORS = {
    Code.INVALID: ("Not accepted", 400),
    Code.PREFLIGHT: ("A check forbids it", 422),
    Code.NOT_FOUND: ("Not found", 404),
    Code.DENIED: ("Not allowed", 403),
    Code.CHANGED: ("Somebody else changed it meanwhile", 412),
    Code.AMBIGUOUS: ("Several are called so", 409),
    Code.BUSY: ("Another change is in progress", 409),
    Code.EXPIRED: ("The plan is too old", 410),
    Code.THROTTLED: ("AWS asks to slow down", 429),
    Code.OVERLOADED: ("Too many at once", 503),
    Code.UNAVAILABLE: ("The database can't be used now", 503),
    Code.UNREACHABLE: ("No answer", 502),
    Code.FAILED: ("It failed", 502),
    Code.UNKNOWN_OUTCOME: ("It is not known whether it happened", 502),
}


def details(status: int, title: str, detail: str, next_step: str = "", **facts: Any) -> dict[str, Any]:
    """A problem as machines are answered it (RFC 9457)."""
    told = {"type": "about:blank", "title": title, "status": status, "detail": detail, "next_step": next_step}
    known = {"code": "invalid", "aws_code": "", "request_id": "", "retryable": False}
    return {**told, "text": line(f"{title}: {detail}"), **known, **facts}


@dataclass(frozen=True)
class Problem:
    """An error as stored with a run or a scope, and as shown."""

    code: Code
    message: str
    next_step: str = ""
    aws_code: str = ""
    request_id: str = ""
    retryable: bool = False

    @property
    def cause(self) -> str:
        """The first sentence, with its end: what is the same for all that failed for one reason."""
        first, more, _ = self.message.partition(". ")
        return f"{first}." if more else first

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON column, without credentials; `from_json` reads them back."""
        texts = ("message", "next_step", "aws_code", "request_id")
        return asdict(self) | {name: storable(redact(getattr(self, name)), LENGTH) for name in texts}

    @property
    def details(self) -> dict[str, Any]:
        """What machines are answered."""
        facts = {name: getattr(self, name) for name in ("aws_code", "request_id", "retryable")}
        return details(self.code.http_status, self.code.heading, self.message, self.next_step, code=self.code, **facts)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Problem":
        """Read what `as_json` wrote."""
        return cls(**{**value, "code": Code(value["code"])})


class DrydockError(Exception):
    """Raised for everything that is expected to go wrong; carries the Problem.

    What others said in it is storable and without secrets: it is answered at once, at any door. `again_in`: seconds
    after which the same may go better, where that is known. `about`: the field that it is about, beside which a form
    says it.
    """

    about = ""

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        next_step: str = "",
        aws_code: str = "",
        request_id: str = "",
        retryable: bool = False,
        again_in: float = 0.0,
    ) -> None:
        self.again_in = again_in
        # Cut twice: of a secret at the first end too little could be left to be known as one.
        message = storable(redact(storable(message, 2 * LENGTH)), LENGTH)
        super().__init__(message)
        self.problem = Problem(code, message, redact(next_step), storable(aws_code), storable(request_id), retryable)


@contextmanager
def about(field: str) -> Iterator[None]:
    """What is raised within is about this field, unless something further in has named another."""
    try:
        yield
    except DrydockError as error:
        error.about = error.about or field
        raise
