"""Servers for the command line: one that answers as a test says, and Drydock's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from drydock_cli import server
from functions_app.domain.tokens import TokenScope
from functions_app.models import ApiToken
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.cli import site as at_work
from tests.cli.calling import Caller, at
from tests.cli.scripted import Script, serving
from tests.conftest import Valkey
from tests.fixtures import Sandbox


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    """Start a server with these answers."""
    with ExitStack() as running:
        yield lambda *answers: running.enter_context(serving(answers))


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line waits less between its tries."""
    monkeypatch.setattr(server, "PAUSES", (0.01, 0.01, 0.01))


@pytest.fixture(scope="package")
def site(
    django_db_setup: None, valkey: Valkey, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A web server of Drydock's own, whose AWS is the sandbox; its address."""
    with at_work.serving(valkey, sandbox, tmp_path_factory.mktemp("web")) as address:
        yield address


@pytest.fixture
def as_bot(site: str, valkey: Valkey, operator: User, tmp_path: Path) -> Callable[..., Caller]:
    """A shell with a token of an operator, or of another, for these scopes."""

    def of(*scopes: str, person: User = operator) -> Caller:
        text = tokens.make(Wanted(f"ci {ApiToken.objects.count()}", list(scopes or TokenScope)), Actor(person)).text
        return at(site, str(tmp_path), text)

    return of


@pytest.fixture
def drydock(as_bot: Callable[..., Caller]) -> Caller:
    """A shell with an operator's token for everything that operators do."""
    return as_bot("read", "invoke", "deploy:nonprod", "deploy:prod", "patch")
