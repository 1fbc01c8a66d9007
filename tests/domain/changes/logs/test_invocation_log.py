"""Which lines are ours, each once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.changes.logs.framed import FramedRequests
from functions_app.domain.changes.logs.invocation_log import InvocationLog, Settled
from functions_app.domain.changes.logs.requests import FunctionLine
from functions_app.domain.changes.logs.tail import TAIL_BYTES

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """An event as the log group gives it."""

    id: str
    stream: str
    text: str
    at: datetime = NOON


def start(request: str, version: str = "7") -> str:
    return f"START RequestId: {request} Version: {version}\n"


def end(request: str) -> list[str]:
    figures = "Duration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB"
    return [f"END RequestId: {request}\n", f"REPORT RequestId: {request}\t{figures}\t\n"]


def events(stream: str, *texts: str) -> list[Event]:
    return [Event(f"{stream}-{number}", stream, text) for number, text in enumerate(texts)]


def answered(request: str, tail: str = "", versions: Iterable[str] = ("7",), *, framed: bool = True) -> InvocationLog:
    """A log whose request is known."""
    log = InvocationLog(set(versions), framed=framed)
    log.answered(request, tail)
    return log


def settle(log: InvocationLog, request: str, tail: str = "") -> Settled:
    log.answered(request, tail)
    return log.settle()


def lines_of(log: InvocationLog, request: str) -> tuple[str, ...]:
    log.answered(request, "")
    return log.lines()


def said(lines: Iterable[FunctionLine]) -> list[str]:
    return [line.text for line in lines]


def plain(texts: list[str]) -> list[str]:
    return [text.rstrip() for text in texts]


def test_lines_of_the_only_running_request_are_shown_as_they_come() -> None:
    log = InvocationLog({"7"})
    whole = events("s", start("a"), "one\n", "two\n")
    assert said(log.see(whole[:2])) == plain([start("a"), "one"])
    assert said(log.see(whole)) == ["two"]


def test_lines_before_start_belong_to_the_request_they_start_up_for() -> None:
    log = InvocationLog({"7"})
    assert log.see(events("s", "INIT_START Runtime Version: x\n", "importing\n")) == []
    shown = said(log.see([Event("later", "s", start("a"))]))
    assert shown == ["INIT_START Runtime Version: x", "importing", start("a").rstrip()]


def test_other_versions_are_never_ours() -> None:
    log = InvocationLog({"7"})
    assert log.see(events("s", start("a", "6"), "theirs\n")) == []


def test_while_two_could_be_ours_nothing_is_shown_and_then_only_ours() -> None:
    log = InvocationLog({"7"})
    shown = said(log.see([*events("s", start("a"), "theirs\n"), *events("t", start("b"), "ours\n", *end("b"))]))
    assert shown == plain([start("a"), "theirs"])  # b has ended, so only a still runs
    settled = settle(log, "b", "")
    assert said(settled.lines) == (plain([start("b"), "ours", *end("b")]))
    assert (settled.foreign, settled.theirs) == (("a",), (0, 1))


def test_two_running_requests_hold_both_back() -> None:
    log = InvocationLog({"7"})
    assert log.see([*events("s", start("a"), "theirs\n"), *events("t", start("b"), "ours\n")]) == []
    settled = settle(log, "b", start("b") + "ours\n" + "".join(end("b")))
    assert said(settled.lines) == (plain([start("b"), "ours", *end("b")]))
    assert settled.foreign == ()


def test_the_tail_gives_all_where_the_group_had_nothing_yet() -> None:
    tail = start("a") + "one\n\nthree\n" + "".join(end("a"))
    settled = settle(InvocationLog(), "a", tail)
    assert said(settled.lines) == (plain([start("a"), "one", "", "three", *end("a")]))
    assert not settled.gap
    assert not settled.cut


def test_a_cut_tail_without_the_group_says_that_lines_are_missing() -> None:
    tail = ("x" * 100 + "\n") * 60 + "".join(end("a"))
    settled = settle(InvocationLog(), "a", tail[-TAIL_BYTES:])
    assert settled.gap
    assert settled.cut
    assert settled.lines[0].text == "x" * 100


def test_what_follows_report_in_its_event_stays_with_it() -> None:
    log = InvocationLog({"7"})
    report = end("a")[1].rstrip("\n") + "\nXRAY TraceId: 1-2\tSampled: true\t\n"
    log.see(events("s", start("a"), end("a")[0], report, start("b"), "next\n"))
    assert "XRAY TraceId: 1-2\tSampled: true" in lines_of(log, "a")
    assert lines_of(log, "b") == (start("b").rstrip(), "next")


def test_the_end_of_a_request_that_began_before_we_looked_is_not_ours() -> None:
    log = InvocationLog({"7"})
    log.see(events("s", "theirs\n", *end("z"), start("a"), "ours\n"))
    assert lines_of(log, "a") == (start("a").rstrip(), "ours")


def test_once_ours_is_known_no_other_is_shown() -> None:
    log = answered("b")
    assert log.see(events("s", start("a"), "theirs\n")) == []
    assert said(log.see(events("t", start("b")))) == [start("b").rstrip()]


def test_a_line_keeps_the_time_it_was_written_where_the_group_told_it() -> None:
    log = InvocationLog({"7"})
    log.see(events("s", start("a")))
    assert [line.at for line in settle(log, "a", start("a") + "one\n").lines] == [None]
    assert InvocationLog({"7"}).see(events("s", start("a"))) == [FunctionLine(start("a").rstrip(), NOON)]


def test_waiting_is_worth_it_only_where_the_tail_does_not_reach() -> None:
    whole = start("a") + "one\n" + "".join(end("a"))
    assert not answered("a", whole).lacking()
    log = answered("a", ("x" * 99 + "\n") * 60)
    assert log.lacking()
    log.see(events("s", start("a"), "one\n", *end("a")))
    assert not log.lacking()


line = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=90).map(lambda text: f"{text}x\n")
distinct = st.lists(line, max_size=120, unique=True)


@given(distinct, st.data())
def test_each_line_is_shown_once_however_far_the_group_got(body: list[str], data: st.DataObject) -> None:
    """Group delivers any beginning, in any overlapping polls; the tail fills the rest, unless it is cut before it."""
    texts = [start("a"), *body, *end("a")]
    got = data.draw(st.integers(0, len(texts)))
    polls = [*sorted(data.draw(st.lists(st.integers(0, got), max_size=4))), got]
    log = InvocationLog({"7"})
    shown: list[str] = []
    for poll in polls:
        shown += said(log.see(events("s", *texts[:poll])))
    settled = settle(log, "a", "".join(texts)[-TAIL_BYTES:])
    shown += said(settled.lines)
    if settled.gap:
        assert len("".join(texts)) > TAIL_BYTES
        assert len(shown) == len(set(shown))
        assert shown == [text for text in plain(texts) if text in set(shown)]
    else:
        assert shown == plain(texts)
    assert tuple(shown) == lines_of(log, "a")


@given(st.lists(st.sampled_from(["same\n", "again\n"]), max_size=60), st.data())
def test_lines_that_repeat_are_neither_lost_nor_doubled(body: list[str], data: st.DataObject) -> None:
    texts = [start("a"), *body, *end("a")]
    log = InvocationLog({"7"})
    shown = said(log.see(events("s", *texts[: data.draw(st.integers(0, len(texts)))])))
    shown += said(settle(log, "a", "".join(texts)).lines)
    assert shown == plain(texts)


def test_requests_that_ended_long_ago_are_let_go_of_and_not_shown_again() -> None:
    log = InvocationLog({"7"})
    for number in range(500):
        name, at = f"other-{number}", NOON + timedelta(seconds=number)
        log.see(Event(f"{name}-{part}", "s", text, at) for part, text in enumerate([start(name), "x\n", *end(name)]))
    kept = log._sorter
    assert isinstance(kept, FramedRequests)
    assert len(log._seen) <= 4 * 61
    assert sum(len(request.lines) for request in kept._requests.values()) <= 4 * 61


def test_a_request_that_runs_for_long_is_kept_whole() -> None:
    log, texts = InvocationLog({"7"}), [start("a"), *(f"line {number}\n" for number in range(300)), *end("a")]
    shown = [
        line
        for number, text in enumerate(texts)
        for line in said(log.see([Event(f"a-{number}", "s", text, NOON + timedelta(seconds=number))]))
    ]
    settled = settle(log, "a", "")
    assert [*shown, *said(settled.lines)] == plain(texts)
    assert len(lines_of(log, "a")) == len(texts)
