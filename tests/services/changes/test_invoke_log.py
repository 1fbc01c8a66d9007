"""The live log of an invocation: complete, prompt and ours alone, whatever function, group and clocks do."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from functions_app.domain.changes.invocations import Mode
from functions_app.domain.runs import Status, StepStatus
from functions_app.models import LogLine, Run
from functions_app.services.changes import invoke as invocations
from functions_app.services.changes import live_log
from functions_app.services.people.actor import Actor
from tests import settings
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions, python_image, until
from tests.services.changes.stage import Stage, carry_out, log_of, make_stage
from tests.services.changes.test_invoke import CHATTER, become, function_lines, invoke

pytestmark = pytest.mark.django_db(transaction=True)

PROMPT = 8.0  # seconds: well under the 15 that a group gets to deliver
LOGGING = """
import logging, time
logging.getLogger().setLevel("INFO")
def handler(event, context):
    for number in range(event.get("lines", 20)):
        logging.info("line %d %s", number, "x" * event.get("width", 0))
        time.sleep(event.get("pause", 0))
"""
WITHOUT_FRAME = {"LogFormat": "JSON", "SystemLogLevel": "WARN"}
LONG = {"lines": 60, "width": 200}
ANOTHER = "6f1b2c3d-1111-4222-8333-444455556666"  # a request of somebody else's


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function to be given code."""
    return make_stage(functions, operator)


@pytest.fixture
def aws_ahead(sandbox: Sandbox) -> Iterator[Any]:
    """Sets how far AWS's clock is ahead of ours, in seconds."""

    def ahead(seconds: float) -> None:
        sandbox.admin("POST", "clock", {"ahead": float(settings.CLOCK_AHEAD) + seconds})

    yield ahead
    ahead(0)


@dataclass
class Background:
    """A run that is carried out in a thread of its own."""

    run: Run
    thread: threading.Thread

    def ended(self) -> Run:
        """The run, once it has ended."""
        self.thread.join()
        return Run.objects.get(pk=self.run.pk)


Begin = Callable[[Any], Background]


@pytest.fixture
def begin(stage: Stage) -> Iterator[Begin]:
    """Submits, and carries out meanwhile."""
    threads = []

    def work(run: Run) -> None:
        try:
            carry_out(run)
        finally:
            connections.close_all()

    def started(payload: Any) -> Background:
        run = invocations.submit(stage.function, "$LATEST", json.dumps(payload), Mode.SYNC, stage.actor)
        threads.append(threading.Thread(target=work, args=(run,)))
        threads[-1].start()
        return Background(run, threads[-1])

    yield started
    for thread in threads:
        thread.join()


def numbers(run: Run) -> list[int]:
    """The numbers of the function's lines, as they were logged."""
    found = [line[line.index("line ") :].split() for line in function_lines(run) if "line " in line]
    return [int(words[1].strip('",')) for words in found]


def seen_while_running(background: Background, text: str) -> bool:
    """Whether the line comes before the run ends."""
    line = LogLine.objects.filter(run=background.run, text__contains=text)
    until(lambda: line.exists() or not background.thread.is_alive())
    return line.exists() and Run.objects.get(pk=background.run.pk).status == Status.RUNNING


def test_a_function_that_prints_what_ends_a_request_loses_no_line(stage: Stage) -> None:
    figures = "Duration: 1 ms\\tBilled Duration: 1 ms\\tMemory Size: 1 MB\\tMax Memory Used: 1 MB"
    forged = f'print("START RequestId: 1111\\nEND RequestId: 1111\\nREPORT RequestId: 1111\\t{figures}")'
    become(stage, CHATTER.replace("    for", f"    {forged}\n    for"))
    run = invoke(stage, LONG)
    assert numbers(run) == list(range(60))
    assert run.result["report"]["request_id"] == run.result["answer"]["request_id"]
    assert not run.result["log_cut"]


def test_carriage_returns_within_a_message_end_lines(stage: Stage) -> None:
    become(stage, "def handler(event, context):\n    raise ValueError('no such order')\n")
    lines = function_lines(invoke(stage))
    assert lines[1:3] == ["[ERROR] ValueError: no such order", "Traceback (most recent call last):"]
    assert lines[3].lstrip("\xa0").startswith('File "/var/task/app.py"')


