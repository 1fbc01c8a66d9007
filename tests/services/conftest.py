"""Services are tested against the sandbox; their people and rows come from tests/conftest.py."""

import pytest
from django.contrib.auth.models import User

from functions_app.services.people.actor import Actor
from tests.fixtures import ClientFactory
from tests.services.sync.events_stage import events
from tests.services.sync.sync_stage import between, denied, log, ours

__all__ = ["between", "client", "denied", "events", "log", "ours"]


@pytest.fixture
def client(aws_client: ClientFactory) -> ClientFactory:
    """Here a client is one of AWS's; where pages are tested it is Django's."""
    return aws_client


@pytest.fixture
def operator(operator: User) -> Actor:
    """Somebody who may change things; nobody has a browser here."""
    return Actor(operator)


@pytest.fixture
def approver(approver: User) -> Actor:
    """Somebody who may also confirm what others have planned."""
    return Actor(approver)


@pytest.fixture
def viewer(viewer: User) -> Actor:
    """Somebody who may only look."""
    return Actor(viewer)
