"""What a function writes and answers: whose line it is, its level, its figures, and what is shown of it."""

import decimal
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.changes.invocations import (
    MESSAGE_LENGTH,
    SHOWN_BYTES,
    TRACE_LINES,
    TYPE_LENGTH,
    Mode,
    check_payload,
    parse_failure,
    payload_bytes,
    shown,
)
from functions_app.domain.changes.logs.invocation_log import InvocationLog
from functions_app.domain.changes.logs.levels import level_of
from functions_app.domain.changes.logs.report_lines import (
    Report,
    find_report,
    parse_end,
    parse_report,
    parse_request,
    parse_start,
)
from functions_app.domain.changes.logs.streams import may_be_written_by
from functions_app.domain.changes.logs.tail import TAIL_BYTES, lines_of
from functions_app.domain.text import storable
from tests.fuzz.bounds import assert_shown, bounded
from tests.fuzz.inputs import json_bytes, json_texts, texts
from tests.fuzz.running import fuzzed

ID = "0f1e2d3c-0000-4000-8000-0123456789ab"
METRICS = {"durationMs": 1.5, "billedDurationMs": 2, "memorySizeMB": 128, "maxMemoryUsedMB": 30, "initDurationMs": 9.0}
RECORDS: list[dict[str, Any]] = [
    {"type": "platform.report", "record": {"requestId": ID, "status": "success", "metrics": METRICS}},
    {"type": "platform.report", "record": {"requestId": ID, "status": "error", "errorType": "X", "metrics": METRICS}},
    {"type": "platform.start", "record": {"requestId": ID, "version": "7"}},
    {"level": "ERROR", "message": "a", "requestId": ID, "log": {"level": "warn"}},
    {"level": 50, "time": 1, "msg": "a", "AWSRequestId": ID},
    {"level": 3, "short_message": "a"},
    {"severityNumber": 17, "record": {"requestId": ID}},
]
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB"
)
PIECES = (
    *("START RequestId: ", "END RequestId: ", "REPORT RequestId: ", REPORT, ID, " Version: 7"),
    *(" Version: $LATEST", "\t"),
    *("Duration: ", "1.00 ms", "9" * 400 + " ms", "NaN ms", "Memory Size: ", "128 MB", "Status: timeout"),
    *("Error Type: ",),
    *("ERROR", "error", "[ERROR]", "[İNFO]", "level=", "lvl=warnıng", "severity=\"", "Error: ", "WARN "),
    *(" - ", "| ", ": "),
    *("2026-03-04T05:06:07.123Z", "2026-03-04 05:06:07,123", "05:06:07", "[", "]", "I0304 05:06:07"),
    *("E0304", "1726694542"),
    *("[2026-03-04T05:06:07Z ", "D, [", " #1] ", " -- ", "main.", "com.acme.Main ", "a=b ", "none", "null"),
    *("0", "(", "{", "}"),
    *("\x1b[31m", "\x1b[0m", "\x9b", "\r", "\n", "\r\n", "INIT_START Runtime Version: "),
    *("Task timed out after 3.00 seconds",),
)  # fmt: skip
lines = st.one_of(
    st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(PIECES), texts), max_size=10).map("".join),
    json_texts(RECORDS),
)
LEVELS = {"error", "warning", "info", "debug"}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAILURES: list[Any] = [
    {"errorType": "ValueError", "errorMessage": "no", "stackTrace": ["  File a\n", ["a.py", 3, "f", "x = 1"]]},
    {"errorType": "Error", "errorMessage": "no", "trace": ["Error: no", "    at f (a.js:1:2)"]},
    {"errorMessage": "no", "stackTrace": "one text"},
]


@dataclass(frozen=True)
class Event:
    """An event as the log group gives it."""

    id: str
    stream: str
    text: str
    at: datetime


@fuzzed(600)
@given(lines)
def test_every_line_has_a_level_and_what_it_tells_can_be_kept(line: str) -> None:
    with bounded():
        assert level_of(line) in LEVELS
        started, ended, report = parse_start(line), parse_end(line), parse_report(line)
        request = parse_request(line)
    assert isinstance(ended, str)
    assert request in ("", ID) or len(request) == len(ID)
    assert not started or (isinstance(started.request_id, str) and isinstance(started.version, str))
    if report:
        assert find_report([line], "") == report
        assert_kept(report)


def assert_kept(report: Report) -> None:
    """Fails unless a database takes the figures and texts."""
    json.dumps(report.as_json(), allow_nan=False)
    for value in (report.duration_ms, report.billed_ms, report.memory_mb, report.max_memory_mb, report.init_ms or 0):
        assert 0 <= value < 2**53
    for text in (report.request_id, report.status, report.error_type):
        assert_shown(text, 200)


