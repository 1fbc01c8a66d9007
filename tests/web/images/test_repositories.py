"""Repositories and their images, and who uses each."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app.models import Repository
from tests.factories import (
    NOW,
    make_account,
    make_alias,
    make_function,
    make_image,
    make_release,
    make_repository,
    make_stream,
    make_version,
)


@pytest.fixture
def person(client: Client, viewer: User) -> Client:
    """A browser of somebody who may only look."""
    client.force_login(viewer)
    return client


@pytest.fixture
def repository(db: None) -> Repository:
    """An empty repository."""
    return make_repository(make_account("production"), "team/app")


def test_the_list_counts_images_what_is_used_and_what_has_no_tag(person: Client, repository: Repository) -> None:
    used = make_image(repository, tags=["v1", "v2"])
    make_image(repository)
    make_image(repository, gone_at=NOW)
    make_version(make_function(repository.account), 1, used)
    row = person.get("/repositories/").context["rows"][0]
    assert (row.name, row.images, row.in_use, row.untagged, row.size_bytes) == ("team/app", 2, 1, 1, 426_800_000)


def test_the_list_is_searched_by_name_and_account(person: Client, repository: Repository) -> None:
    make_repository(make_account("staging"), "other")
    for word in ("team", "production"):
        assert [row.name for row in person.get(f"/repositories/?search={word}").context["rows"]] == ["team/app"]


def test_an_image_is_found_by_the_beginning_of_its_digest_and_by_its_tag(
    person: Client, repository: Repository
) -> None:
    image = make_image(repository, "one", tags=["release-7", "live"])
    elsewhere = make_repository(make_account("staging"), "other")
    make_image(elsewhere, "two", tags=["release-8"])
    for search in (image.digest, image.digest[7:19], image.digest[:20], "release-7"):
        page = person.get("/repositories/", {"search": search})
        assert [found.pk for found in page.context["images"]] == [image.pk]
        assert f'href="/images/{image.pk}/"' in page.content.decode()
    for search in ("release", "release-7 live", "abc", ""):
        assert person.get("/repositories/", {"search": search}).context["images"] == ()


def test_a_tag_of_the_same_digest_elsewhere_finds_only_where_the_tag_is(person: Client, repository: Repository) -> None:
    here = make_image(repository, "one", tags=["release-7"])
    make_image(make_repository(repository.account, "mirror"), "one", tags=["other"])
    page = person.get("/repositories/", {"search": "release-7"})
    assert [found.pk for found in page.context["images"]] == [here.pk]


def test_the_list_costs_the_same_however_many(
    person: Client, repository: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        make_image(make_repository(repository.account, f"team/{number}"), tags=["v1"])
    with django_assert_max_num_queries(6):
        person.get("/repositories/")


def test_an_image_names_the_functions_versions_and_aliases_that_use_it(person: Client, repository: Repository) -> None:
    image = make_image(repository, tags=["v1"])
    orders, idle = make_function(repository.account, "orders"), make_function(repository.account, "idle")
    make_version(orders, 7, image)
    make_version(orders, 6, image)
    make_version(idle, 1, image)
    make_alias(orders, "live", 5, second=7, weight=0.1)
    row = person.get(f"/repositories/{repository.pk}/").context["rows"][0]
    assert [(use.name, use.versions, use.aliases) for use in row.uses] == [
        ("orders", ("7", "6"), ("live",)),
        ("idle", ("1",), ()),
    ]


def test_an_image_of_many_functions_leads_to_its_page_that_names_every_one_of_them(
    person: Client, repository: Repository
) -> None:
    image = make_image(repository, tags=["v1"])
    for number in range(9):
        make_version(make_function(repository.account, f"worker-{number}"), 1, image)
    text = person.get(f"/repositories/{repository.pk}/").content.decode()
    assert f'href="/images/{image.pk}/#users-title">and 3 more</a>' in text
    page = person.get(f"/images/{image.pk}/").content.decode()
    for number in range(9):
        assert f">worker-{number}</a>" in page


def test_a_release_of_a_base_image_leads_to_who_stands_on_it(person: Client, repository: Repository) -> None:
    stream = make_stream("acme/golden:1", reference=f"{repository.uri}:1")
    make_release(stream, "1.4.0")
    image = make_image(repository, "acme/golden:1 1.4.0", tags=["1", "1.4.0"])
    for address in (f"/repositories/{repository.pk}/", f"/images/{image.pk}/"):
        text = person.get(address).content.decode()
        assert f'<a href="/bases/{stream.pk}/">' in text
        assert "acme/golden:1</a>" in text
        assert ">nothing<" not in text


def test_gone_untagged_and_index_are_said(person: Client, repository: Repository) -> None:
    make_image(repository, gone_at=NOW)
    make_image(repository, is_index=True, platforms=["linux/amd64", "linux/arm64"])
    text = person.get(f"/repositories/{repository.pk}/").content.decode()
    for words in (
        "Deleted</span>",
        "Index</span>",
        "untagged",
        "linux/amd64, linux/arm64",
        "1 deleted but still in use",
    ):
        assert words in text


def test_fifty_images_a_page_at_the_same_cost(
    person: Client, repository: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    function = make_function(repository.account)
    for number in range(60):
        make_version(function, number + 1, make_image(repository, tags=[f"v{number}"]))
    with django_assert_max_num_queries(12):
        answer = person.get(f"/repositories/{repository.pk}/")
    assert len(answer.context["rows"]) == 50
    assert len(person.get(f"/repositories/{repository.pk}/?page=2").context["rows"]) == 10


def test_an_unknown_repository_is_a_404_page(person: Client) -> None:
    assert person.get("/repositories/404404/").status_code == 404
