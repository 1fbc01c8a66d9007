"""Who needs an image that a lifecycle policy would take away: what unqualified calls reach is live."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from functions_app.domain.fleet.lifecycle_policies import Need
from functions_app.models import LifecycleForecast
from functions_app.services.inventory.images.image_use import uses_of
from functions_app.services.snapshot.endangered_images import dangers, live_dangers
from tests.factories import NOW, make_account, make_alias, make_function, make_image, make_repository, make_version


def test_of_managed_instances_what_they_published_last_is_live_and_their_latest_is_not(db: None) -> None:
    account = make_account()
    repository = make_repository(account)
    latest, published = (make_image(repository, expiry_rule=2) for _ in range(2))
    managed = make_function(account, "managed")
    make_version(managed, "$LATEST", latest)
    make_version(managed, "$LATEST.PUBLISHED", published)
    plain = make_version(make_function(account, "plain"), "$LATEST", latest)
    expiring = [{"digest": image.digest, "rule": 2, "tags": []} for image in (latest, published)]
    LifecycleForecast.objects.create(
        repository=repository, policy="{}", expiring=expiring, read_at=NOW, attempted_at=NOW
    )

    live = live_dangers(5).named
    assert [(row.use.function, row.use.version) for row in live] == [
        ("managed", "$LATEST.PUBLISHED"),
        ("plain", "$LATEST"),
    ]
    assert live[0].text == "Rule 2 will delete the image behind managed, whose callers reach $LATEST.PUBLISHED."
    assert [(row.use.function, row.danger.need) for row in dangers()][-1] == ("managed", Need.LATEST)

    uses = uses_of([latest.pk, published.pk])
    assert [(use.name, use.live) for use in uses[latest.pk]] == [("managed", False), (plain.function.name, True)]
    assert [(use.name, use.live) for use in uses[published.pk]] == [("managed", True)]


def test_of_many_that_are_live_all_are_counted_and_the_first_by_name_told(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    account, other = make_account(), make_account("staging")
    image = make_image(repository := make_repository(account), expiry_rule=2)
    for name in ("d", "b", "a", "c"):
        function = make_function(account if name != "b" else other, name)
        for number in ("1", "2", "3"):
            make_version(function, number, image)
        make_alias(function, "live", "1", second="2")
    expiring = [{"digest": image.digest, "rule": 2, "tags": []}]
    LifecycleForecast.objects.create(
        repository=repository, policy="{}", expiring=expiring, read_at=NOW, attempted_at=NOW
    )
    with django_assert_num_queries(3):
        found = live_dangers(3)
    assert (found.functions, found.versions) == (4, 8)
    assert [(row.use.function, row.use.version) for row in found.named] == [("a", "1"), ("a", "2"), ("b", "1")]
    assert found.named[0].text == "Rule 2 will delete the image behind a live (version 1)."
    assert live_dangers(3, other.pk).versions == 2


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL looks through tables as small as a test's")
def test_a_database_that_has_not_counted_its_indexes_begins_with_the_few_images_too(db: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        live_dangers(5)
    with connection.cursor() as cursor:
        plan = [str(row[3]) for row in cursor.execute(f"EXPLAIN QUERY PLAN {captured[0]['sql']}").fetchall()]
    assert not [line for line in plan if "functions_app_function" in line and "PRIMARY KEY" not in line]
    assert any("images_expiring" in line for line in plan)
