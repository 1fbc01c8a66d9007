"""Indexes in a sync: what each holds is kept, once, and read again where an older Drydock did not keep it."""

import pytest

from functions_app.models import Account, Image
from sandbox.images.making import make_index
from tests.fixtures import Push, Sandbox
from tests.sandbox.fixtures import small_image
from tests.services.sync.sync_stage import Counted, Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_index_of_an_older_drydock_is_read_again_once(ours: Account, aws: Sandbox, push: Push, log: Lines) -> None:
    image = small_image()
    index = push("app", make_index([image]), ["multi"])
    run_once(log)
    entries = Image.objects.get(digest=index).entries or []
    assert [entry["digest"] for entry in entries] == [image.digest]
    Image.objects.filter(digest=index).update(entries=None)
    run_once(log)
    assert Image.objects.get(digest=index).entries == entries
    counted = Counted(aws, ours.account_id)
    run_once(log)
    assert "ecr.BatchGetImage" not in counted.made()
