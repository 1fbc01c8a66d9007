"""The JSON log format: the platform's words as events, with the figures of REPORT, at the levels that were set."""

import json
from typing import Any

from tests.sandbox.functions import Functions

LOGS = (
    "import logging, time\n"
    "def handler(event, context):\n"
    "    logging.info('fine')\n"
    "    logging.warning('careful')\n"
    "    time.sleep(event)\n"
)


def deploy(functions: Functions, code: str = LOGS, timeout: int = 3, **levels: str) -> None:
    """Deploy a function that logs in JSON."""
    functions.deploy(code, Timeout=timeout, MemorySize=256, LoggingConfig={"LogFormat": "JSON"} | levels)


def events(log: str) -> list[dict[str, Any]]:
    """The log's lines, read."""
    return [json.loads(line) for line in log.splitlines()]


def names(functions: Functions, seconds: float = 0) -> list[str]:
    """The platform's event types and the function's own messages of one invocation."""
    return [event.get("type") or event["message"] for event in events(functions.invoke(event=seconds).log)]


def test_the_report_event_has_the_reports_figures(functions: Functions) -> None:
    deploy(functions)
    cold, warm = (events(functions.invoke(event=0.2).log)[-1] for _ in range(2))
    assert cold["type"] == warm["type"] == "platform.report"
    assert cold["time"].endswith("Z")
    assert (cold["record"]["status"], warm["record"]["status"]) == ("success", "success")
    figures = cold["record"]["metrics"]
    assert 200 <= figures["durationMs"] < 2500
    assert figures["billedDurationMs"] >= figures["durationMs"] + figures["initDurationMs"]
    assert (figures["memorySizeMB"], figures["maxMemoryUsedMB"] > 1) == (256, True)
    assert "initDurationMs" not in warm["record"]["metrics"]


def test_the_platforms_events_name_the_request(functions: Functions) -> None:
    deploy(functions)
    functions.publish()
    answer = functions.api.invoke(FunctionName="app", Qualifier="1", Payload=b"0")
    request = answer["ResponseMetadata"]["RequestId"]
    written = [json.loads(line) for line in functions.lines()]
    assert written[0]["type"] == "platform.start"
    assert written[0]["record"] == {"requestId": request, "version": "1"}
    assert written[-1]["record"]["requestId"] == request


def test_a_timeout_is_the_reports_status(functions: Functions) -> None:
    deploy(functions, timeout=1)
    report = events(functions.invoke(event=9).log)[-1]
    assert (report["type"], report["record"]["status"]) == ("platform.report", "timeout")
    assert report["record"]["metrics"]["durationMs"] == 1000


def test_a_failed_init_is_the_reports_status(functions: Functions) -> None:
    deploy(functions, "import nowhere\n")
    report = events(functions.invoke().log)[-1]
    assert (report["record"]["status"], report["record"]["errorType"]) == ("error", "Runtime.ImportModuleError")


def test_the_application_log_level_holds_back_lower_levels(functions: Functions) -> None:
    deploy(functions, ApplicationLogLevel="WARN")
    assert names(functions) == ["platform.start", "careful", "platform.report"]
    functions.configure(LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO"})
    assert names(functions) == ["platform.start", "fine", "careful", "platform.report"]


def test_the_system_log_level_holds_back_what_went_well(functions: Functions) -> None:
    deploy(functions, timeout=1, SystemLogLevel="WARN")
    assert names(functions) == ["fine", "careful"]
    assert names(functions, 9)[-1] == "platform.report"
