"""What Prometheus reads: who may, what it finds, and that it costs the same however large the fleet is."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from functions_app import clock, rates
from functions_app.domain.runs import Kind, Priority, Queue, Status
from functions_app.models import Run, Scope
from functions_app.services.engine import clocks, messages, pulses
from tests.conftest import Valkey
from tests.factories import make_account

pytestmark = pytest.mark.django_db
TOKEN = "a token that is long enough"
Labels = frozenset[tuple[str, str]]


@pytest.fixture
def scraper(settings: Settings, valkey: Valkey) -> Client:
    """Prometheus: no session; the token is set."""
    valkey.flush()
    settings.ENV = dataclasses.replace(settings.ENV, metrics_token=TOKEN)
    return Client(headers={"Authorization": f"Bearer {TOKEN}"})


def scraped(client: Client) -> dict[tuple[str, Labels], float]:
    """Every sample, by name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(client: Client, name: str, **labels: str) -> float | None:
    return scraped(client).get((f"drydock_{name}", frozenset(labels.items())))


def make_run(**values: Any) -> Run:
    facts = {"kind": Kind.DEPLOYMENT, "status": Status.QUEUED, "title": "Deploy", "actor_name": "olga"}
    return Run.objects.create(created_at=clock.now(), **{**facts, **values})


class Test_who_may_read:
    def test_nobody_without_a_token_of_the_installation(self, client: Client, settings: Settings) -> None:
        assert settings.ENV.metrics_token == ""
        assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404

    @pytest.mark.parametrize("sent", ["", "Bearer wrong", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x"])
    def test_nobody_who_does_not_show_it(self, scraper: Client, sent: str) -> None:
        answer = Client().get("/metrics", headers={"Authorization": sent} if sent else {})

        assert answer.status_code == 401
        assert b"drydock_" not in answer.content

    def test_not_even_an_administrator_in_the_browser(self, scraper: Client, client: Client, superuser: User) -> None:
        client.force_login(superuser)
        assert client.get("/metrics").status_code == 401

    def test_nothing_can_be_sent(self, scraper: Client) -> None:
        assert scraper.post("/metrics").status_code == 405


class Test_figures:
    def test_runs_by_kind_and_status(self, scraper: Client) -> None:
        for status in (Status.FAILED, Status.FAILED, Status.SUCCEEDED):
            make_run(status=status)

        assert value(scraper, "runs", kind="deployment", status="failed") == 2
        assert value(scraper, "runs", kind="deployment", status="succeeded") == 1

    def test_what_is_due_by_queue_and_for_how_long(self, scraper: Client) -> None:
        make_run(wake_at=clock.now() - timedelta(minutes=5))
        make_run(wake_at=clock.now() + timedelta(minutes=5))

        assert value(scraper, "runs_due", queue="changes") == 1
        assert 300 <= (value(scraper, "run_due_age_seconds", queue="changes") or 0) < 360
        assert value(scraper, "run_due_age_seconds", queue="invocations") == 0

    def test_signs_of_life_of_workers_and_ticks(self, scraper: Client) -> None:
        assert value(scraper, "tick_age_seconds") is None
        pulses.note_tick()
        pulses.note_message(Queue.TICK)
        pulses.tell([Queue.TICK])

        ticked = value(scraper, "tick_age_seconds")
        assert ticked is not None
        assert 0 <= ticked < 60
        assert value(scraper, "worker_age_seconds", queue="tick") is not None
        assert value(scraper, "worker_age_seconds", queue="changes") is None
        took = value(scraper, "message_taken_age_seconds", queue="tick")
        assert took is not None
        assert 0 <= took < 60

    def test_messages_that_no_worker_has_taken_by_queue(self, scraper: Client) -> None:
        messages.send(0, Queue.CHANGES, Priority.PERSON)
        messages.send(0, Queue.CHANGES, Priority.CHILD)

        assert value(scraper, "queue_messages", queue="changes") == 2
        assert value(scraper, "queue_messages", queue="invocations") == 0

    def test_ages_of_what_was_read(self, scraper: Client) -> None:
        account = make_account(regions=["eu-west-1", "us-east-1"])
        Scope.objects.filter(region="us-east-1").update(synced_at=None, problem={"code": "denied", "message": "x"})

        read = {"account": account.account_id, "region": "eu-west-1"}
        unread = {"account": account.account_id, "region": "us-east-1"}
        assert 0 <= (value(scraper, "sync_age_seconds", **read) or 0) < 60
        assert value(scraper, "sync_age_seconds", **unread) is None
        assert [value(scraper, "sync_failing", **one) for one in (read, unread)] == [0, 1]

    def test_what_was_waited_for_quotas_by_whichever_process(self, scraper: Client) -> None:
        for _ in range(3):
            rates.reserve([("drydock:quota:123456789012:eu-west-1:ecr-read:background", 0.5)], 0.0, 60.0)

        waited = {"account": "123456789012", "region": "eu-west-1", "api": "ecr-read:background"}
        assert 1.0 < (value(scraper, "quota_waited_seconds_total", **waited) or 0) <= 1.5

    def test_clocks_by_process_without_the_host(self, scraper: Client) -> None:
        clocks.measure("worker changes", lambda: clock.now() + timedelta(seconds=9))

        assert 8 < (value(scraper, "clock_skew_seconds", process="worker changes") or 0) < 10

    def test_requests_by_route_and_never_by_path(self, scraper: Client) -> None:
        before = value(scraper, "requests_total", route="login", status="2xx") or 0
        scraper.get("/login/?secret=hunter2")
        scraper.get("/no-such-page-hunter2/")

        told = scraped(scraper)
        assert told["drydock_requests_total", frozenset({("route", "login"), ("status", "2xx")})] == before + 1
        assert not [name for name in told if "hunter2" in str(name)]
        assert told["drydock_request_seconds_count", frozenset({("route", "login")})] >= 1

    def test_while_redis_is_away_the_database_is_told_of_all_the_same(self, scraper: Client, valkey: Valkey) -> None:
        make_run()
        valkey.stop()
        try:
            told = scraped(scraper)
        finally:
            valkey.start()

        assert told["drydock_redis_up", frozenset()] == 0
        assert told["drydock_runs", frozenset({("kind", "deployment"), ("status", "queued")})] == 1


def test_they_name_no_person_and_no_secret(scraper: Client, operator: User, settings: Settings) -> None:
    make_run(title="Deploy payroll", actor=operator)

    text = scraper.get("/metrics").content.decode()
    secrets = (TOKEN, settings.SECRET_KEY, settings.ENV.redis_url)

    assert not [word for word in ("olga", "payroll", *secrets) if word in text]


def test_the_number_of_queries_does_not_grow(scraper: Client) -> None:
    with CaptureQueriesContext(connection) as few:
        scraper.get("/metrics")
    for number in range(20):
        make_account(regions=["eu-west-1", "us-east-1"])
        make_run(kind=list(Kind)[number % len(Kind)], wake_at=clock.now())

    with CaptureQueriesContext(connection) as many:
        scraper.get("/metrics")

    assert len(many) == len(few)
