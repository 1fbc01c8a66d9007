"""A line's level is what its own logger says it is, a row per logger; a line that only speaks of one is none."""

import pytest

from functions_app.domain.changes.logs.levels import level_of

ID = "6f1b2c3d-1111-4222-8333-444455556666"
NOW = "2026-03-01T10:00:00.123Z"


@pytest.mark.parametrize(
    ("line", "level"),
    [
        # Lambda's own JSON log format, and structured loggers
        (f'{{"timestamp":"{NOW}","level":"ERROR","message":"no","requestId":"{ID}"}}', "error"),
        (f'{{"timestamp":"{NOW}","level":"WARN","message":"no","requestId":"{ID}"}}', "warning"),
        ('{"level":"TRACE","message":"x"}', "debug"),
        ('{"level":"FATAL","message":"x"}', "error"),
        ('{"level":50,"time":1760000000000,"pid":8,"hostname":"x","msg":"no"}', "error"),  # pino
        ('{"level":60,"time":1,"msg":"no"}', "error"),
        ('{"level":40,"time":1,"msg":"slow"}', "warning"),
        ('{"level":30,"time":1,"msg":"error"}', "info"),
        ('{"level":20,"time":1,"msg":"x"}', "debug"),
        ('{"level":35,"time":1,"msg":"own level between"}', "info"),
        ('{"name":"app","hostname":"h","pid":1,"level":50,"msg":"no","time":"2026","v":0}', "error"),  # bunyan
        ('{"level":"error","ts":1760000000.1,"caller":"main.go:8","msg":"no"}', "error"),  # zap
        ('{"level":"dpanic","ts":1,"msg":"no"}', "error"),
        ('{"level":"warn","time":"2026","message":"slow"}', "warning"),  # zerolog
        ('{"time":"2026","level":"ERROR+2","msg":"no"}', "error"),  # slog
        ('{"time":"2026","level":"WARN-1","msg":"slow"}', "warning"),
        ('{"@t":"2026","@mt":"no","@l":"Error"}', "error"),  # Serilog, compact
        ('{"@t":"2026","@mt":"no {Error}","Error":"x"}', "info"),
        ('{"Timestamp":"2026","Level":"Fatal","MessageTemplate":"no"}', "error"),  # Serilog
        ('{"Timestamp":"2026","EventId":0,"LogLevel":"Critical","Category":"App","Message":"no"}', "error"),  # .NET
        ('{"asctime":"2026","levelname":"CRITICAL","message":"no"}', "error"),  # python-json-logger
        ('{"levelno":40,"msg":"no"}', "error"),
        ('{"levelno":30,"msg":"slow"}', "warning"),
        ('{"event":"no","level":"exception","timestamp":"2026"}', "error"),  # structlog
        ('{"@timestamp":"2026","level":"ERROR","level_value":40000,"message":"no"}', "error"),  # logback
        ('{"@timestamp":"2026","log.level":"error","message":"no"}', "error"),  # ECS
        ('{"@timestamp":"2026","log":{"level":"warn","logger":"x"},"message":"no"}', "warning"),  # ECS, nested
        ('{"severity":"ERROR","message":"no"}', "error"),  # Google's, Ruby's
        ('{"severity":"NOTICE","message":"x"}', "info"),
        ('{"severityText":"ERROR","severityNumber":17,"body":"no"}', "error"),  # OpenTelemetry
        ('{"severity_number":13,"body":"slow"}', "warning"),
        ('{"@level":"error","@message":"no","@timestamp":"2026"}', "error"),  # hclog
        ('{"version":"1.1","host":"h","short_message":"no","level":3}', "error"),  # GELF: syslog's numbers
        ('{"version":"1.1","host":"h","short_message":"slow","level":4}', "warning"),
        ('{"version":"1.1","host":"h","short_message":"x","level":6}', "info"),
        ('{"message":"no","context":{},"level":400,"level_name":"ERROR","channel":"app"}', "error"),  # Monolog
        ('{"lvl":"eror","msg":"no"}', "error"),  # log15
        # logfmt: logrus, slog, go-kit
        ('level=error msg="no"', "error"),
        ('time="2026-03-01T10:00:00Z" level=warning msg="slow"', "warning"),
        ('time=2026-03-01T10:00:00Z level=ERROR msg="no \\" level=info"', "error"),
        ("ts=2026-03-01T10:00:00Z caller=main.go:8 level=debug msg=x", "debug"),
        ('lvl="eror" msg=no', "error"),
        ("severity=critical msg=no", "error"),
        # Lambda's text format, by runtime
        (f"[ERROR]\t{NOW}\t{ID}\tno", "error"),  # Python
        (f"[WARNING]\t{NOW}\t{ID}\tslow", "warning"),
        (f"[INFO]\t{NOW}\t{ID}\tERROR is only a word", "info"),
        ("[ERROR] ValueError: no", "error"),
        ("[ERROR] Runtime.ExitError: no", "error"),
        (f"{NOW}\t{ID}\tERROR\tInvoke Error\t{{}}", "error"),  # Node
        (f"{NOW}\tundefined\tERROR\tUncaught Exception", "error"),
        (f"{NOW}\t{ID}\tWARN\tslow", "warning"),
        (f"{NOW}\t{ID}\tINFO\tERROR\tis only a word", "info"),
        (f"{NOW}\t{ID}\tfail\tno", "error"),  # .NET
        (f"{NOW}\t{ID}\tcrit\tno", "error"),
        (f"{NOW}\t{ID}\twarn\tslow", "warning"),
        (f"{NOW}\t{ID}\tdbug\tx", "debug"),
        (f"2026-03-01 10:00:00 {ID} ERROR Handler:23 - no", "error"),  # Java, log4j2
        (f"E, [2026-03-01T10:00:00.123456 #8] {ID} ERROR -- : no", "error"),  # Ruby
        ("W, [2026-03-01T10:00:00.123456 #8]  WARN -- app: slow", "warning"),
        (f"{NOW} {ID} Task timed out after 3.00 seconds", "info"),
        # Loggers as they come
        ("ERROR:root:no", "error"),  # Python, basicConfig
        ("WARNING:app.db:slow", "warning"),
        ("2026-03-01 10:00:00,123 - app.db - ERROR - no", "error"),
        ("2026-03-01 10:00:00,123 ERROR app.db: no", "error"),
        ("2026-03-01 10:00:00,123 [ERROR] app.db: no", "error"),
        ("2026-03-01 10:00:00,123 app.db ERROR no", "error"),
        ("2026-03-01 10:00:00.123 | ERROR    | app:main:8 - no", "error"),  # loguru
        ("2026-03-01 10:00:00 [error    ] no   [app] code=3", "error"),  # structlog
        ("ERROR:    Exception in ASGI application", "error"),  # uvicorn
        ('INFO:     127.0.0.1:80 - "GET /error HTTP/1.1" 500', "info"),
        ("[2026-03-01 10:00:00 +0000] [8] [ERROR] Worker failed", "error"),  # gunicorn
        ("[2026-03-01 10:00:00,123: WARNING/MainProcess] slow", "warning"),  # celery
        ("10:00:00.123 [main] ERROR c.x.App - no", "error"),  # logback
        ("2026-03-01 10:00:00,123 [main] WARN  c.x.App - slow", "warning"),  # log4j
        ("2026-03-01T10:00:00.123Z ERROR 8 --- [main] c.x.App : no", "error"),  # Spring Boot
        ("SEVERE: no", "error"),  # java.util.logging
        ("WARNING: slow", "warning"),
        ("fail: App.Worker[0]", "error"),  # .NET console
        ("warn: App.Worker[0]", "warning"),
        ("[10:00:00 ERR] no", "error"),  # Serilog console
        ("[10:00:00 WRN] slow", "warning"),
        ("[10:00:00 INF] ERR no", "info"),
        (f"{NOW}\tERROR\tapp/main.go:8\tno", "error"),  # zap console
        ("2026-03-01T10:00:00.123+0100\terror\tapp/main.go:8\tno", "error"),
        ("10:00AM ERR no code=3", "error"),  # zerolog console
        ("ERRO[0003] no", "error"),  # logrus on a terminal
        ("WARN[0003] slow", "warning"),
        ("2026/03/01 10:00:00 ERROR no code=3", "error"),  # slog's default
        ("E0301 10:00:00.123456       8 main.go:8] no", "error"),  # klog, glog
        ("W0301 10:00:00.123456       8 main.go:8] slow", "warning"),
        ("I0301 10:00:00.123456       8 main.go:8] ERROR", "info"),
        ("[2026-03-01T10:00:00Z ERROR app::db] no", "error"),  # Rust, env_logger
        ("2026-03-01T10:00:00.123456Z ERROR app::db: no", "error"),  # Rust, tracing
        ("[2026-03-01T10:00:00.123456+00:00] app.ERROR: no [] []", "error"),  # PHP, Monolog
        ('error: no {"code":3}', "error"),  # winston, simple
        ("2026-03-01T10:00:00.123Z error: no", "error"),
        ("2026-03-01T10:00:00.123Z [orders] warn: slow", "warning"),
        ("Error: connect ECONNREFUSED", "error"),  # Node's console.error(error)
        ("[Nest] 8  - 03/01/2026, 10:00:00 AM   ERROR [App] no", "error"),
        ("\x1b[31mERROR\x1b[0m no", "error"),  # in colours
        ("\x1b[90m10:00AM\x1b[0m \x1b[31mERR\x1b[0m no", "error"),
        ("WARN about to fail", "warning"),
        ("DEBUG x", "debug"),
        ("[FATAL] no", "error"),
        ("CRITICAL no", "error"),
        ("  ERROR  no", "error"),
        ("*** ERROR no", "error"),
    ],
)
def test_a_line_has_the_level_that_its_logger_gave_it(line: str, level: str) -> None:
    assert level_of(line) == level


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no error at all",
        "errors: 0",
        "Error rate: 0.1 %",
        "Error handling is on",
        "error: None",
        "error: null",
        "error: 0",
        "error:",
        "failed: 0, error: 0",
        "fail fast is on",
        "Warning signs are taught here",
        "Critical path: 3 steps",
        "3 ERROR lines found",
        "404 ERROR page is cached",
        "retry 2 of 3: ERROR again",
        "found ERROR in the text",
        "set level=error in the config",
        'msg="set level=error" code=3',
        'msg="x" cause=level=error',
        'the JSON was {"level":"ERROR"}',
        '{"message":"level: ERROR","error":null}',
        '{"message":"{\\"level\\":\\"ERROR\\"}"}',
        '{"user":{"level":"ERROR"}}',
        '{"level":"errors"}',
        '{"level":3}',
        '{"level":5,"player":"x"}',
        '{"level":true}',
        '{"level":null}',
        '{"level":"ERROR"',
        '{"severity":2.5e400}',
        '["level","ERROR"]',
        "[orders] error budget is 3 %",
        "2026-03-01T10:00:00.123Z the ERROR page is cached",
        "2026-03-01 no ERROR",
        "2026-03-01 10:00:00,123 - app - INFO - a - ERROR - b",
        "2026-03-01 10:00:00,123 INFO app: ERROR",
        f'{NOW}\t{ID}\tINFO\t{{"level":"x"}}',
        "E0301 is a part",
        "ErrorHandler started",
        "ERROR_QUEUE=orders-dlq",
        "ERRORS 0",
        "ERROR-free for 3 days",
        "START RequestId: 1 Version: 2",
        "REPORT RequestId: 1\tDuration: 1.00 ms\tStatus: error\tError Type: X",
        '{"time":"2026","type":"platform.report","record":{"status":"error"}}',
        "{" * 100_000,
        '{"a":' * 50_000,
        '{"level":' + "9" * 5_000 + "}",
        '{"time":1,"level":' + "9" * 1_000 + "}",
        '{"time":1,"level":1e999}',
    ],
)
def test_a_line_that_only_speaks_of_an_error_is_none(line: str) -> None:
    assert level_of(line) == "info"


@pytest.mark.parametrize("line", ["[İNFO] x", "level=İNFO x", "[CRİTİCAL] x", "İNFO - x"])
def test_a_word_with_a_letter_that_is_only_taken_for_another_is_no_level(line: str) -> None:
    assert level_of(line) == "info"


def test_a_word_in_small_letters_of_another_script_is_the_level_that_it_is_in_capitals() -> None:
    assert level_of("[crıtıcal] x") == "error"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["a=", 'a="', "1:", "[", "[1 ", "- ", "2026-03-01 ", "\x1b[", " ", "a=b ", "1", "\t", '{"a":']
)
def test_a_long_line_costs_no_more_than_its_beginning(piece: str) -> None:
    for _ in range(200):
        assert level_of(piece * 50_000) == "info"
