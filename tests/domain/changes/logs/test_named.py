"""JSON logs without START and REPORT: lines are ours by the request they name, or as the tail says."""

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.changes.logs.invocation_log import InvocationLog
from functions_app.domain.changes.logs.tail import TAIL_BYTES
from tests.domain.changes.logs.test_invocation_log import answered, events, said, settle

OURS, THEIRS, OTHER = (f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "abc")


def named(request: str, message: str, key: str = "requestId") -> str:
    return json.dumps({"level": "INFO", "message": message, key: request}) + "\n"


def unframed() -> InvocationLog:
    return InvocationLog({"7"}, framed=False)


def bare(texts: Iterable[str]) -> list[str]:
    return [text.rstrip() for text in texts]


@pytest.mark.parametrize("key", ["requestId", "AWSRequestId"])
def test_lines_come_as_they_are_written_and_nothing_is_waited_for(key: str) -> None:
    texts = [named(OURS, "one", key), "printed\n", named(OURS, "two", key)]
    log = unframed()
    assert said(log.see(events("s", *texts[:2]))) == bare(texts[:2])
    log.answered(OURS, "".join(texts))
    assert not log.lacking()
    settled = log.settle()
    assert (said(settled.lines), settled.gap, settled.foreign) == (bare(texts[2:]), False, ())


def test_lines_that_name_nobody_are_ours_where_the_tail_says_so() -> None:
    texts = ["one\n", "two\n", "three\n"]
    log = unframed()
    assert said(log.see([*events("s", *texts[:2])])) == ["one", "two"]
    assert log.see(events("t", "theirs\n")) == []  # two that could be ours
    settled = settle(log, OURS, "".join(texts))
    assert (said(settled.lines), settled.gap, settled.foreign) == (["three"], False, ())


def test_what_ran_before_in_our_environment_is_not_ours() -> None:
    texts = [named(THEIRS, "theirs"), "printed by ours\n", named(OURS, "ours")]
    log = unframed()
    shown = said(log.see(events("s", *texts)))
    settled = settle(log, OURS, "".join(texts[1:]))
    assert shown + said(settled.lines) == bare(texts)
    assert (settled.foreign, settled.theirs) == ((THEIRS,), (0,))
    assert log.lines() == tuple(bare(texts[1:]))


def test_what_ran_before_and_named_nobody_is_told_without_a_name() -> None:
    log = unframed()
    log.see(events("s", "theirs\n", "ours\n"))
    assert settle(log, OURS, "ours\n").foreign == ("",)


def test_a_line_that_names_the_request_of_something_else_changes_nothing() -> None:
    texts = [named(OURS, "one"), named(OTHER, "what a service answered"), "printed\n", named(OURS, "two")]
    log = unframed()
    shown = said(log.see(events("s", *texts[:3])))
    settled = settle(log, OURS, "".join(texts))
    assert shown + said(settled.lines) == bare(texts)
    assert settled.foreign == ()


def test_of_two_at_once_ours_is_shown_once_it_is_named() -> None:
    ours, theirs = [named(OURS, str(number)) for number in range(3)], [named(THEIRS, "x")]
    log = unframed()
    assert log.see([*events("s", *theirs), *events("t", *ours)]) == []
    log.answered(OURS, "".join(ours))
    assert said(log.see([])) == bare(ours)
    assert said(log.see([*events("s", *theirs, *theirs), *events("t", *ours)])) == []
    assert log.settle().foreign == ()


@pytest.mark.parametrize(
    "line", [named(OURS, "x" * 90).replace("INFO", "{}"), "x" * 90 + " {}\n"], ids=["named", "plain"]
)
def test_a_tail_that_was_cut_is_waited_for_until_the_group_reaches_it(line: str) -> None:
    texts = [line.replace("{}", str(number)) for number in range(60)]
    log = unframed()
    shown = said(log.see(events("s", *texts[:2])))
    log.answered(OURS, "".join(texts)[-TAIL_BYTES:])
    assert log.lacking()
    shown += said(log.see(events("s", *texts[:50])))
    assert not log.lacking()
    settled = log.settle()
    assert shown + said(settled.lines) == list(log.lines()) == bare(texts)
    assert (settled.gap, settled.foreign) == (False, ())


def test_what_the_group_never_delivered_is_said_to_be_missing_and_nobody_is_blamed() -> None:
    texts = [f"{'x' * 90} {number}\n" for number in range(60)]
    log = unframed()
    log.see(events("s", *texts[:2]))
    settled = settle(log, OURS, "".join(texts)[-TAIL_BYTES:])
    assert settled.gap
    assert settled.foreign == ()
    assert settled.lines[-1].text == texts[-1].rstrip()


def test_a_function_that_said_nothing_is_not_waited_for() -> None:
    assert not answered(OURS, "", framed=False).lacking()
    assert settle(unframed(), OURS, "").lines == ()


@given(
    st.lists(st.sampled_from(["printed\n", "again\n", named(OURS, "one"), named(OTHER, "x")]), max_size=20),
    st.lists(st.sampled_from([named(THEIRS, "theirs"), named(THEIRS, "more")]), max_size=4),
    st.data(),
)
def test_each_line_of_ours_is_shown_once_however_far_the_group_got(
    body: list[str], earlier: list[str], data: st.DataObject
) -> None:
    texts = [*body, named(OURS, "last")]
    whole = [*earlier, *texts]
    log = unframed()
    got = data.draw(st.integers(0, len(whole)))
    shown = said(log.see(events("s", *whole[: got // 2]))) + said(log.see(events("s", *whole[:got])))
    settled = settle(log, OURS, "".join(texts))
    assert [*shown, *said(settled.lines)][-len(texts) :] == bare(texts)
    assert not settled.gap
    assert list(log.lines()) == bare(texts)
