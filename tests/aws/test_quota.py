"""The quota: calls wait their turn, workers share it, Redis may be away, and throttled reads are tried again."""

import dataclasses
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from botocore.exceptions import ClientError
from pytest_django.fixtures import Settings

from functions_app import rates
from functions_app.aws import quota
from functions_app.aws.session import Target, client
from functions_app.domain.errors import Code, DrydockError
from tests.conftest import Valkey
from tests.fixtures import Sandbox

THROTTLED = ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Rate exceeded"}}, "ListFunctions")


@pytest.fixture
def target(account: str) -> Target:
    """An account whose quota no other test uses."""
    return Target(account, "eu-west-1", f"arn:aws:iam::{account}:role/Drydock")


@pytest.fixture
def full_quota(settings: Settings) -> None:
    """All of AWS's quota, no more and no less."""
    settings.ENV = dataclasses.replace(settings.ENV, quota_share=1.0)


@pytest.fixture
def redis_away(settings: Settings, tmp_path: Any) -> Iterator[None]:
    """A Redis address where nobody answers."""
    settings.ENV = dataclasses.replace(settings.ENV, redis_url=f"unix://{tmp_path}/nobody.sock")
    yield
    rates._redis_rests_until = 0.0


@pytest.mark.usefixtures("full_quota", "valkey")
def test_a_burst_goes_at_once_and_the_rest_at_the_rate(target: Target) -> None:
    waits = [rates.reserve([(f"drydock:quota:{target.account_id}", 1 / 10)], 0.5, 60.0)[1] for _ in range(16)]
    assert waits[:6] == [0.0] * 6
    # The tenth call after the burst is due a second after it, less what these calls themselves took.
    assert 0.8 < waits[15] <= 1.0


@pytest.mark.usefixtures("full_quota", "valkey")
def test_workers_share_one_quota(target: Target) -> None:
    key = f"drydock:quota:{target.account_id}"
    with ThreadPoolExecutor(8) as pool:
        waits = sorted(pool.map(lambda _: rates.reserve([(key, 1 / 100)], 0.1, 60.0)[1], range(40)))
    assert len({round(wait, 3) for wait in waits if wait > 0}) > 20
    assert waits[-1] > 0.1


@pytest.mark.usefixtures("full_quota", "valkey")
def test_accounts_regions_and_families_do_not_take_from_each_other(target: Target) -> None:
    for _ in range(8):
        quota.acquire(target, "lambda-control")
    other_region = dataclasses.replace(target, region="us-east-1")
    assert quota.acquire(other_region, "lambda-control") == 0.0
    assert quota.acquire(target, "lambda-get-function") == 0.0


@pytest.mark.usefixtures("full_quota")
def test_a_reading_asks_redis_once_where_it_need_not_wait(target: Target, valkey: Valkey) -> None:
    def asked() -> int:
        with valkey.client as store:
            return sum(
                int(told["calls"])
                for name, told in store.info("commandstats").items()
                if name in ("cmdstat_eval", "cmdstat_evalsha")
            )

    quota.acquire(target, "lambda-get-function")  # Redis may have to be told of the script
    before = asked()
    for _ in range(20):
        assert quota.acquire(target, "lambda-get-function") == 0.0
    assert asked() - before == 20


@pytest.mark.usefixtures("full_quota", "valkey")
def test_there_is_room_for_a_reading_until_it_would_have_to_wait_and_asking_takes_nothing(target: Target) -> None:
    assert all(quota.has_room(target, "lambda-control") for _ in range(40))
    for _ in range(8):
        quota.acquire(target, "lambda-control")
    assert not quota.has_room(target, "lambda-control")


@pytest.mark.usefixtures("full_quota", "redis_away")
def test_without_redis_there_is_room_in_the_process_own_quota(target: Target) -> None:
    assert quota.has_room(target, "lambda-control")
    for _ in range(8):
        quota.acquire(target, "lambda-control")
    assert not quota.has_room(target, "lambda-control")


@pytest.mark.usefixtures("full_quota", "valkey")
def test_a_wait_beyond_the_bound_is_refused_at_once(target: Target) -> None:
    for _ in range(8):
        quota.acquire(target, "lambda-control")
    with pytest.raises(DrydockError, match="lambda-control quota") as caught:
        quota.acquire(target, "lambda-control", longest=0.0)
    assert caught.value.problem.code is Code.THROTTLED
    assert caught.value.again_in > 0
    assert caught.value.problem.retryable


@pytest.mark.usefixtures("full_quota", "redis_away")
def test_without_redis_the_process_keeps_the_quota_by_itself(target: Target) -> None:
    waits = [quota.acquire(target, "lambda-get-function") for _ in range(60)]
    assert waits[0] == 0.0
    assert sum(waits) > 0


@pytest.mark.usefixtures("full_quota")
def test_a_wiped_redis_only_forgets_who_waits(target: Target, valkey: Valkey) -> None:
    quota.acquire(target, "lambda-control")
    valkey.flush()
    assert quota.acquire(target, "lambda-control") == 0.0
    with valkey.client as store:
        assert isinstance(store, redis.Redis)
        assert any(target.account_id.encode() in key for key in store.keys())  # noqa: SIM118 - Redis, not a dict


