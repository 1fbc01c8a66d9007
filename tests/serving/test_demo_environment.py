"""What the demo's processes are given of the shell it is started from: all that may be tried, nothing of one's own."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dashboard import env
from functions_app.management.commands import demo

ITS_OWN = {
    "DRYDOCK_DATA_DIR", "DRYDOCK_CLOCK_AHEAD", "DRYDOCK_REGISTRY_MIRRORS", "DRYDOCK_SYNC_EVERY",
    "DRYDOCK_BASE_POLL_EVERY", "DRYDOCK_BASE_STREAMS",
}  # fmt: skip
OF_AN_INSTALLATION = {
    "DATABASE_URL", "REDIS_URL", "DRYDOCK_SECRET_KEY", "DRYDOCK_ALLOWED_HOSTS", "DRYDOCK_TRUSTED_ORIGINS",
    "DRYDOCK_HTTPS", "DRYDOCK_REGISTRY_AUTH_FILE", "DRYDOCK_EVENT_QUEUES",
}  # fmt: skip


class Asked(Mapping[str, str]):
    """Variables that remember which of them were asked for."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.given, self.names = given, set[str]()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self.given[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.given)

    def __len__(self) -> int:
        return len(self.given)


def test_every_variable_that_drydock_reads_is_passed_on_but_the_demos_own_and_an_installations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked({"DRYDOCK_DATA_DIR": str(tmp_path)})
    env.read(asked)
    for name in asked.names:
        monkeypatch.setenv(name, "as given")
    made = demo.environment(8000, 8600, tmp_path, None)
    assert {name for name in asked.names if made.get(name) != "as given"} == ITS_OWN | OF_AN_INSTALLATION
    assert OF_AN_INSTALLATION.isdisjoint(made)


def test_a_teams_own_pipeline_can_be_tried_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYDOCK_REBUILD_WEBHOOK_URL", "http://127.0.0.1:9000/build")
    monkeypatch.setenv("DRYDOCK_REBUILD_WEBHOOK_SECRET", "a secret of some length")
    read = env.read(demo.environment(8000, 8600, tmp_path, None))
    assert (read.rebuild_webhook_url, read.rebuild_webhook_secret) == (
        "http://127.0.0.1:9000/build",
        "a secret of some length",
    )


@pytest.mark.parametrize(
    "name", ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "DRYDOCK_HOST", "DRYDOCK_ADMIN_PASSWORD"]
)
def test_credentials_and_what_would_open_it_to_others_stay_outside(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "of an installation")
    assert name not in demo.environment(8000, 8600, tmp_path, None)
    assert os.environ[name] == "of an installation"
