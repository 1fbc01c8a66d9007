"""No page asks AWS or a registry while it is rendered: every address is opened with the network cut off."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse

from functions_app.domain.runs import SignalKind
from functions_app.models import FreshnessPolicy, Image, LifecycleForecast, Run
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.changes import patch as patches
from functions_app.services.people.actor import Actor
from functions_app.urls import urlpatterns
from tests import factories
from tests.conftest import Valkey
from tests.factories import NOW, digest
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, make_stage

pytestmark = pytest.mark.django_db(transaction=True)

# These only take a POST, and start a run or make a plan.
ACTIONS = {
    "base-patch", "base-poll", "base-read-files", "function-rollback", "hook-ecr", "image-read-files", "image-scan",
    "invoke-check", "logout", "plan-apply", "policy-delete", "repository-forecast", "sync",
    *(f"run-{kind}" for kind in SignalKind),
}  # fmt: skip

PATTERNS = {str(pattern.name): str(pattern.pattern) for pattern in urlpatterns if isinstance(pattern, URLPattern)}


@pytest.fixture
def stage(functions: Functions, superuser: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function in the sandbox, with a second image to deploy."""
    made = make_stage(functions, Actor(superuser))
    made.push("two", "2")
    return made


@contextmanager
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Where connections were wanted meanwhile; none is made, except to this machine's Valkey by its file.

    socket.connect is replaced because no server could see an attempt to reach every host there is.
    """
    wanted: list[Any] = []
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX:
            connect(self, address)
            return
        wanted.append(address)
        raise ConnectionRefusedError(f"offline: {address}")

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "connect", refuse)
        yield wanted


def addresses(stage: Stage, person: User) -> dict[str, str]:
    """Each page by its name, of things that have something to show."""
    stream = factories.make_stream(reference="public.ecr.aws/lambda/python:3.12")
    old, new = (
        factories.make_release(stream, "3.12.old", days_old=41),
        factories.make_release(stream, "3.12.new", current=True),
    )
    repository = factories.make_repository(factories.make_account("fleet"))
    image = factories.make_image(repository, "app", tags=["v1"], base_release=old)
    function = factories.make_function(repository.account, "orders")
    for number in (1, 2, "$LATEST"):
        factories.make_version(function, number, image)
    factories.make_alias(function, "live", 2)
    Image.objects.exclude(pk=image.pk).update(base_release=new)
    judge_images()
    LifecycleForecast.objects.create(
        repository=repository,
        policy="{}",
        attempted_at=NOW,
        read_at=NOW,
        expiring=[{"digest": digest("app"), "rule": 1, "action": "delete", "tags": ["v1"], "pushed_at": ""}],
    )
    policy = FreshnessPolicy.objects.create(max_days=30)
    patch = patches.plan(stream, Actor(person))
    deployment = stage.plan("2")
    run = Run.objects.create(kind="deployment", status="running", title="Deploy v2", function=function, created_at=NOW)
    keys: dict[str, list[Any]] = {
        "account-edit": [repository.account.pk],
        "base": [stream.pk], "base-compare": [stream.pk], "base-edit": [stream.pk],
        "base-named": [stream.name],
        "base-plan": [patch.pk], "base-plan-csv": [patch.pk], "base-plan-json": [patch.pk],
        "function": [function.pk], "function-image": [function.pk], "function-activity": [function.pk],
        "function-deploy": [function.pk], "function-invoke": [function.pk],
        "image": [image.pk], "plan": [deployment.pk], "policy-edit": [policy.pk], "repository": [repository.pk],
        "run": [run.pk], "run-log": [run.pk],
    }  # fmt: skip
    names = PATTERNS.keys() - ACTIONS - {"styleguide"}
    return {name: reverse(name, args=keys.get(name, [])) for name in sorted(names)}


def test_every_page_is_shown_with_the_network_cut_off(
    stage: Stage, superuser: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(superuser)
    pages = addresses(stage, superuser)

    with offline(monkeypatch) as wanted:
        found = {name: client.get(address).status_code for name, address in pages.items()}

    assert wanted == []
    assert {name: status for name, status in found.items() if status not in (200, 302)} == {}


def test_what_is_no_page_takes_no_get(superuser: User, client: Client) -> None:
    client.force_login(superuser)
    args: dict[str, list[Any]] = {name: [1] for name in ACTIONS if "<int:pk>" in PATTERNS[name]} | {
        "plan-apply": ["00000000-0000-0000-0000-000000000000"]
    }

    found = {name: client.get(reverse(name, args=args.get(name, []))).status_code for name in ACTIONS}

    assert {name: status for name, status in found.items() if status not in (302, 401, 404, 405)} == {}
