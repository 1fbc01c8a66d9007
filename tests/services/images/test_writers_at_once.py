"""Polls, syncs and forecasts write the same images at the same time, each many at once: none of them fails."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from functions_app import clock
from functions_app.aws.ecr import ImageFact
from functions_app.aws.lifecycle import Preview
from functions_app.aws.session import Target
from functions_app.domain.fleet.lifecycle_policies import Expiring
from functions_app.models import BaseRelease, Image
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.images import forecasts
from functions_app.services.snapshot.scope_reading import ScopeRead
from functions_app.services.sync import images as sync_images
from tests.factories import NOW, make_account, make_image, make_release, make_repository, make_stream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]
ROUNDS = 12


class HeldRun:
    """What a forecast's store asks of its run: whether it still is ours."""

    lease: Any

    def __init__(self) -> None:
        self.lease = self

    def write(self) -> None:
        """It is."""


def test_many_images_are_judged_listed_and_forecast_at_once_and_nobody_is_given_up() -> None:
    account = make_account()
    repository = make_repository(account)
    stream = make_stream()
    known = [make_release(stream, f"3.12.{number}", days_old=10 - number, current=number == 1) for number in range(3)]
    images = [make_image(repository, base_release=known[number % 3]) for number in range(240)]
    target = Target(account.account_id, "eu-west-1")
    held: Any = HeldRun()

    def judge(chance: random.Random) -> None:
        stream.releases.update(current=False)
        BaseRelease.objects.filter(pk=chance.choice(known).pk).update(current=True)
        judge_images(None)

    def listed(chance: random.Random) -> None:
        scope = ScopeRead(account, "eu-west-1", target, clock.now(), True, lambda: False)
        there = [ImageFact(image.digest, (), 5, NOW, "m") for image in chance.sample(images, chance.choice([100, 240]))]
        sync_images._store_images(scope, repository, there, clock.now())

    def forecast(chance: random.Random) -> None:
        expiring = tuple(Expiring(image.digest, chance.randrange(3)) for image in chance.sample(images, 120))
        forecasts._store(held, repository, Preview("complete", "{}", expiring))

    def again(do: Callable[[random.Random], None]) -> int:
        chance = random.Random(do.__name__)  # noqa: S311
        try:
            for _ in range(ROUNDS):
                do(chance)
        finally:
            connections.close_all()
        return ROUNDS

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(again, (judge, listed, forecast))) == [ROUNDS] * 3
    assert not judge_images(None)
    assert Image.objects.exclude(base_release=None).count() == 240