@fuzzed(60)
@given(st.sampled_from(PIECES), st.sampled_from(PIECES))
def test_a_line_that_repeats_itself_is_read_within_bounds(one: str, two: str) -> None:
    line = (one + two) * (256 * 1024 // len(one + two))
    with bounded():
        for text in (line, "{" + line):
            level_of(text)
            parse_report(text)
            parse_end(text)
            parse_request(text)


@fuzzed(200)
@given(json_texts(RECORDS[:2]))
def test_figures_that_anybody_printed_can_be_kept(line: str) -> None:
    with bounded():
        report = parse_report(line)
    if report:
        assert_kept(report)


events = st.builds(
    Event,
    id=st.integers(0, 30).map(str),
    stream=st.sampled_from(("a", "b", "2026/03/01/[7]0f", "2026/03/01/[6]0f")),
    text=st.one_of(
        lines, st.sampled_from((f"START RequestId: {ID} Version: 7\n", "START RequestId: x\n", REPORT, "x\n"))
    ),
    at=st.integers(-90, 90).map(lambda seconds: NOON + timedelta(seconds=seconds)),
)
tails = st.lists(st.one_of(lines, st.just("x")), max_size=8).map(
    lambda some: "\n".join(some).encode("utf-8", "replace").decode()[-TAIL_BYTES:]
)  # from bytes, hence no surrogates


@fuzzed(200)
@given(st.lists(st.lists(events, max_size=6), max_size=5), tails, st.booleans(), st.sampled_from(((), ("7",))))
def test_no_log_is_too_odd_to_be_sorted_and_each_event_is_shown_once_at_most(
    polls: list[list[Event]], tail: str, framed: bool, versions: tuple[str, ...]
) -> None:
    log, told = InvocationLog(versions, framed=framed), []
    with bounded():
        for number, poll in enumerate(polls):
            told += log.see(poll)
            if number == len(polls) // 2:
                log.answered(ID, tail)
        log.answered(ID, tail)
        log.lacking()
        settled = log.settle()
        find_report(log.lines(), ID)
    whole = [line for poll in polls for event in poll for line in lines_of(event.text)]
    assert len(told) <= len(whole)
    assert {line.text for line in told} <= set(whole)
    assert {line.text for line in settled.lines} <= {*whole, *lines_of(tail)}


@fuzzed(300)
@given(st.one_of(json_texts(FAILURES), texts), st.sampled_from(Mode))
def test_what_passes_the_check_of_a_payload_is_json_as_it_is_sent(payload: str, mode: Mode) -> None:
    with bounded():
        check = check_payload(payload, mode)
        sent = payload_bytes(payload)
    assert check.size_bytes == len(sent)
    assert_shown(check.text, 300)
    try:
        json.loads(sent.decode(), parse_constant=_none, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        assert not check.ok
    else:
        assert check.ok or "nested" in check.text


def _none(name: str) -> None:
    raise ValueError(name)


@fuzzed(300)
@given(st.one_of(json_bytes(FAILURES), st.binary(max_size=60)), st.sampled_from(("Unhandled", "Handled")))
def test_a_failure_is_told_whatever_was_answered(payload: bytes, kind: str) -> None:
    with bounded():
        failure = parse_failure(payload, kind)
    assert str(failure)
    assert_shown(failure.message, MESSAGE_LENGTH)
    assert_shown(failure.type, TYPE_LENGTH)
    assert len(failure.trace) <= TRACE_LINES + 1
    for line in failure.trace:
        assert_shown(line, MESSAGE_LENGTH)


@fuzzed(300)
@given(st.one_of(json_bytes(FAILURES + RECORDS), st.binary(max_size=60)))
def test_a_payload_is_shown_as_it_is(payload: bytes) -> None:
    with bounded():
        found = shown(payload)
    assert found.size_bytes == len(payload)
    written_out = storable(payload.decode(errors="replace"))
    assert found.cut == (len(payload) > SHOWN_BYTES) or len(written_out) > SHOWN_BYTES
    assert_shown(found.text, SHOWN_BYTES)
    try:
        meant = _read(payload.decode())
    except (ValueError, RecursionError):
        return
    if not found.cut and storable(payload.decode()) == payload.decode():
        assert _read(found.text) == meant


def _read(text: str) -> Any:
    """JSON with all that is in it: every digit, and each of two members of one name."""
    number = decimal.Context(Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, prec=9999, traps=[]).create_decimal
    return json.loads(text, parse_float=number, parse_int=number, parse_constant=str, object_pairs_hook=list)


@fuzzed(100)
@given(texts, texts, texts, st.lists(texts, max_size=2))
def test_any_stream_may_be_somebodys(stream: str, group: str, function: str, versions: list[str]) -> None:
    assert may_be_written_by(stream, group, function, versions) in (True, False)
