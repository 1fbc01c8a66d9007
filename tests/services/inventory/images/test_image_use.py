"""How the counts of images are read."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from functions_app.services.inventory.images.image_use import endangered


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL looks through tables as small as a test's")
def test_who_runs_what_will_go_is_asked_of_the_few_images_that_go_not_of_all_functions(db: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        endangered([1, 2])
    with connection.cursor() as cursor:
        plan = [str(row[3]) for row in cursor.execute(f"EXPLAIN QUERY PLAN {captured[0]['sql']}").fetchall()]
    assert any("images_expiring (repository_id=? AND gone_at=?)" in line for line in plan)
    assert any("functions_app_version USING INDEX versions_by_image" in line for line in plan)
    assert not [line for line in plan if "functions_app_function USING" in line and "gone_at>" not in line]
