"""Services are tested against the sandbox; their people and rows come from tests/conftest.py."""

import pytest

from tests.fixtures import ClientFactory


@pytest.fixture
def client(aws_client: ClientFactory) -> ClientFactory:
    """Here a client is one of AWS's; where pages are tested it is Django's."""
    return aws_client
