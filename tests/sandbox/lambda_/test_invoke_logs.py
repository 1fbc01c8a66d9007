"""What an invocation leaves in the log: START, END and REPORT with true figures, while it runs and at its end."""

import json
import re
import threading

from tests.sandbox.functions import Functions, until

REPORT = re.compile(
    r"REPORT RequestId: (?P<id>[\w-]+)\tDuration: (?P<duration>[\d.]+) ms\tBilled Duration: (?P<billed>\d+) ms\t"
    r"Memory Size: (?P<size>\d+) MB\tMax Memory Used: (?P<used>\d+) MB\t(?:Init Duration: (?P<init>[\d.]+) ms\t)?"
)
SLEEPS = "import time\ndef handler(event, context):\n    print('one')\n    time.sleep(0.2)\n    print('two')\n"


def test_start_end_and_report_frame_the_functions_own_lines(functions: Functions) -> None:
    functions.deploy(SLEEPS)
    functions.publish()
    answer = functions.api.invoke(FunctionName="app", Qualifier="1")
    request = answer["ResponseMetadata"]["RequestId"]
    lines = functions.lines()
    assert lines[:4] == [f"START RequestId: {request} Version: 1", "one", "two", f"END RequestId: {request}"]
    assert lines[4].startswith(f"REPORT RequestId: {request}\t")


def test_the_reports_figures_are_true(functions: Functions) -> None:
    functions.deploy(SLEEPS, MemorySize=256)
    reports = [REPORT.search(functions.invoke().log) for _ in range(2)]
    cold, warm = (report.groupdict() for report in reports if report)
    assert 200 <= float(cold["duration"]) < 2000
    assert int(cold["size"]) == 256
    assert 1 < int(cold["used"]) < 256
    assert float(cold["init"]) > 0
    assert int(cold["billed"]) >= float(cold["init"]) + float(cold["duration"]), "the init phase is billed"
    assert warm["init"] is None
    assert 0 <= int(warm["billed"]) - float(warm["duration"]) <= 1


def test_the_log_result_is_the_last_4_kb(functions: Functions) -> None:
    functions.deploy(
        "def handler(event, context):\n    for n in range(200):\n        print(f'line {n:03d} ' + '.' * 40)\n"
    )
    answer = functions.invoke()
    assert len(answer.log.encode()) == 4096
    assert "line 199" in answer.log
    assert "line 000" not in answer.log
    assert answer.log.splitlines()[-1].startswith("REPORT")
    assert sum(line.startswith("line ") for line in functions.lines()) == 200


def test_no_log_result_without_asking(functions: Functions) -> None:
    functions.deploy()
    assert "LogResult" not in functions.api.invoke(FunctionName="app")


def test_lines_are_in_the_log_group_while_the_function_runs(functions: Functions) -> None:
    functions.deploy("import time\ndef handler(event, context):\n    print('early')\n    time.sleep(3)\n", Timeout=10)
    call = threading.Thread(target=functions.invoke)
    call.start()
    until(lambda: "early" in functions.lines())
    assert not any(line.startswith("END") for line in functions.lines())
    call.join()
    assert any(line.startswith("END") for line in functions.lines())


def test_lines_go_to_the_functions_own_log_group(functions: Functions) -> None:
    functions.deploy("def handler(event, context):\n    print('here')\n", LoggingConfig={"LogGroup": "/own/group"})
    functions.invoke()
    assert "here" in functions.lines(group="/own/group")
    assert functions.lines() == []


def test_streams_of_a_group_that_functions_share_are_named_after_the_function(functions: Functions) -> None:
    for name in ("orders", "refunds"):
        functions.deploy(name=name, LoggingConfig={"LogGroup": "/shared"})
        functions.invoke(name)
    streams = functions.logs.describe_log_streams(logGroupName="/shared")["logStreams"]
    names = sorted(stream["logStreamName"] for stream in streams)
    assert [re.sub(r"^\d{4}/\d\d/\d\d/|[0-9a-f]{32}$", "", name) for name in names] == [
        "orders[$LATEST]",
        "refunds[$LATEST]",
    ]


def test_a_carriage_return_ends_no_event_and_stays_in_its_message(functions: Functions) -> None:
    functions.deploy(
        "def handler(event, context):\n"
        "    print('[ERROR] ValueError: no\\rTraceback:\\r  File', flush=True)\n"
        "    print('windows\\r\\nlast')\n"
    )
    answer = functions.invoke()
    assert functions.lines()[1:4] == ["[ERROR] ValueError: no\rTraceback:\r  File", "windows\r", "last"]
    assert "no\rTraceback:\r  File\nwindows\r\nlast\n" in answer.log


def test_each_environment_writes_a_stream_of_its_own_version(functions: Functions) -> None:
    functions.deploy()
    functions.publish()
    functions.invoke()
    functions.invoke(Qualifier="1")
    streams = functions.logs.describe_log_streams(logGroupName="/aws/lambda/app")["logStreams"]
    names = sorted(stream["logStreamName"].split("/", 3)[3] for stream in streams)
    assert [re.sub("[0-9a-f]{32}$", "…", name) for name in names] == ["[$LATEST]…", "[1]…"]


def test_a_line_without_an_end_and_standard_error_are_logged(functions: Functions) -> None:
    functions.deploy(
        "import sys\n"
        "def handler(event, context):\n"
        "    print('to stderr', file=sys.stderr)\n"
        "    print('no end', end='')\n"
    )
    functions.invoke()
    assert functions.lines()[1:3] == ["to stderr", "no end"]


def test_pythons_logging_is_in_lambdas_format(functions: Functions) -> None:
    functions.deploy("import logging\ndef handler(event, context):\n    logging.warning('careful')\n")
    assert re.search(r"\[WARNING\]\t\S+Z\t[\w-]{36}\tcareful", functions.invoke().log)


def test_the_json_format_reports_as_platform_events(functions: Functions) -> None:
    functions.deploy(
        "import logging\ndef handler(event, context):\n    logging.warning('careful')\n",
        LoggingConfig={"LogFormat": "JSON"},
    )
    events = [json.loads(line) for line in functions.invoke().log.splitlines()]
    assert [event.get("type", event.get("message")) for event in events] == [
        "platform.start",
        "careful",
        "platform.report",
    ]
    assert events[-1]["record"]["metrics"]["memorySizeMB"] == 128
