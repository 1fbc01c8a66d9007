"""The fixtures live in tests/fixtures.py, which all of the tests share; here are the words for importing."""

from tests.fixtures import (
    REGION,
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
    "REGION",
    "ClientFactory",
    "Push",
    "Sandbox",
    "client_config",
    "login",
    "push_image",
    "put_blob",
    "put_manifest",
]
