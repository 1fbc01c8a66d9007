"""A function may print START, END and REPORT lines: its own, or those of another whose log it shows. None is lost."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.changes.logs.invocation_log import InvocationLog
from functions_app.domain.changes.logs.tail import TAIL_BYTES
from tests.domain.changes.logs.test_invocation_log import answered, end, events, lines_of, plain, said, settle, start

JSON_END = json.dumps({"type": "platform.report", "record": {"requestId": "1", "metrics": {}}}) + "\n"
JSON_START = json.dumps({"type": "platform.start", "record": {"requestId": "1", "version": "7"}}) + "\n"
WIDE = [f"{number} {'x' * 200}\n" for number in range(40)]


def live_and_settled(texts: list[str], name: str = "a", polls: int = 3) -> list[str]:
    """All that is shown of a request whose log comes in so many polls."""
    log, whole = InvocationLog({"7"}), events("s", *texts)
    shown = [line for poll in range(1, polls + 1) for line in said(log.see(whole[: len(whole) * poll // polls]))]
    settled = settle(log, name, "".join(texts)[-TAIL_BYTES:])
    assert not settled.foreign
    assert not settled.gap
    return shown + said(settled.lines)


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param([end("1111")[1]], id="REPORT of another"),
        pytest.param(["REPORT RequestId: 1111\tDuration: no figures\n"], id="REPORT without figures"),
        pytest.param([start("1111")], id="START of another"),
        pytest.param([start("1111", "6")], id="START of another version"),
        pytest.param([start("a")], id="its own START"),
        pytest.param([start("1111"), "its line\n", *end("1111")], id="the log of another"),
        pytest.param([start("1111"), start("2222"), *end("2222"), *end("1111")], id="a log that holds a log"),
        pytest.param(["".join([start("1111"), "its line\n", *end("1111")])], id="in one event"),
        pytest.param([JSON_START, JSON_END], id="as JSON"),
        pytest.param(end("a"), id="its own end"),
        pytest.param([*end("a"), start("a")], id="its own end and START"),
    ],
)
@pytest.mark.parametrize("body", [["one\n", "two\n"], WIDE], ids=["short", "wide"])
@pytest.mark.parametrize("polls", [1, 3, 12])
def test_all_lines_and_the_real_end_are_shown_whatever_a_function_prints(
    forged: list[str], body: list[str], polls: int
) -> None:
    texts = [start("a"), "before\n", *forged, *body, *end("a")]
    shown = live_and_settled(texts, polls=polls)
    assert shown == [line for text in texts for line in plain(text.splitlines())]


def test_after_a_forged_end_of_its_own_there_is_still_something_to_wait_for() -> None:
    texts = [start("a"), *end("a"), *WIDE, end("a")[0], end("a")[1].replace("1.00 ms", "9.00 ms")]
    log = answered("a", "".join(texts)[-TAIL_BYTES:])
    log.see(events("s", *texts[:3]))
    assert log.lacking()
    log.see(events("s", *texts))
    assert not log.lacking()
    assert lines_of(log, "a") == tuple(plain(texts))


def test_a_request_whose_end_was_never_delivered_gives_way_to_ours() -> None:
    log = InvocationLog({"7"})
    shown = said(log.see(events("s", start("z"), "theirs\n", start("a"), "ours\n")))
    log.answered("a", "")
    shown += said(log.see(events("s", start("z"), "theirs\n", start("a"), "ours\n", "more\n", *end("a"))))
    settled = settle(log, "a", "")
    assert shown + said(settled.lines) == plain([start("z"), "theirs", start("a"), "ours", "more", *end("a")])
    assert settled.foreign == ("z",)
    assert lines_of(log, "a") == tuple(plain([start("a"), "ours", "more", *end("a")]))


def test_a_start_forged_while_it_was_imported_gives_way_to_ours() -> None:
    texts = [start("1111"), "importing\n", start("a"), "ours\n", *end("a")]
    log = InvocationLog({"7"})
    log.see(events("s", *texts))
    settle(log, "a", "")
    assert lines_of(log, "a") == tuple(plain(texts[2:]))


def test_the_next_request_of_its_stream_is_not_ours() -> None:
    log = InvocationLog({"7"})
    log.see(events("s", start("z"), start("a"), "ours\n", *end("a"), start("b"), "theirs\n"))
    settle(log, "a", "")
    assert lines_of(log, "a") == tuple(plain([start("a"), "ours", *end("a")]))


FORGED = [start("1111"), start("a"), start("1111", "6"), *end("1111"), "same\n", "x" * 300 + "\n", JSON_END]


@given(st.lists(st.sampled_from(FORGED), max_size=40), st.integers(1, 12), st.data())
def test_each_line_is_shown_once_whatever_stands_in_it(body: list[str], polls: int, data: st.DataObject) -> None:
    """The group has delivered all when it settles, or the tail is whole."""
    last = end("a")[1].replace("1.00 ms", "9.00 ms")
    texts = [start("a"), *body, end("a")[0], last]
    whole, log = events("s", *texts), InvocationLog({"7"})
    tail = "".join(texts)[-TAIL_BYTES:]
    got = len(texts) if len(tail) == TAIL_BYTES else data.draw(st.integers(0, len(texts)))
    shown = [line for poll in range(1, polls + 1) for line in said(log.see(whole[: got * poll // polls]))]
    settled = settle(log, "a", tail)
    assert shown + said(settled.lines) == plain(texts)
    assert (settled.gap, settled.foreign) == (False, ())
