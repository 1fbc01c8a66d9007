"""Who needs an image that a lifecycle policy would take away: what unqualified calls reach is live."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from functions_app.domain.fleet.lifecycle_policies import Need
from functions_app.models import LifecycleForecast
from functions_app.services.inventory.images.image_use import uses_of
from functions_app.services.snapshot.endangered_images import dangers
from tests.factories import NOW, make_account, make_function, make_image, make_repository, make_version


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

    live = dangers(live=True)
    assert [(row.use.function, row.use.version) for row in live] == [
        ("managed", "$LATEST.PUBLISHED"),
        ("plain", "$LATEST"),
    ]
    assert live[0].text == "Rule 2 will delete the image behind managed, whose callers reach $LATEST.PUBLISHED."
    assert [(row.use.function, row.danger.need) for row in dangers()][-1] == ("managed", Need.LATEST)

    uses = uses_of([latest.pk, published.pk])
    assert [(use.name, use.live) for use in uses[latest.pk]] == [("managed", False), (plain.function.name, True)]
    assert [(use.name, use.live) for use in uses[published.pk]] == [("managed", True)]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL looks through tables as small as a test's")
def test_a_database_that_has_not_counted_its_indexes_begins_with_the_few_images_too(db: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        dangers(live=True)
    with connection.cursor() as cursor:
        plan = [str(row[3]) for row in cursor.execute(f"EXPLAIN QUERY PLAN {captured[0]['sql']}").fetchall()]
    assert not [line for line in plan if "functions_app_function" in line and "PRIMARY KEY" not in line]
    assert any("images_expiring" in line for line in plan)
