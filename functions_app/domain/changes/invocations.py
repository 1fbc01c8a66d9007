"""What may be sent to a function, and what its answer means. Limits: aws-facts, Quotas."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NoReturn
from uuid import UUID, uuid4, uuid5

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST, Features, FunctionPlace
from functions_app.domain.text import storable, storable_json

_TENANT = re.compile(r"[a-zA-Z0-9._:/=+\-@ ]{1,256}")  # Invoke, parameter TenantId
SHOWN_BYTES = 64 * 1024  # of a payload, on the run's page
SYNC_LIMIT = 6 * 1024 * 1024
ASYNC_LIMIT = 1024 * 1024
FORM_LIFE = 86_400  # seconds; a form's plan, by which a second sending is known, is kept longer, whatever the settings
_FORMS = UUID("c5d1f8a6-3f0e-4c7b-9a43-7f1d3ce5b2d0")
_SPACE = " \t\r\n"  # what may stand around a JSON value (RFC 8259): other white space is sent as typed


class Mode(StrEnum):
    """How Invoke is called: InvocationType RequestResponse, Event, DryRun."""

    SYNC = "sync"
    ASYNC = "async"
    DRY_RUN = "dry_run"

    @property
    def limit_bytes(self) -> int:
        """The largest payload Lambda takes this way."""
        return ASYNC_LIMIT if self is Mode.ASYNC else SYNC_LIMIT


@dataclass(frozen=True)
class PayloadCheck:
    """Whether a text can be sent as payload. Line and column count from 1; 0 where no place is to blame."""

    ok: bool
    text: str
    line: int = 0
    column: int = 0
    size_bytes: int = 0
    sha256: str = ""


def check_payload(payload: str, mode: Mode) -> PayloadCheck:
    """Check a payload as typed: JSON (RFC 8259) within the mode's size. Nothing typed is sent as {}."""
    data = payload_bytes(payload)
    size, sha256 = len(data), hashlib.sha256(data).hexdigest()
    if size > mode.limit_bytes:
        limit = mode.limit_bytes // (1024 * 1024)
        way = "an asynchronous" if mode is Mode.ASYNC else "a synchronous"
        text = f"The payload has {size:,} bytes; {way} invocation takes at most {limit} MB."
        return PayloadCheck(False, text, size_bytes=size, sha256=sha256)
    try:
        # Numbers stay text: Python would refuse integers of thousands of digits, which are JSON.
        json.loads(
            payload if payload.strip(_SPACE) else "{}", parse_constant=_no_constant, parse_int=str, parse_float=str
        )
    except json.JSONDecodeError as error:
        text = f"Not JSON: {_plain(error.msg)} at line {error.lineno}, column {error.colno}."
        return PayloadCheck(False, text, error.lineno, error.colno, size, sha256)
    except (_ConstantError, RecursionError) as error:
        return PayloadCheck(False, f"Not JSON that Lambda takes: {_reason(error)}.", size_bytes=size, sha256=sha256)
    note = "Nothing typed: {} is sent." if not payload.strip(_SPACE) else f"Valid JSON, {size:,} bytes."
    return PayloadCheck(True, note, size_bytes=size, sha256=sha256)


def identity(once: str, payload: str, *sent: str) -> UUID:
    """Of one form with one content, however often it arrives: the same; without the form's `once` a new one."""
    sha256 = hashlib.sha256(payload_bytes(payload)).hexdigest()
    return uuid5(_FORMS, json.dumps([once, sha256, *sent])) if once else uuid4()


def new_once(now: datetime) -> str:
    """What tells a form from every other, and when it was opened."""
    return f"{int(now.timestamp())}-{uuid4()}"


def refuse_old(once: str, now: datetime) -> None:
    """Raises EXPIRED for a form of more than FORM_LIFE: what it made may have been tidied away, and be made again."""
    opened = once.partition("-")[0]
    if once and not (opened.isdecimal() and len(opened) < 12 and now.timestamp() - int(opened) <= FORM_LIFE):
        raise DrydockError(
            Code.EXPIRED,
            "This form was opened more than a day ago, and may have been sent since. Nothing was sent now.",
            next_step="Look whether it made a run (Runs); if it is to run once more, send the form as it is now.",
        )


def payload_bytes(payload: str) -> bytes:
    """The bytes that are sent for a payload as typed."""
    # A lone surrogate can't be encoded; "replace" keeps the check from failing on what no browser sends.
    return payload.strip(_SPACE).encode("utf-8", "replace") or b"{}"


class _ConstantError(Exception):
    """NaN or Infinity, which Python reads and JSON does not have."""


def _no_constant(name: str) -> NoReturn:
    raise _ConstantError(f"{name} is not a JSON value")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error)


def _plain(message: str) -> str:
    """Python's message, as the rest of a sentence."""
    words = message[:1].lower() + message[1:]
    return words.replace("expecting property name enclosed in double quotes", "expecting a name in double quotes")


def check_tenant(text: str) -> str:
    """A tenant's id, trimmed; '' where none was given. Raises INVALID where Lambda would refuse it."""
    tenant = text.strip()
    if tenant and not _TENANT.fullmatch(tenant):
        raise DrydockError(
            Code.INVALID,
            f"{tenant[:80]!r} can't be the id of a tenant.",
            next_step="Use 1 to 256 letters, digits, spaces and . _ : / = + - @.",
        )
    return tenant


