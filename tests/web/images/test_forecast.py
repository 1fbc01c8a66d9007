"""A repository's lifecycle forecast: what its page says, and the button that reads it again."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.models import Image, LifecycleForecast, Repository, Run
from tests.conftest import Valkey
from tests.factories import make_account, make_alias, make_function, make_image, make_repository, make_version

pytestmark = pytest.mark.shows_dates

NOW = clock.now()


@pytest.fixture
def repository(db: None) -> Repository:
    """A repository with one image."""
    return make_repository(make_account("production"), "team/app")


@pytest.fixture
def image(repository: Repository) -> Image:
    """An image that a rule would take away."""
    return make_image(repository, tags=["v1"], expiry_rule=2)


def make_forecast(repository: Repository, *images: Image, **values: Any) -> LifecycleForecast:
    """A forecast that names these images."""
    expiring = [{"digest": each.digest, "rule": each.expiry_rule, "tags": ["v1"]} for each in images]
    given = {"policy": '{"rules": []}', "expiring": expiring, "read_at": NOW, "attempted_at": NOW, **values}
    return LifecycleForecast.objects.create(repository=repository, **given)


def text_of(client: Client, repository: Repository) -> str:
    return client.get(f"/repositories/{repository.pk}/").content.decode()


def test_one_that_was_never_read_says_so(person: Client, repository: Repository) -> None:
    assert "Not read yet." in text_of(person, repository)


def test_a_repository_without_a_policy_says_that_nothing_is_deleted(person: Client, repository: Repository) -> None:
    make_forecast(repository, policy="")
    assert "has no lifecycle policy" in text_of(person, repository)


def test_a_live_image_that_would_go_is_named_first(person: Client, repository: Repository, image: Image) -> None:
    orders = make_function(repository.account, "orders")
    make_version(orders, 7, image)
    make_alias(orders, "prod", 7)
    make_version(make_function(repository.account, "idle"), 1, image)
    make_forecast(repository, image)
    text = text_of(person, repository)
    live = text.index("Rule 2 will delete the image behind orders prod (version 7).")
    assert live < text.index("Rule 2 will delete the image of version 1 of idle, which no alias points to.")
    assert "1 image that the policy would take away next" in text


def test_an_archived_image_is_said_to_be_no_better_than_a_deleted_one(
    person: Client, repository: Repository, image: Image
) -> None:
    make_version(make_function(repository.account, "orders"), "$LATEST", image)
    make_forecast(repository, expiring=[{"digest": image.digest, "rule": 2, "action": "archive", "tags": []}])
    text = text_of(person, repository)
    assert "Rule 2 will archive the image behind orders" in text
    assert "archives it: it can't be pulled" in unescape(text)


def test_images_that_nobody_uses_are_no_cause_for_alarm(person: Client, repository: Repository, image: Image) -> None:
    make_forecast(repository, image)
    assert "No image behind an alias" in text_of(person, repository)


def test_a_failed_attempt_stands_beside_the_old_forecast_with_its_age(
    person: Client, repository: Repository, image: Image
) -> None:
    problem = {"code": "denied", "message": "The permission ecr:GetLifecyclePolicy is missing.", "request_id": "r-1"}
    make_forecast(repository, image, problem=problem, read_at=NOW - timedelta(days=3))
    text = text_of(person, repository)
    assert "The permission ecr:GetLifecyclePolicy is missing." in text
    assert "request r-1" in text
    assert "What follows is from" in text
    assert "3 d ago" in text


def test_many_images_are_listed_up_to_a_bound(person: Client, repository: Repository) -> None:
    make_forecast(repository, expiring=[{"digest": f"sha256:{n:064d}", "rule": 1, "tags": []} for n in range(300)])
    text = text_of(person, repository)
    assert "300 images that the policy would take away next" in text
    assert "and 100 more" in text


def test_the_forecast_costs_the_same_however_much_it_names(
    person: Client, repository: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    images = [make_image(repository, expiry_rule=1) for _ in range(30)]
    for each in images:
        make_version(make_function(repository.account), 1, each)
    make_forecast(repository, *images)
    with django_assert_max_num_queries(21):  # one of them: which of its images are bases
        person.get(f"/repositories/{repository.pk}/")


def test_an_operator_reads_it_again(client: Client, operator: User, repository: Repository, valkey: Valkey) -> None:
    client.force_login(operator)
    answer = client.post(f"/repositories/{repository.pk}/forecast/")
    run = Run.objects.get(kind="forecast")
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert run.plan == {"repository": repository.pk}


def test_a_second_reading_at_the_same_time_is_told_of_the_first(
    client: Client, operator: User, repository: Repository, valkey: Valkey
) -> None:
    client.force_login(operator)
    client.post(f"/repositories/{repository.pk}/forecast/")
    assert "is under way here" in client.post(f"/repositories/{repository.pk}/forecast/", follow=True).content.decode()


def test_a_viewer_may_not(person: Client, repository: Repository) -> None:
    assert person.post(f"/repositories/{repository.pk}/forecast/").status_code == 403
    assert not Run.objects.exists()
    assert person.get(f"/repositories/{repository.pk}/forecast/").status_code == 302