@pytest.mark.usefixtures("full_quota", "valkey")
def test_enforced_quotas_are_never_exceeded(aws: Sandbox, target: Target) -> None:
    # As a sync does, one call first: it fetches the role's credentials, which all the others would wait for together.
    client(target, "lambda").list_functions()
    aws.admin("POST", "quotas", {"enforce": True})
    try:
        start = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(
                    lambda _: quota.read(target, "lambda-control", lambda: client(target, "lambda").list_functions()),
                    range(25),
                )
            )
        assert time.monotonic() - start > 1
        assert aws.admin("GET", "quotas")["throttled"] == {}
    finally:
        aws.admin("POST", "quotas", {"enforce": False})


@pytest.mark.usefixtures("valkey")
def test_a_throttled_read_is_tried_again(target: Target) -> None:
    answers: list[Any] = [THROTTLED, THROTTLED, "found"]

    def call() -> str:
        answer = answers.pop(0)
        if isinstance(answer, ClientError):
            raise answer
        return str(answer)

    assert quota.read(target, "lambda-control", call) == "found"


@pytest.mark.usefixtures("valkey")
def test_credentials_that_expire_between_throttles_cost_no_try(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # four pauses of up to eight seconds
    expired = ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "expired"}}, "ListFunctions")
    answers: list[Any] = [*[THROTTLED] * (quota.READ_ATTEMPTS - 1), expired, "found"]

    def call() -> str:
        answer = answers.pop(0)
        if isinstance(answer, ClientError):
            raise answer
        return str(answer)

    assert quota.read(target, "lambda-control", call) == "found"


@pytest.mark.usefixtures("valkey")
def test_a_throttled_change_is_not_repeated(target: Target) -> None:
    made = []

    def call() -> None:
        made.append(1)
        raise THROTTLED

    with pytest.raises(DrydockError) as caught:
        quota.change(target, "lambda-control", call)
    assert caught.value.problem.code is Code.THROTTLED
    assert len(made) == 1


@pytest.mark.usefixtures("full_quota", "valkey")
def test_where_a_person_waits_a_long_line_is_refused_with_the_seconds_until_it_is_gone(target: Target) -> None:
    for _ in range(8 + 12 * 15):  # twelve seconds more than a burst
        rates.reserve([(f"drydock:quota:{target.account_id}:{target.region}:lambda-control", 1 / 15)], 0.5, 60.0)
    called: list[str] = []

    with quota.patience(5.0), pytest.raises(DrydockError) as caught:
        quota.read(target, "lambda-control", lambda: called.append("AWS"))

    problem = caught.value.problem
    assert (problem.code, problem.retryable, called) == (Code.THROTTLED, True, [])
    said = re.match(r"Try again in about (\d+) s", problem.next_step)
    assert said is not None
    assert 5 < int(said[1]) <= 13  # twelve, and less what the reservations themselves took


@pytest.mark.usefixtures("full_quota", "valkey")
def test_patience_ends_with_its_block_and_holds_in_its_thread_alone(target: Target) -> None:
    def longest() -> float:
        return quota._patience().left

    with ThreadPoolExecutor(1) as pool, quota.patience(5.0):
        assert (longest(), pool.submit(longest).result()) == (5.0, quota.LONGEST_WAIT)
    assert longest() == quota.LONGEST_WAIT


@pytest.mark.usefixtures("full_quota", "valkey")
def test_what_aws_throttles_is_tried_again_only_as_long_as_patience_lasts(target: Target) -> None:
    made: list[float] = []

    def call() -> None:
        made.append(1)
        raise THROTTLED

    with quota.patience(0.6), pytest.raises(DrydockError) as caught:
        quota.read(target, "lambda-control", call)

    assert caught.value.problem.code is Code.THROTTLED
    assert len(made) == 2  # pauses of at most half a second, then of at least half of one


@pytest.mark.usefixtures("full_quota", "valkey")
def test_all_calls_of_a_person_share_one_patience(target: Target) -> None:
    for _ in range(8):  # a burst
        quota.acquire(target, "lambda-control")

    def sixty_calls() -> None:
        for _ in range(60):  # four seconds of calls, of which each alone waits for a fifteenth of one
            quota.acquire(target, "lambda-control")

    with quota.patience(1.0), pytest.raises(DrydockError, match="lambda-control quota"):
        sixty_calls()


@pytest.mark.usefixtures("full_quota", "valkey")
def test_a_person_waits_for_no_reading_however_many_stand_in_line(target: Target) -> None:
    with ThreadPoolExecutor(32) as pool:
        readings = [pool.submit(quota.acquire, target, "lambda-control") for _ in range(32)]
        assert readings[0].result() == 0.0
        with quota.patience(quota.PERSONS_WAIT):
            persons = [quota.acquire(target, "lambda-control") for _ in range(3)]
        waited = [reading.result() for reading in readings]
    assert max(waited) > 1.0
    assert sum(persons) < 1.0


@pytest.mark.usefixtures("full_quota", "valkey")
def test_readings_and_persons_together_keep_the_quota(target: Target) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(lambda: [quota.acquire(target, "lambda-control") for _ in range(20)])
        with quota.urgent():
            waits = [quota.acquire(target, "lambda-control") for _ in range(20)]
        reading.result()
    assert sum(waits) > 0
    assert time.monotonic() - began > 2.0  # forty calls at 15 a second, of which 7.5 are the burst
