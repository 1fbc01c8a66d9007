"""The fixtures live in tests/fixtures.py, which all of the tests share; here are the words for importing."""

import pytest

from tests.fixtures import (
    FAST_CLOCK,
    REGION,
    ROOT,
    ClientFactory,
    Push,
    Sandbox,
    client_config,
    login,
    push_image,
    put_blob,
    put_manifest,
)

__all__ = [
    "FAST_CLOCK",
    "REGION",
    "ROOT",
    "ClientFactory",
    "Push",
    "Sandbox",
    "client_config",
    "login",
    "push_image",
    "put_blob",
    "put_manifest",
]


@pytest.fixture
def client(aws_client: ClientFactory) -> ClientFactory:
    """Here a client is one of AWS's; where pages are tested it is Django's."""
    return aws_client
