"""What the tests of images' pages share."""

import pytest

from functions_app.models import Repository
from tests.factories import make_account, make_repository


@pytest.fixture
def repository(db: None) -> Repository:
    """An empty repository."""
    return make_repository(make_account("production"), "team/app")
