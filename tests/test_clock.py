"""A clock that was ahead and is right again: what was noted then lies in the future, and holds nobody up till then."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from functions_app import clock, rates
from functions_app.domain import limits
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind, Queue
from functions_app.models import BrowserSession, Plan, Run
from functions_app.services.engine import payloads, plan_ends, plans, pulses
from functions_app.services.engine.payloads import PRIVATE
from functions_app.services.images import forecasts
from functions_app.services.people import sign_in
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.tidy import tidy
from functions_app.tasks import catch_up
from tests.conftest import Valkey
from tests.factories import make_account, make_function, make_repository
from tests.services.engine.engine_stage import ahead

pytestmark = pytest.mark.django_db
HERE = "203.0.113.7"


def signed_in(client: Client) -> Client:
    assert client.post("/login/", {"username": "vera", "password": "a long password"}).status_code == 302
    return client


def lets_in(client: Client) -> bool:
    return client.get("/functions/").status_code == 200


class Test_a_session_begun_then:
    def test_lets_nobody_in_for_years(self, client: Client, viewer: User, settings: Settings) -> None:
        ahead(settings, days=4000)
        signed_in(client)

        ahead(settings, days=-4000)

        assert not lets_in(client)
        tidy(clock.now())
        assert not BrowserSession.objects.exists()

    def test_goes_on_where_it_was_an_hour_and_ends_a_week_later(
        self, client: Client, viewer: User, settings: Settings
    ) -> None:
        ahead(settings, hours=1)
        signed_in(client)

        ahead(settings, hours=-1)
        assert lets_in(client)
        assert BrowserSession.objects.get().seen <= clock.now()
        for _ in range(17):
            ahead(settings, hours=10)
            client.get("/functions/")

        assert not lets_in(client)


class Test_failed_sign_ins_of_then:
    def test_keep_nobody_out_for_a_day(self, client: Client, viewer: User, settings: Settings) -> None:
        ahead(settings, days=1)
        for _ in range(20):
            sign_in.refused("vera", HERE)

        ahead(settings, days=-1)

        assert sign_in.wait("vera", HERE) == 0

    def test_a_sign_in_of_then_forgives_no_failures_of_now(self, viewer: User, settings: Settings) -> None:
        ahead(settings, days=1)
        sign_in.accepted(viewer, "vera", HERE)

        ahead(settings, days=-1)
        for _ in range(limits.SIGN_INS):
            sign_in.refused("vera", HERE)

        assert sign_in.wait("vera", HERE) > 0


class Test_a_plan_made_then:
    def make(self, maker: User, settings: Settings, jump: timedelta) -> Plan:
        """One that is good for ten minutes, an hour or a day from now."""
        made = clock.now() + jump
        body = {PRIVATE: '{"card": "4111"}'}
        function = make_function(make_account())
        times = {"created_at": made, "expires_at": made + plans.TTL}
        return Plan.objects.create(
            kind=Kind.INVOCATION, title="Invoke", target="x", body=body, maker=maker, function=function, **times
        )

    @pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=1)])
    def test_has_expired(self, operator: User, settings: Settings, jump: timedelta) -> None:
        plan = self.make(operator, settings, jump)

        with pytest.raises(DrydockError) as caught:
            plans.apply(plan.pk, Actor(operator))

        assert caught.value.problem.code is Code.EXPIRED
        assert "made while a clock was wrong" in caught.value.problem.message
        assert plan_ends.is_over(plan)
        assert not Run.objects.exists()

    def test_keeps_no_payload(self, operator: User, settings: Settings) -> None:
        plan = self.make(operator, settings, timedelta(days=1))

        tidy(clock.now())

        plan.refresh_from_db()
        assert payloads.payload(plan) == ""


@pytest.mark.django_db(transaction=True)
def test_the_schedule_waits_for_no_day_that_was_wrong(valkey: Valkey, settings: Settings) -> None:
    make_repository(make_account())
    ahead(settings, days=4000)
    catch_up()
    forecasts.submit(SCHEDULE)
    Run.objects.update(status="succeeded")

    ahead(settings, days=-4000)

    assert "sync" in catch_up()
    assert forecasts.is_due(clock.now())


def test_a_worker_that_died_then_is_missed(valkey: Valkey) -> None:
    valkey.flush()
    pulses.note_tick()
    pulses.tell([Queue.CHANGES])
    with valkey.client as client:
        for name in client.hkeys(pulses.NAMES):
            client.hset(pulses.NAMES, name, f"{client.time()[0] + 3600}.0")

    assert pulses.read() == {}


class Test_a_quota_kept_then:
    KEY = "drydock:quota:of-a-clock-that-was-ahead"

    @pytest.mark.parametrize("seconds", [3600, 86_400])
    def test_keeps_nobody_from_aws(self, seconds: int, valkey: Valkey) -> None:
        with valkey.client as client:
            client.set(self.KEY, f"{client.time()[0] + seconds}.000000")

        assert rates.reserve([(self.KEY, 0.1)], 0.5, 300.0) == (1, 0.0)

    def test_nor_from_a_registry(self, valkey: Valkey) -> None:
        with valkey.client as client:
            then = client.time()[0] + 86_400
            client.delete(self.KEY)
            client.hset(self.KEY, mapping={"due": f"{then}.0", "interval": "1", "slowed": f"{then}.0"})

        assert rates.turn(self.KEY, 60.0) == (True, 0.0)
        rates.slow_down(self.KEY, 0.0)
        granted, wait = rates.turn(self.KEY, 60.0)
        assert granted
        assert wait <= 60.0