def test_another_function_that_writes_to_our_group_is_not_ours(stage: Stage, begin: Begin) -> None:
    shared = {"Timeout": 30, "LoggingConfig": {"LogGroup": "/shared"}}
    become(stage, CHATTER, **shared)
    stage.functions.deploy(python_image(CHATTER.replace("line", "theirs"), name="noise"), "noise", **shared)
    stage.functions.invoke("noise", {"theirss": 1})
    until(lambda: any("REPORT" in line for line in stage.functions.lines(group="/shared")))
    background = begin({"lines": 60, "pause": 0.1})
    until(lambda: "line 0" in _texts(stage))
    _begin_another(stage, "noise")  # and its end is never written: as long as ours runs, it does
    written = max(int(text.split()[1]) for text in _texts(stage) if text.startswith("line "))
    ours = LogLine.objects.filter(run=background.run, text=f"line {written + 10}")
    until(lambda: ours.exists() or "line 59" in _texts(stage))
    assert ours.exists()
    assert "line 59" not in _texts(stage)
    run = background.ended()
    assert numbers(run) == list(range(60))
    assert not [line for line in log_of(run) if "theirs" in line or "another invocation" in line]


def _texts(stage: Stage) -> list[str]:
    """What was written into the shared group."""
    return [line.strip() for line in stage.functions.lines(group="/shared")]


def _begin_another(stage: Stage, name: str) -> None:
    """A request of a function of which Lambda has written the beginning, into the stream that it wrote to before."""
    logs = stage.functions.logs
    events = logs.filter_log_events(logGroupName="/shared")["events"]
    stream = next(event["logStreamName"] for event in events if f"/{name}[" in event["logStreamName"])
    begin_another(logs, "/shared", stream, [f"START RequestId: {ANOTHER} Version: $LATEST", "theirs 1"])


def begin_another(logs: Any, group: str, stream: str, lines: list[str]) -> None:
    """Write these lines now, by AWS's clock."""
    answer = logs.describe_log_streams(logGroupName=group)
    if stream not in {known["logStreamName"] for known in answer["logStreams"]}:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    at = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    told = [{"timestamp": int(at.timestamp() * 1000), "message": line} for line in lines]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=told)


@pytest.mark.parametrize("ahead", [-30, 30])
def test_lines_are_live_and_complete_whatever_our_clock_says(
    stage: Stage, begin: Begin, aws_ahead: Any, ahead: float
) -> None:
    become(stage, CHATTER, Timeout=30)
    aws_ahead(ahead)
    background = begin({"lines": 30, "pause": 0.05, "width": 300})
    assert seen_while_running(background, "line 3")
    assert numbers(background.ended()) == list(range(30))


def test_what_ran_before_is_not_ours_where_our_clock_is_behind(stage: Stage, aws_ahead: Any) -> None:
    become(stage, CHATTER.replace("line", "earlier"), LoggingConfig=WITHOUT_FRAME)
    stage.functions.invoke("app", {"earliers": 3})
    aws_ahead(40)
    stage.functions.invoke("app", {"earliers": 1})
    aws_ahead(80)
    run = invoke(stage, {"earliers": 2})
    assert [line.split()[1] for line in function_lines(run)] == ["0", "1"]
    assert not [line for line in log_of(run) if "another invocation" in line]


@pytest.mark.parametrize(("code", "name"), [(LOGGING, "logged"), (CHATTER, "printed")], ids=["logged", "printed"])
@pytest.mark.parametrize("width", [0, 300], ids=["whole tail", "cut tail"])
def test_json_without_start_and_report_is_live_complete_and_not_waited_for(
    stage: Stage, begin: Begin, code: str, name: str, width: int
) -> None:
    become(stage, code, Timeout=30, LoggingConfig=WITHOUT_FRAME)
    background = begin({"lines": 20, "pause": 0.08, "width": width})
    assert seen_while_running(background, "line 3"), name
    until(lambda: numbers(background.run)[-1:] == [19])
    began = time.monotonic()
    run = background.ended()
    assert time.monotonic() - began < PROMPT
    assert numbers(run) == list(range(20))
    assert not run.result["log_cut"]
    assert not [line for line in log_of(run) if "missing" in line or "another invocation" in line]