def refuse_call(features: Features, name: str, qualifier: str, tenant: str) -> None:
    """Raise PREFLIGHT for a call that such a function never takes."""
    if features.tenant_isolation and not tenant:
        raise DrydockError(
            Code.PREFLIGHT,
            f"{name} keeps its tenants apart: a call has to name its tenant. Nothing was sent.",
            next_step="Type the tenant's id and invoke again.",
        )
    if tenant and not features.tenant_isolation:
        raise DrydockError(
            Code.PREFLIGHT,
            f"{name} is not tenant-isolated, and takes no tenant's id. Nothing was sent.",
            next_step="Leave the tenant's id empty.",
        )
    if features.capacity_provider and qualifier == LATEST:
        raise DrydockError(
            Code.PREFLIGHT,
            f"{name} runs on Managed Instances, where {LATEST} takes no calls. Nothing was sent.",
            next_step="Choose an alias or a version that was published.",
        )


def parse_mode(text: str) -> Mode:
    """Read the mode from a form. Raises INVALID."""
    try:
        return Mode(text)
    except ValueError:
        raise DrydockError(Code.INVALID, f"Unknown way to invoke: {text!r}. Choose sync, async or dry_run.") from None


@dataclass(frozen=True)
class InvocationPlan:
    """What is invoked, and how; of the payload only its size and its hash."""

    place: FunctionPlace
    qualifier: str
    mode: Mode
    size_bytes: int
    sha256: str
    tenant: str = ""  # of a tenant-isolated function

    def as_json(self) -> dict[str, Any]:
        """Plain values for the plan's body."""
        own = {"qualifier": self.qualifier, "mode": self.mode.value, "bytes": self.size_bytes, "sha256": self.sha256}
        own["tenant"] = self.tenant
        return {**own, "place": asdict(self.place)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "InvocationPlan":
        """Read what `as_json` wrote; other keys are left aside."""
        place, mode = FunctionPlace(**value["place"]), Mode(value["mode"])
        return cls(place, value["qualifier"], mode, value["bytes"], value["sha256"], value.get("tenant", ""))

    @property
    def title(self) -> str:
        """What it does, in one line."""
        words = {Mode.SYNC: "Invoke", Mode.ASYNC: "Invoke asynchronously", Mode.DRY_RUN: "Dry-run"}
        tenant = f" for tenant {self.tenant}" if self.tenant else ""
        return f"{words[self.mode]} {self.place.name}:{self.qualifier}{tenant}"


@dataclass(frozen=True)
class FunctionFailure:
    """The error a function ended with, from the payload of an answer with FunctionError."""

    type: str
    message: str
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.type else self.message


# Characters of a failure that are read: Lambda takes an answer of 6 MB. More than is kept once secrets are taken out.
MESSAGE_LENGTH, TYPE_LENGTH = 8_000, 300
TRACE_LINES = 200


def parse_failure(payload: bytes, kind: str) -> FunctionFailure:
    """Read errorType, errorMessage and the trace; `kind` is FunctionError (Unhandled, Handled)."""
    try:
        return _failure(json.loads(payload), kind)
    except (ValueError, RecursionError):
        return FunctionFailure("", storable(f"{kind}: {payload[:500].decode('utf-8', 'replace')}"))


def _failure(value: Any, kind: str) -> FunctionFailure:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    trace = value.get("stackTrace") or value.get("trace") or ()
    frames = trace if isinstance(trace, list) else [trace] if trace else []
    lines = [storable(_frame(frame), MESSAGE_LENGTH) for frame in frames[:TRACE_LINES]]
    if len(frames) > TRACE_LINES:
        lines.append(f"… and {len(frames) - TRACE_LINES:,} more lines")
    told = storable(str(value.get("errorMessage") or ""), MESSAGE_LENGTH)
    message = told if told.strip() else f"{kind} error without a message"
    name = storable(str(value.get("errorType") or ""), TYPE_LENGTH)
    return FunctionFailure(name, message, tuple(lines))


def _frame(frame: Any) -> str:
    """A line of a trace: Python's are strings, older runtimes give [file, line, function, code]."""
    if isinstance(frame, list):
        return ", ".join(str(part) for part in frame)
    return str(frame).rstrip("\n")


@dataclass(frozen=True)
class Shown:
    """A payload as it is shown: text, and whether it was cut."""

    text: str
    size_bytes: int
    cut: bool


def shown(payload: bytes) -> Shown:
    """A payload for display: indented where it is JSON, cut at 64 KB, bytes that are no UTF-8 replaced."""
    text = payload[:SHOWN_BYTES].decode("utf-8", "replace")
    if len(payload) <= SHOWN_BYTES:
        with suppress(ValueError, ArithmeticError, RecursionError):
            value = json.loads(payload, parse_float=_exactly, object_pairs_hook=_each_once)
            pretty = storable_json(json.dumps(value, indent=2, ensure_ascii=False))
            text = pretty if len(pretty) <= SHOWN_BYTES else text
    text = storable(text)  # written out, what can't be seen takes more room
    cut = max(len(payload), len(text)) > SHOWN_BYTES
    return Shown(storable(text, SHOWN_BYTES), len(payload), cut)


def _exactly(digits: str) -> float:
    """A number that is written again with the same value; another one would be shown than was sent."""
    number = float(digits)
    if not math.isfinite(number) or Decimal(digits) != Decimal(repr(number)):
        raise ValueError("more digits than a float holds")
    return number


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object none of whose members would get lost."""
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("two members of one name")
    return found
