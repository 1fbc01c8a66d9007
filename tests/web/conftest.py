"""What the tests of pages share."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def person(client: Client, viewer: User) -> Client:
    """A browser of somebody who may only look."""
    client.force_login(viewer)
    return client