def test_a_group_that_may_not_be_read_is_told_at_once_and_not_waited_for(
    stage: Stage, begin: Begin, sandbox: Sandbox
) -> None:
    become(stage, CHATTER, Timeout=30)
    sandbox.admin("POST", "denials", {"account": stage.account.account_id, "actions": ["logs:FilterLogEvents"]})
    background = begin(LONG | {"pause": 0.05})
    assert seen_while_running(background, "logs:FilterLogEvents is missing")
    until(lambda: Run.objects.get(pk=background.run.pk).result.get("answer") or not background.thread.is_alive())
    began = time.monotonic()
    run = background.ended()
    assert time.monotonic() - began < PROMPT
    assert numbers(run)[-1:] == [59]
    assert run.result["log_cut"]
    assert not [line for line in log_of(run) if "did not deliver" in line]


def test_the_level_is_the_lines_own_and_of_a_link_the_text_is_shown(stage: Stage) -> None:
    become(
        stage,
        "def handler(event, context):\n"
        """    print('{"level": 50, "time": 1, "msg": "no"}')\n"""
        """    print('level=error msg=no')\n"""
        """    print('{"level": "INFO", "message": "error"}')\n"""
        """    print('see \\x1b]8;;https://example.com\\x07the docs\\x1b]8;;\\x07')\n""",
    )
    run = invoke(stage)
    assert list(run.lines.filter(source="function").values_list("level", "text"))[1:5] == [
        ("error", '{"level": 50, "time": 1, "msg": "no"}'),
        ("error", "level=error msg=no"),
        ("info", '{"level": "INFO", "message": "error"}'),
        ("info", "see the docs"),
    ]


class Test_a_function_that_writes_more_than_a_look_can_hold:
    """Lines of 100 KB, so that a page holds ten of them."""

    LINES = 400

    @pytest.fixture
    def talkative(self, stage: Stage) -> Stage:
        become(stage, CHATTER, Timeout=120)
        return stage

    def test_is_read_on_until_the_end(self, talkative: Stage) -> None:
        run = invoke(talkative, {"lines": self.LINES, "width": 100_000})
        numbers = [line.split()[1] for line in function_lines(run) if line.startswith("line")]
        assert numbers == [str(number) for number in range(self.LINES)]
        assert (run.result["log_cut"], run.result["log_full"]) == (False, False)

    def test_has_a_limit_that_is_said(self, talkative: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """The limit is lowered: a quarter of a million lines would take minutes."""
        monkeypatch.setattr(live_log, "MOST", 50)
        run = invoke(talkative, {"lines": 200})
        assert len(function_lines(run)) == 50
        assert [line for line in log_of(run) if "keeps 50 lines of an invocation" in line]
        assert (run.status, run.result["log_full"]) == (Status.SUCCEEDED, True)


def test_lines_of_another_that_seemed_to_be_ours_are_told_apart_in_the_end(
    stage: Stage, begin: Begin, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    go.touch()
    become(stage, f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(.05)\n{CHATTER}", Timeout=30)
    stage.functions.invoke("app", {"lines": 0})  # its log group is there
    stage.functions.configure("app", Description="the next call has to wait until it has started")
    go.unlink()
    background = begin({"lines": 400})
    until(lambda: background.run.steps.filter(name="invoke", status=StepStatus.RUNNING).exists())
    theirs = [f"START RequestId: {ANOTHER} Version: $LATEST", *(f"line {number}" for number in range(5))]
    begin_another(stage.functions.logs, "/aws/lambda/app", "2026/11/29/[$LATEST]another", theirs)
    until(lambda: LogLine.objects.filter(run=background.run, text="line 4").exists())
    go.touch()
    run = background.ended()
    assert numbers(run) == list(range(400))
    assert list(run.lines.filter(source="other").values_list("text", flat=True)) == theirs
    assert sum("belong to another invocation" in line for line in log_of(run)) == 1
