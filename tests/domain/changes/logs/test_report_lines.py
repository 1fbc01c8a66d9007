"""REPORT and START lines, in both log formats."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.changes.logs.report_lines import (
    Report,
    Started,
    find_report,
    parse_end,
    parse_report,
    parse_request,
    parse_start,
)

LINE = (
    "REPORT RequestId: 6f1b\tDuration: 292.24 ms\tBilled Duration: 300 ms\tMemory Size: 512 MB\t"
    "Max Memory Used: 93 MB\tInit Duration: 758.94 ms\t"
)
milliseconds = st.integers(0, 90_000_000).map(lambda hundredths: hundredths / 100)
reports = st.builds(
    Report,
    request_id=st.uuids().map(str),
    duration_ms=milliseconds,
    billed_ms=st.integers(0, 900_000).map(float),
    memory_mb=st.integers(128, 10_240),
    max_memory_mb=st.integers(1, 10_240),
    init_ms=st.none() | milliseconds,
    restore_ms=st.none() | milliseconds,
    status=st.sampled_from(["", "timeout", "error"]),
    error_type=st.sampled_from(["", "Runtime.ExitError", "Sandbox.Timedout"]),
)


def as_text(report: Report) -> str:
    """The line as Lambda writes it."""
    parts = [
        f"RequestId: {report.request_id}",
        f"Duration: {report.duration_ms:.2f} ms",
        f"Billed Duration: {report.billed_ms:.0f} ms",
        f"Memory Size: {report.memory_mb} MB",
        f"Max Memory Used: {report.max_memory_mb} MB",
    ]
    parts += [f"Init Duration: {report.init_ms:.2f} ms"] if report.init_ms is not None else []
    parts += [f"Restore Duration: {report.restore_ms:.2f} ms"] if report.restore_ms is not None else []
    parts += [f"Status: {report.status}"] if report.status else []
    parts += [f"Error Type: {report.error_type}"] if report.error_type else []
    return "REPORT " + "\t".join(parts) + "\t\n"


def as_event(report: Report) -> str:
    """The event as Lambda writes it in JSON log format."""
    metrics = {
        "durationMs": report.duration_ms,
        "billedDurationMs": report.billed_ms,
        "memorySizeMB": report.memory_mb,
        "maxMemoryUsedMB": report.max_memory_mb,
        "initDurationMs": report.init_ms,
        "restoreDurationMs": report.restore_ms,
    }
    record = {
        "requestId": report.request_id,
        "metrics": {name: value for name, value in metrics.items() if value is not None},
        "status": report.status or "success",
    }
    if report.error_type:
        record["errorType"] = report.error_type
    return json.dumps({"time": "2026-05-01T10:00:00.000Z", "type": "platform.report", "record": record})


def test_the_documented_line_gives_its_figures() -> None:
    assert parse_report(LINE) == Report("6f1b", 292.24, 300, 512, 93, 758.94)


@given(reports)
def test_every_text_report_reads_back_as_it_was_written(report: Report) -> None:
    assert parse_report(as_text(report)) == report


@given(reports)
def test_every_json_report_reads_back_as_it_was_written(report: Report) -> None:
    assert parse_report(as_event(report)) == report


@given(reports, st.data())
def test_a_cut_line_gives_no_wrong_figures(report: Report, data: st.DataObject) -> None:
    line = as_text(report).rstrip()
    cut = parse_report(line[: data.draw(st.integers(0, len(line) - 1))])
    assert cut is None or (cut.duration_ms, cut.memory_mb) == (report.duration_ms, report.memory_mb)


@given(st.text())
def test_any_other_line_is_no_report_and_no_failure(line: str) -> None:
    assert parse_report(line) is None
    assert parse_start(line) is None


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_json_that_only_looks_like_a_report_is_none(value: object) -> None:
    text = json.dumps({"type": "platform.report", "record": {"requestId": "a", "metrics": value}})
    assert parse_report(text) is None


def test_a_start_line_names_request_and_version() -> None:
    assert parse_start("START RequestId: 6f1b Version: 7\n") == Started("6f1b", "7")
    event = {"type": "platform.start", "record": {"requestId": "6f1b", "version": "$LATEST"}}
    assert parse_start(json.dumps(event)) == Started("6f1b", "$LATEST")


def test_the_report_of_another_request_is_not_taken() -> None:
    assert find_report([LINE], "other") is None
    assert find_report(["a line", LINE], "6f1b") is not None


def report_event(**figures: float) -> str:
    """A platform.report event with these figures in place of sound ones."""
    metrics = {"durationMs": 1, "billedDurationMs": 1, "memorySizeMB": 1, "maxMemoryUsedMB": 1, **figures}
    return json.dumps({"type": "platform.report", "record": {"requestId": "r", "metrics": metrics}})


@pytest.mark.parametrize(
    "line",
    [
        "REPORT RequestId: r\tDuration: 1 ms\tBilled Duration: 1 ms\tMax Memory Used: 1 MB\tMemory Size: "
        f"{'9' * 400} MB",
        report_event(durationMs=float("nan")),
        report_event(billedDurationMs=float("inf")),
        report_event(initDurationMs=float("-inf")),
        report_event(memorySizeMB=float("inf")),
    ],
)
def test_a_report_of_numbers_that_are_none_is_no_report(line: str) -> None:
    assert parse_report(line) is None


ID = "6f1b2c3d-1111-4222-8333-444455556666"


@pytest.mark.parametrize(
    ("line", "request_id"),
    [
        (LINE, "6f1b"),
        ("REPORT RequestId: 6f1b\tDuration: a figure that is new", "6f1b"),
        ('{"type":"platform.report","record":{"requestId":"6f1b","metrics":{}}}', "6f1b"),
        ("END RequestId: 6f1b", ""),
        ("the REPORT RequestId: 6f1b", ""),
        ('{"type":"platform.start","record":{"requestId":"6f1b"}}', ""),
        ('{"message":"platform.report"}', ""),
        ('{"type":"platform.report","record":"', ""),
    ],
)
def test_a_report_ends_its_request_whatever_figures_it_has(line: str, request_id: str) -> None:
    assert parse_end(line) == request_id


@pytest.mark.parametrize(
    ("line", "request_id"),
    [
        (f'{{"level":"INFO","message":"x","requestId":"{ID}"}}', ID),
        (f'{{"level":"INFO","message":"x","AWSRequestId":"{ID}"}}', ID),
        (f'{{"type":"platform.report","record":{{"requestId":"{ID}","status":"timeout"}}}}', ID),
        ('{"requestId":"17"}', ""),
        ('{"requestId":null}', ""),
        (f'{{"message":"requestId {ID}"}}', ""),
        (f'{{"answer":{{"requestId":"{ID}"}}}}', ""),
        (f"requestId={ID}", ""),
        ("{", ""),
        ("", ""),
    ],
)
def test_a_line_of_json_names_its_request(line: str, request_id: str) -> None:
    assert parse_request(line) == request_id


def as_json(record: dict[str, Any] | None = None, **metrics: Any) -> str:
    """A report as a JSON line that anybody may have printed."""
    figures = {"durationMs": 1, "billedDurationMs": 1, "memorySizeMB": 128, "maxMemoryUsedMB": 30, **metrics}
    return json.dumps({"type": "platform.report", "record": {"requestId": "a", "metrics": figures, **(record or {})}})


@pytest.mark.parametrize("figure", [-1, 10**18, 10**4000, float("nan"), [], {}, "x", None])
@pytest.mark.parametrize("name", ["durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB"])
def test_a_figure_that_lambda_never_gives_is_no_report(name: str, figure: Any) -> None:
    assert parse_report(as_json(**{name: figure})) is None


def test_a_figure_of_hundreds_of_digits_is_no_report_in_text_either() -> None:
    line = "REPORT RequestId: a\tDuration: 1 ms\tBilled Duration: 1 ms\tMemory Size: {} MB\tMax Memory Used: 1 MB"
    assert parse_report(line.format("128"))
    assert parse_report(line.format("9" * 300)) is None


def test_texts_of_a_report_can_be_stored_and_hold_no_secret() -> None:
    report = parse_report(as_json({"status": "a\0b\ud800", "errorType": "token=hunter2 " + "x" * 5000}))
    assert report
    assert report.status == "a‹U+0000›b‹U+D800›"
    assert report.error_type.startswith("token=[redacted] xxx")
    assert len(report.error_type) == 200


@pytest.mark.parametrize("odd", [5, [], {"a": []}, None, True])
def test_what_is_no_text_names_no_request_and_no_version(odd: Any) -> None:
    assert parse_end(as_json({"requestId": odd})) == ""
    start = json.dumps({"type": "platform.start", "record": {"requestId": "a", "version": odd}})
    assert parse_start(start) == Started("a", "")
