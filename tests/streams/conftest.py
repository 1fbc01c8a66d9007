"""One web server for all tests of this room that need no server of their own."""

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Valkey, environment
from tests.processes import web


@pytest.fixture(scope="session")
def address(valkey: Valkey, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the API is."""
    with web(environment(valkey), tmp_path_factory.mktemp("web")) as (_, port):
        yield f"http://127.0.0.1:{port}/api/v1"


@pytest.fixture
def unknown(address: str, valkey: Valkey) -> Iterator[httpx.Client]:
    """Somebody before it who shows nothing; no token of a test before has asked too often."""
    valkey.flush()
    with httpx.Client(base_url=address, timeout=60, headers={"Host": "localhost"}) as client:
        yield client
