"""Readers of one registry share one pace once it has throttled one of them, whatever process they are in."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
import redis
from pytest_django.fixtures import Settings

from functions_app import rates
from functions_app.domain.errors import Code, DrydockError
from functions_app.registry.client import Registry
from functions_app.registry.pace import Pace
from tests.conftest import Valkey
from tests.fixtures import Sandbox, Throttle, forget_paces
from tests.publishing import base, publish, unique_repository
from tests.registry.conftest import Scripted

pytestmark = pytest.mark.usefixtures("forgetful")
KEY = "drydock:pace:of-these-tests"
FINE = (200, {"Docker-Content-Digest": "sha256:" + "a" * 64, "Content-Type": "x/y"}, b"")


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Nobody is paced before or after."""
    forget_paces()
    yield
    forget_paces()


@pytest.fixture(params=["valkey", "alone"])
def shared(request: pytest.FixtureRequest, settings: Settings) -> None:
    """With Redis, and with Redis away."""
    if request.param == "valkey":
        request.getfixturevalue("valkey")
    else:
        settings.ENV = replace(settings.ENV, redis_url="unix:///nowhere/valkey.sock")
        rates._redis_rests_until = 0.0


@dataclass
class Readers:
    """Two readers of a scripted registry, as two processes would have them."""

    scripted: Scripted

    def open(self, who: str = "nameless") -> Registry:
        """One that notes its pauses instead of waiting."""
        pause = self.scripted.pauses.append
        return Registry("registry.example", self.scripted.url, pause=pause, pace=Pace(self.scripted.url, who))


@pytest.mark.usefixtures("shared")
def test_nobody_waits_for_a_registry_that_throttles_nobody() -> None:
    assert [rates.turn(KEY, 60.0) for _ in range(20)] == [(True, 0.0)] * 20


@pytest.mark.usefixtures("shared")
def test_after_a_refusal_all_wait_as_long_as_was_asked_and_then_one_after_another() -> None:
    rates.slow_down(KEY, 5.0)

    waits = [rates.turn(KEY, 60.0)[1] for _ in range(4)]

    assert 4.0 < waits[0] <= 5.0
    assert all(0.8 < later - earlier < 1.1 for earlier, later in pairwise(waits))


@pytest.mark.usefixtures("shared")
def test_refusals_of_what_was_under_way_together_slow_down_once() -> None:
    for _ in range(4):
        rates.slow_down(KEY, 0.0)

    first, second = (rates.turn(KEY, 60.0)[1] for _ in range(2))

    assert second - first < 1.1


@pytest.mark.usefixtures("shared")
def test_a_pace_quickens_with_every_turn_that_is_taken_until_nobody_waits() -> None:
    rates.slow_down(KEY, 0.0)

    waits = [rates.turn(KEY, 3600.0)[1] for _ in range(120)]

    gaps = [later - earlier for earlier, later in pairwise(waits[:100])]
    assert gaps[-1] < gaps[0] / 5
    assert waits[-1] == 0.0


@pytest.mark.usefixtures("shared")
def test_a_turn_that_would_come_too_late_is_refused_and_not_kept() -> None:
    rates.slow_down(KEY, 100.0)

    granted, wait = rates.turn(KEY, 60.0)

    assert (granted, wait > 60) == (False, True)
    assert rates.turn(KEY, 200.0)[1] <= 100.0


def test_what_one_reader_is_told_to_wait_the_other_waits_too(scripted: Scripted, valkey: Valkey) -> None:
    readers = Readers(scripted)
    scripted.replies((429, {"Retry-After": "7"}, b""), FINE)
    with readers.open() as first:
        first.head("team/app", "1")
    before = len(scripted.pauses)

    with readers.open() as second:
        second.head("team/app", "1")

    assert scripted.pauses[0] == 7.0
    assert scripted.pauses[before] > 5.0


def test_a_registry_that_asks_for_an_hour_is_left_alone_by_everybody(scripted: Scripted, valkey: Valkey) -> None:
    readers = Readers(scripted)
    scripted.replies((429, {"Retry-After": "3600"}, b""), FINE)
    with readers.open() as first, pytest.raises(DrydockError):
        first.head("team/app", "1")

    with readers.open() as second, pytest.raises(DrydockError) as caught:
        second.head("team/app", "1")

    assert len(scripted.requests) == 1
    problem = caught.value.problem
    assert (problem.code, problem.retryable) == (Code.THROTTLED, True)
    assert "has throttled us" in problem.message


def test_blobs_and_whoever_has_a_login_go_at_a_pace_of_their_own(scripted: Scripted, valkey: Valkey) -> None:
    readers = Readers(scripted)
    scripted.replies((429, {"Retry-After": "3600"}, b""), FINE)
    with readers.open() as first, pytest.raises(DrydockError):
        first.head("team/app", "1")

    with readers.open("login") as other:
        other.head("team/app", "1")
    with readers.open() as same, pytest.raises(DrydockError, match="digest is"):
        same.blob("team/app", "sha256:" + "b" * 64, 100)

    assert len(scripted.requests) == 3


def test_many_readers_of_a_registry_that_allows_few_manifests_get_them_all(
    aws: Sandbox, throttle: Throttle, valkey: Valkey
) -> None:
    repository = unique_repository()
    publish(aws, repository, base(1), ["1"])
    throttle(4, 4)

    def read(_: int) -> str:
        with Registry.open("public.ecr.aws") as registry:
            found = registry.head(repository, "1")
            return found.digest if found else ""

    with ThreadPoolExecutor(4) as pool:
        digests = set(pool.map(read, range(8)))

    assert digests == {base(1).digest}


def test_the_login_to_a_mirror_is_no_part_of_what_redis_holds(
    scripted: Scripted, valkey: Valkey, settings: Settings
) -> None:
    mirror = scripted.url.replace("://", "://robot:s3cret-p@ss@")
    settings.ENV = replace(settings.ENV, registry_mirrors={"registry.example": mirror})
    scripted.replies((429, {"Retry-After": "3600"}, b""))

    with Registry.open("registry.example") as registry, pytest.raises(DrydockError):
        registry.head("team/app", "1")

    with redis.Redis.from_url(settings.ENV.redis_url) as client:
        keys = [key.decode() for key in client.scan_iter("drydock:pace:*")]
    assert [key for key in keys if scripted.url in key]
    assert [key for key in keys if "robot" in key or "s3cret" in key] == []
