"""What the environment may say about streams, hooks and queues; what is malformed is named, and shows no secret."""

from datetime import timedelta
from pathlib import Path

import pytest

from dashboard.env import WORKER_THREADS, Environment, read
from functions_app.domain.runs import Queue

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:drydock-events"


def given(folder: Path, **variables: str) -> Environment:
    """The environment with these variables."""
    return read({"DRYDOCK_DATA_DIR": str(folder), **variables})


def test_by_default_all_of_lambdas_bases_are_watched_and_no_events_are_heard(tmp_path: Path) -> None:
    environment = given(tmp_path)
    assert (environment.base_streams, environment.hook_token, environment.event_queues) == ((), "", ())


def test_a_choice_of_bases_and_several_queues_are_lists(tmp_path: Path) -> None:
    environment = given(
        tmp_path, DRYDOCK_BASE_STREAMS="python:3.12, java:8.al2", DRYDOCK_EVENT_QUEUES=f"{QUEUE},{QUEUE}.fifo"
    )
    assert environment.base_streams == ("python:3.12", "java:8.al2")
    assert environment.event_queues == (QUEUE, f"{QUEUE}.fifo")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DRYDOCK_BASE_STREAMS", "python"),
        ("DRYDOCK_BASE_STREAMS", "public.ecr.aws/lambda/python:3.12"),
        ("DRYDOCK_EVENT_QUEUES", "drydock-events"),
        ("DRYDOCK_EVENT_QUEUES", "https://sqs.eu-west-1.amazonaws.com/123456789012/drydock-events"),
        ("DRYDOCK_EVENT_QUEUES", QUEUE.replace("123456789012", "12")),
        ("DRYDOCK_HOOK_TOKEN", "short"),
        ("DRYDOCK_REBUILD_WEBHOOK_URL", "https://ci.example/hooks"),  # without a secret
        ("DRYDOCK_REBUILD_WEBHOOK_URL", "ftp://ci.example"),
        ("DRYDOCK_REBUILD_WEBHOOK_SECRET", "a-secret-without-an-address"),
    ],
)
def test_what_is_malformed_is_named(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=variable):
        given(tmp_path, **{variable: value})


def test_a_pipeline_has_an_address_and_a_secret_and_neither_is_shown(tmp_path: Path) -> None:
    address, secret = "https://login:pass@ci.example/hooks", "a-secret-that-is-long-enough"
    environment = given(tmp_path, DRYDOCK_REBUILD_WEBHOOK_URL=address, DRYDOCK_REBUILD_WEBHOOK_SECRET=secret)
    assert (environment.rebuild_webhook_url, environment.rebuild_webhook_secret) == (address, secret)
    assert "ci.example" not in repr(environment)
    assert secret not in repr(environment)


