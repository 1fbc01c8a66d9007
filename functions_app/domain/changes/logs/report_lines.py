"""REPORT lines: what Lambda says an invocation took. Text and JSON log formats (aws-facts: Log lines)."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from functions_app.domain.json_fields import read_text
from functions_app.domain.redaction import redact
from functions_app.domain.text import storable

START = re.compile(r"START RequestId: (?P<id>\S+)(?: Version: (?P<version>\S+))?")
REPORT = "REPORT RequestId: "
_END = re.compile(r"REPORT RequestId: (?P<id>\S+)")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID_KEYS = ("requestId", "AWSRequestId")  # as Lambda's runtimes name it in JSON: most of them, and Java
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_TEXT = 200  # characters of a text; anybody may print such a line
_MOST = 2**53  # milliseconds or MB: more is none of Lambda's figures


@dataclass(frozen=True)
class Report:
    """Figures of one invocation: milliseconds and MB; what the line did not tell is None or ''."""

    request_id: str
    duration_ms: float
    billed_ms: float
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None = None
    restore_ms: float | None = None
    status: str = ""  # "timeout", "error", or '' where Lambda says nothing (success)
    error_type: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON column."""
        return asdict(self)


def parse_report(line: str) -> Report | None:
    """The figures in a REPORT line or a `platform.report` event; None where the line is neither, or is cut."""
    text = line.strip()
    if text.startswith(REPORT):
        return _from_text(text)
    if text.startswith("{") and '"platform.report"' in text:
        return _from_json(text)
    return None


def find_report(lines: Iterable[str], request_id: str) -> Report | None:
    """The last report of that request among the lines; any request's where the id is ''."""
    found = None
    for line in lines:
        report = parse_report(line)
        if report and request_id in ("", report.request_id):
            found = report
    return found


@dataclass(frozen=True)
class Started:
    """A START line: the request that begins in its log stream, and the version that runs it ('' if not told)."""

    request_id: str
    version: str = ""


def parse_start(line: str) -> Started | None:
    """Read a START line or a `platform.start` event; None for any other line."""
    text = line.strip()
    if match := START.match(text):
        return Started(match["id"], match["version"] or "")
    if text.startswith("{") and '"platform.start"' in text:
        record = _record(text, "platform.start")
        request_id = record.get("requestId")
        if isinstance(request_id, str):
            return Started(request_id, read_text(record.get("version")))
    return None


def parse_end(line: str) -> str:
    """The request that a REPORT line or `platform.report` event ends, whatever its figures; '' for any other line."""
    text = line.strip()
    if match := _END.match(text):
        return match["id"]
    if text.startswith("{") and '"platform.report"' in text:
        return read_text(_record(text, "platform.report").get("requestId"))
    return ""


def parse_request(line: str) -> str:
    """The request that a line of the JSON log format names as its own; '' where it names none."""
    if not line.lstrip().startswith("{"):
        return ""
    event = _event(line)
    record = event.get("record")
    for told in (event, record if isinstance(record, dict) else {}):
        for key in _ID_KEYS:
            if isinstance(told.get(key), str) and _ID.fullmatch(told[key]):
                return str(told[key])
    return ""


def _from_text(text: str) -> Report | None:
    fields = {}
    for part in text.removeprefix("REPORT ").split("\t"):
        name, separator, value = part.partition(": ")
        if separator:
            fields[name.strip()] = value.strip()
    duration, billed = _figure(fields, "Duration", "ms"), _figure(fields, "Billed Duration", "ms")
    memory, used = _figure(fields, "Memory Size", "MB"), _figure(fields, "Max Memory Used", "MB")
    if duration is None or billed is None or memory is None or used is None:
        return None
    return Report(
        request_id=_kept(fields.get("RequestId")),
        duration_ms=duration,
        billed_ms=billed,
        memory_mb=int(memory),
        max_memory_mb=int(used),
        init_ms=_figure(fields, "Init Duration", "ms"),
        restore_ms=_figure(fields, "Restore Duration", "ms"),
        status=_kept(fields.get("Status")),
        error_type=_kept(fields.get("Error Type")),
    )


def _figure(fields: Mapping[str, str], name: str, unit: str) -> float | None:
    number, _, given = fields.get(name, "").partition(" ")
    figure = float(number) if given == unit and _NUMBER.fullmatch(number) else None
    return figure if figure is not None and figure < _MOST else None


def _from_json(text: str) -> Report | None:
    record = _record(text, "platform.report")
    metrics = record.get("metrics")
    if not isinstance(metrics, dict):
        return None
    try:
        return Report(
            request_id=_kept(record["requestId"]),
            duration_ms=_measured(metrics["durationMs"]),
            billed_ms=_measured(metrics["billedDurationMs"]),
            memory_mb=int(_measured(metrics["memorySizeMB"])),
            max_memory_mb=int(_measured(metrics["maxMemoryUsedMB"])),
            init_ms=_optional(metrics.get("initDurationMs")),
            restore_ms=_optional(metrics.get("restoreDurationMs")),
            status="" if record.get("status") == "success" else _kept(record.get("status")),
            error_type=_kept(record.get("errorType")),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _optional(value: Any) -> float | None:
    return None if value is None else _measured(value)


def _measured(value: Any) -> float:
    """A figure that a database takes; a line that anybody may print can hold NaN. Raises ValueError."""
    if not 0 <= (number := float(value)) < _MOST:
        raise ValueError("no figure of Lambda's")
    return number


def _kept(value: Any) -> str:
    """A text of the line as it may be stored; '' for anything else."""
    return storable(redact(read_text(value)[: 2 * _TEXT]), _TEXT)


def _event(text: str) -> dict[str, Any]:
    """The JSON object of a line; empty where it is something else."""
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _record(text: str, kind: str) -> dict[str, Any]:
    """The record of a platform event of that type; empty where the line is something else."""
    event = _event(text)
    record = event.get("record") if event.get("type") == kind else None
    return record if isinstance(record, dict) else {}
