"""Accounts to sync and denials to meet, for the tests of sync."""

from collections.abc import Iterator
from typing import Any

import pytest

from functions_app.domain.runs import Log
from functions_app.models import Account
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.sync import run, scopes
from tests.fixtures import REGION, Sandbox
from tests.services.changes.aws_between import Between


class Lines:
    """A log that is kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str) -> None:
        """Keep it."""
        self.lines.append(text)

    def warning(self, text: str) -> None:
        """Keep it."""
        self.lines.append(f"warning: {text}")


@pytest.fixture
def log() -> Lines:
    """What the sync told."""
    return Lines()


def add_account(account_id: str, name: str = "production", regions: tuple[str, ...] = (REGION,)) -> Account:
    return Account.objects.create(
        name=name, account_id=account_id, regions=list(regions), role_arn=f"arn:aws:iam::{account_id}:role/Drydock"
    )


@pytest.fixture
def ours(aws: Sandbox, valkey: object, account: str) -> Account:
    """The test's own account, reached by a role."""
    return add_account(account)


def run_once(log: Log, *, person: bool = True) -> scopes.Result:
    """A whole sync in the foreground, as a person or the schedule asks for it."""
    result = scopes.read_scopes(scopes.wanted_scopes(), log, full=person)
    run.judge(result.images)
    refresh_summaries()
    return result


def calls(aws: Sandbox, account: str) -> dict[str, int]:
    counted: dict[str, int] = aws.admin("GET", f"calls?account={account}")
    return counted


class Counted:
    """The calls of one account since this was made."""

    def __init__(self, aws: Sandbox, account: str) -> None:
        self._aws, self._account, self._before = aws, account, calls(aws, account)

    def made(self) -> dict[str, int]:
        """Calls by operation."""
        now = calls(self._aws, self._account)
        return {name: now[name] - self._before.get(name, 0) for name in now if now[name] > self._before.get(name, 0)}


@pytest.fixture
def denied(aws: Sandbox) -> Iterator[Any]:
    """Deny actions of an account until the test ends."""
    touched = set()

    def deny(account: str, *actions: str) -> None:
        touched.add(account)
        aws.admin("POST", "denials", {"account": account, "actions": list(actions)})

    yield deny
    for account in touched:
        aws.admin("DELETE", f"denials?account={account}")


@pytest.fixture
def between(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Between]:
    """The product reaches the sandbox through this; the tests' own clients go straight to it."""
    proxy = Between(aws.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield proxy
    proxy.close()
