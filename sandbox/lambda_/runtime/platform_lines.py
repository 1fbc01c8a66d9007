"""The platform's own log lines, as text or as JSON (https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import clock


@dataclass(frozen=True)
class Report:
    """The figures of one invocation: milliseconds and MB."""

    request_id: str
    version: str
    duration: float
    memory: int
    memory_used: int
    init: float | None = None
    status: str = "success"
    error_type: str = ""

    @property
    def billed(self) -> int:
        """Init and duration, rounded up to a millisecond."""
        return max(1, math.ceil((self.init or 0.0) + self.duration))


def _platform(kind: str, record: Mapping[str, Any]) -> str:
    moment = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": moment, "type": f"platform.{kind}", "record": record})


def start_line(request_id: str, version: str, *, as_json: bool) -> str:
    """START."""
    if as_json:
        return _platform("start", {"requestId": request_id, "version": version})
    return f"START RequestId: {request_id} Version: {version}"


def end_lines(report: Report, *, as_json: bool) -> list[str]:
    """END and REPORT; in JSON the one platform.report."""
    if as_json:
        return [_platform("report", _record(report))]
    line = (
        f"REPORT RequestId: {report.request_id}\tDuration: {report.duration:.2f} ms\t"
        f"Billed Duration: {report.billed} ms\tMemory Size: {report.memory} MB\t"
        f"Max Memory Used: {report.memory_used} MB\t"
    )
    if report.init is not None:
        line += f"Init Duration: {report.init:.2f} ms\t"
    if report.status != "success":
        line += f"Status: {report.status}\t"
    if report.error_type:
        line += f"Error Type: {report.error_type}\t"
    return [f"END RequestId: {report.request_id}", line]


def init_failure_line(milliseconds: float, error_type: str, *, as_json: bool) -> str:
    """INIT_REPORT of an init phase that failed."""
    status = "timeout" if error_type == "Sandbox.Timedout" else "error"
    if as_json:
        record = {"phase": "init", "status": status, "errorType": error_type}
        return _platform("initReport", record | {"metrics": {"durationMs": round(milliseconds, 3)}})
    return f"INIT_REPORT Init Duration: {milliseconds:.2f} ms\tPhase: init\tStatus: {status}\tError Type: {error_type}"


def _record(report: Report) -> dict[str, Any]:
    metrics: dict[str, float] = {
        "durationMs": round(report.duration, 3),
        "billedDurationMs": report.billed,
        "memorySizeMB": report.memory,
        "maxMemoryUsedMB": report.memory_used,
    }
    if report.init is not None:
        metrics["initDurationMs"] = round(report.init, 3)
    record: dict[str, Any] = {"requestId": report.request_id, "status": report.status, "metrics": metrics}
    return record | ({"errorType": report.error_type} if report.error_type else {})
