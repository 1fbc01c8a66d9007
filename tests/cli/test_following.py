"""A run that is followed: its log as it comes, on after a stream broke, and an exit code that says how it ended."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drydock_cli.events import Event, events
from tests.cli.calling import at
from tests.cli.scripted import CUT, Answer, Script, problem

pytestmark = pytest.mark.usefixtures("hurried")
Serve = Callable[..., Script]
RUN: dict[str, Any] = {
    "id": 7,
    "status": "running",
    "title": "Deploy app",
    "ended": False,
    "settled": False,
    "steps": [{"status": "done", "title": "Check", "note": ""}, {"status": "running", "title": "Publish", "note": ""}],
    "warnings": [],
    "result": {},
    "problem": None,
    "text": "Run 7 running: Deploy app.",
}
DONE = RUN | {"status": "succeeded", "ended": True, "settled": True, "text": "Run 7 succeeded: app runs 2."}
FAILED = RUN | {
    "status": "failed",
    "ended": True,
    "settled": True,
    "problem": {"code": "failed", "message": "Smoke test.", "next_step": "Look at its log."},
    "text": "Run 7 failed: Smoke test.",
}
WAITING = RUN | {"status": "waiting", "settled": True, "takes": ["approve", "cancel"]}
PAUSED = RUN | {"status": "paused", "settled": True, "takes": ["resume", "cancel"], "url": "https://d.example/runs/7/"}


def line(number: int, text: str, level: str = "info") -> str:
    told = {"sequence": number, "at": "2026-11-29T08:00:00.123456Z", "level": level, "source": "run", "text": text}
    return f"event: log\nid: {number}\ndata: {json.dumps(told)}\n\n"


def state(run: dict[str, Any]) -> str:
    return f"event: state\ndata: {json.dumps(run)}\n\n"


def stream(*frames: str, cut: bool = False, hangs: bool = False) -> Answer:
    data = "".join(("retry: 1000\n\n", *frames)).encode()
    return Answer(200, data, {"Content-Type": "text/event-stream"}, cut, hangs)


END = 'event: eof\nid: 2\ndata: {"lines": 2}\n\n'


def test_its_log_is_shown_and_then_what_became_of_it(script: Serve, tmp_path: Path) -> None:
    server = script(
        Answer(200, RUN), stream(state(RUN), line(1, "one"), line(2, "two", "error"), END), Answer(200, DONE)
    )
    said = at(server.url, str(tmp_path))("status", "7", "--wait")
    assert said.code == 0
    assert said.out.splitlines() == [
        "08:00:00.123 one",
        "08:00:00.123 ERROR two",
        "Run 7 succeeded: app runs 2.",
    ]
    assert said.err == ""  # progress is for terminals


@pytest.mark.parametrize(
    "broken", [CUT, stream(line(1, "one"), cut=True), stream(line(1, "one"), "event: bye\ndata: x\n\n")]
)
def test_a_stream_that_breaks_goes_on_after_the_last_line(script: Serve, tmp_path: Path, broken: Answer) -> None:
    server = script(Answer(200, RUN), stream(line(1, "one")), broken, stream(line(2, "two"), END), Answer(200, DONE))
    if broken is not CUT:
        server.answers.pop(1)
    said = at(server.url, str(tmp_path))("status", "7", "--wait")
    assert (said.code, [each[13:] for each in said.out.splitlines()[:2]]) == (0, ["one", "two"])
    asked = [each for each in server.asked if each.path.endswith("/events")]
    assert (asked[0].headers["last-event-id"], asked[-1].headers["last-event-id"]) == ("0", "1")


def test_a_server_that_is_gone_is_told_with_how_to_go_on(script: Serve, tmp_path: Path) -> None:
    server = script(Answer(200, RUN), *[CUT] * 4)
    said = at(server.url, str(tmp_path))("status", "7", "--wait")
    assert said.code == 4
    assert said.err.splitlines()[-1] == (
        "drydock: Run 7 goes on. Follow it: drydock status 7 --wait. End it: drydock cancel 7"
    )


@pytest.mark.parametrize(
    ("run", "code", "told"),
    [
        (FAILED, 1, "failed: Look at its log."),
        (WAITING, 5, "drydock approve 7"),
        (PAUSED, 5, "https://d.example/runs/7/"),
    ],
)
def test_how_it_stands_is_the_exit_code(
    script: Serve, tmp_path: Path, run: dict[str, Any], code: int, told: str
) -> None:
    frames = [line(1, "one"), state(run)]
    answer = stream(*frames, END) if run["ended"] else stream(*frames, hangs=True)  # what waits may do so for hours
    server = script(Answer(200, RUN), answer, Answer(200, run))
    said = at(server.url, str(tmp_path))("status", "7", "--wait")
    assert (said.code, told in said.err) == (code, True)


def test_with_json_the_run_is_all_that_output_gets(script: Serve, tmp_path: Path) -> None:
    server = script(Answer(200, RUN), stream(line(1, "one"), END), Answer(200, DONE))
    said = at(server.url, str(tmp_path))("status", "7", "--wait", "--json")
    assert (said.code, said.document["status"]) == (0, "succeeded")
    assert said.err == "08:00:00.123 one\n"


def test_who_may_not_look_is_told_at_once(script: Serve, tmp_path: Path) -> None:
    server = script(problem(404, "not_found"))
    assert at(server.url, str(tmp_path))("logs", "7", "--wait").code == 3


def test_events_are_read_whatever_the_pieces_they_come_in() -> None:
    one = ': hello\n\nevent: log\nid: 3\ndata: {"a":\ndata:  "\u2028\u0085é"}\r\n\n'
    text = f"{one}id: 4\n\ndata: x\n\ndata: half\n".encode()
    wanted = [Event("log", '{"a":\n "\u2028\u0085é"}', "3"), Event("", "x", "4")]
    for size in (1, 2, 3, len(text)):
        assert list(events(text[start : start + size] for start in range(0, len(text), size))) == wanted
