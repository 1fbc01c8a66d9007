"""From an image to the form that deploys it, filled in."""

import html
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app.models import Image
from functions_app.services.inventory.images.deploy_to import deploy_to
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def image() -> Image:
    """An image for x86_64, in a repository that a function is deployed from."""
    repository = factories.make_repository(factories.make_account("production"), "team/app")
    image = factories.make_image(repository)
    factories.make_version(factories.make_function(repository.account, "app", digest=image.digest), 1, image)
    factories.make_function(repository.account, "another")
    factories.make_function(repository.account, "arm", architecture="arm64")
    factories.make_function(repository.account, "far", region="us-east-1")
    factories.make_function(repository.account, "gone", gone_at=factories.NOW)
    return image


def test_those_of_its_repository_stand_before_others_that_could_run_it(
    image: Image, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        found = deploy_to(image)
    assert [(target.name, target.runs_it) for target in found.own] == [("app", True)]
    assert [target.name for target in found.others] == ["another"]
    assert [target.name for target in deploy_to(image, "ano").others] == ["another"]
    assert deploy_to(image, "ano").own == ()


def test_an_index_and_another_system_say_why_no_function_can_run_them(image: Image) -> None:
    image.os = "windows"
    assert deploy_to(image).refused == "for windows: Lambda runs linux"
    image.is_index = True
    assert "an index" in deploy_to(image).refused


def test_what_nobody_can_pull_is_offered_to_no_function(image: Image) -> None:
    image.status = "ARCHIVED"
    assert deploy_to(image).refused == "archived in ECR: it can't be pulled until it is restored"
    image.gone_at = factories.NOW
    assert (deploy_to(image).refused, deploy_to(image).own) == ("no longer in ECR", ())


def test_the_page_of_an_image_leads_to_the_filled_form(client: Client, operator: User, image: Image) -> None:
    client.force_login(operator)
    assert f'href="/images/{image.pk}/deploy/"' in client.get(f"/images/{image.pk}/").content.decode()
    listed = client.get(f"/images/{image.pk}/deploy/").content.decode()
    reference = f"{image.repository.uri}@{image.digest}"
    form = f"/functions/{image.versions.get().function_id}/deploy/?image={quote(reference, safe='')}"
    assert f'href="{form}"' in listed
    shown = html.unescape(client.get(form).content.decode())
    row = shown[shown.index(f'value="{reference}"') :]
    assert "checked" in row[: row.index(">")]
