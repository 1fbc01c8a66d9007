"""The sandbox is tested with plain boto3; the fixtures that all tests share are in tests/fixtures.py."""

import pytest

from tests.fixtures import ClientFactory


@pytest.fixture
def client(aws_client: ClientFactory) -> ClientFactory:
    """Here a client is one of AWS's; where pages are tested it is Django's."""
    return aws_client