@pytest.mark.parametrize("variable", ["DRYDOCK_HOOK_TOKEN", "DRYDOCK_METRICS_TOKEN"])
def test_a_token_is_not_shown(tmp_path: Path, variable: str) -> None:
    environment = given(tmp_path, **{variable: "a-token-that-is-long-enough"})
    assert "a-token-that-is-long-enough" in (environment.hook_token, environment.metrics_token)
    assert "a-token-that" not in repr(environment)
    with pytest.raises(ValueError, match="at least") as caught:
        given(tmp_path, **{variable: "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_threads_of_workers_can_be_changed_one_by_one(tmp_path: Path) -> None:
    assert given(tmp_path).worker_threads == WORKER_THREADS
    assert given(tmp_path, DRYDOCK_WORKER_THREADS="reading=16").worker_threads["reading"] == 16
    assert set(WORKER_THREADS) == set(Queue)


@pytest.mark.parametrize("text", ["reading", "reading=0", "reading=x", "nobody=3", "reading=1000"])
def test_other_numbers_of_threads_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="DRYDOCK_WORKER_THREADS"):
        given(tmp_path, DRYDOCK_WORKER_THREADS=text)


@pytest.mark.parametrize("seconds", ["nan", "inf", "abc", "1e30", "99999999999"])
def test_a_clock_that_is_no_number_of_seconds_is_refused(tmp_path: Path, seconds: str) -> None:
    with pytest.raises(ValueError, match="DRYDOCK_CLOCK_AHEAD"):
        given(tmp_path, DRYDOCK_DEMO="1", DRYDOCK_CLOCK_AHEAD=seconds)


@pytest.mark.parametrize("demo", [{}, {"DRYDOCK_DEMO": ""}])
def test_nobody_but_the_demo_moves_the_clock(tmp_path: Path, demo: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="only `manage"):
        given(tmp_path, DRYDOCK_CLOCK_AHEAD="86400", **demo)


def test_threads_that_wait_for_aws_are_a_number_that_the_database_can_bear(tmp_path: Path) -> None:
    assert given(tmp_path).plan_threads == 8
    assert given(tmp_path, DRYDOCK_PLAN_THREADS="3").plan_threads == 3
    for text in ("0", "65", "-1", "many"):
        with pytest.raises(ValueError, match="DRYDOCK_PLAN_THREADS: expected 1 to 64"):
            given(tmp_path, DRYDOCK_PLAN_THREADS=text)


@pytest.mark.parametrize("name", ["DRYDOCK_SESSION_IDLE_HOURS", "DRYDOCK_SESSION_DAYS"])
@pytest.mark.parametrize("text", ["0", "-1", "x", "1e9", "nan", "9999", "١٢"])
def test_a_session_lives_for_a_number_of_hours_or_days(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        given(tmp_path, **{name: text})


def test_a_session_ends_after_half_a_day_without_use_or_sooner_and_after_a_week(tmp_path: Path) -> None:
    assert given(tmp_path).session_idle == timedelta(hours=12)
    found = given(tmp_path, DRYDOCK_SESSION_IDLE_HOURS="0.5")
    assert (found.session_idle, found.session_longest) == (timedelta(minutes=30), timedelta(days=7))


@pytest.mark.parametrize(
    ("origins", "https", "hosts"),
    [
        ("", False, ()),
        ("https://drydock.example.com", True, ("drydock.example.com",)),
        ("https://drydock.example.com:8443,http://10.1.2.3:8000", True, ("drydock.example.com", "10.1.2.3")),
        ("http://10.1.2.3:8000", False, ("10.1.2.3",)),
        ("https://*.example.com", True, (".example.com",)),
        ("https://[fd00::1]:8443", True, ("[fd00::1]",)),
    ],
)
def test_the_address_that_people_type_says_hosts_and_https(
    tmp_path: Path, origins: str, https: bool, hosts: tuple[str, ...]
) -> None:
    environment = given(tmp_path, DRYDOCK_TRUSTED_ORIGINS=origins, DRYDOCK_ALLOWED_HOSTS="", DRYDOCK_HTTPS="")
    assert (environment.https, environment.allowed_hosts) == (https, ("localhost", "127.0.0.1", "[::1]", *hosts))


def test_hosts_and_https_can_be_said_otherwise(tmp_path: Path) -> None:
    origin = {"DRYDOCK_TRUSTED_ORIGINS": "https://drydock.example.com"}
    assert not given(tmp_path, **origin, DRYDOCK_HTTPS="0").https
    assert given(tmp_path, DRYDOCK_HTTPS="1").https
    hosts = given(tmp_path, **origin, DRYDOCK_ALLOWED_HOSTS="inside.example.com").allowed_hosts
    assert hosts == ("localhost", "127.0.0.1", "[::1]", "inside.example.com")


@pytest.mark.parametrize("text", ["drydock.example.com", "https://", "ftp://drydock.example.com", "https://a/b"])
def test_an_address_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="DRYDOCK_TRUSTED_ORIGINS"):
        given(tmp_path, DRYDOCK_TRUSTED_ORIGINS=text)
