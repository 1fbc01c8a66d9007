"""No page asks AWS or a registry while it is shown, and what is posted only where the view is marked.

Every address is opened, and posted to, with the network cut off.
"""

import dataclasses
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse
from pytest_django.fixtures import Settings

from functions_app.aws import session
from functions_app.domain.runs import SignalKind
from functions_app.models import Account, BaseRelease, FreshnessPolicy, Image, LifecycleForecast, Run
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.changes import patch as patches
from functions_app.services.people.actor import Actor
from functions_app.urls import urlpatterns
from functions_app.web.waiting import is_marked
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

# What is filled in where an address takes more of a POST than the CSRF token.
FORMS: dict[str, dict[str, Any]] = {
    "account-add": {"name": "new", "account_id": "9" * 12, "colour": "blue", "regions": "eu-west-1"},
    "base-edit": {"enabled": "on"},
    "base-new": {"reference": "ghcr.io/acme/base:1", "enabled": "on"},
    "function-deploy": {"image_typed": "111111111111.dkr.ecr.eu-west-1.amazonaws.com/app:2", "alias": "live"},
    "function-invoke": {"qualifier": "$LATEST", "payload": "{}", "mode": "sync"},
    "function-rollback": {"alias": "live", "version": "1"},
    "invoke-check": {"payload": "{}"},
    "policy-add": {"max_days": "7", "tag_key": "team", "tag_value": "a"},
    "policy-edit": {"max_days": "7"},
}
TOKEN = "a token that is long enough"
PUSH = {
    "source": "aws.ecr", "detail-type": "ECR Image Action", "region": "eu-west-1", "account": "111111111111",
    "detail": {"action-type": "PUSH", "result": "SUCCESS", "repository-name": "team/app", "image-tag": "1"},
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
        "base-patch": [stream.pk], "base-read-files": [stream.pk],
        "base-plan": [patch.pk], "base-plan-csv": [patch.pk], "base-plan-json": [patch.pk],
        "function": [function.pk], "function-image": [function.pk], "function-activity": [function.pk],
        "function-deploy": [function.pk], "function-invoke": [function.pk],
        "image": [image.pk], "plan": [deployment.pk], "policy-edit": [policy.pk], "repository": [repository.pk],
        "function-rollback": [function.pk], "invoke-check": [function.pk],
        "image-read-files": [image.pk], "image-scan": [image.pk],
        "plan-apply": [deployment.pk], "policy-delete": [policy.pk], "repository-forecast": [repository.pk],
        "run": [run.pk], "run-log": [run.pk], **{f"run-{kind}": [run.pk] for kind in SignalKind},
    }  # fmt: skip
    return {name: reverse(name, args=keys.get(name, [])) for name in sorted(PATTERNS.keys() - {"styleguide"})}


def test_every_page_is_shown_with_the_network_cut_off(
    stage: Stage, superuser: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(superuser)
    pages = {name: address for name, address in addresses(stage, superuser).items() if name not in ACTIONS}

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


def test_what_is_posted_asks_aws_only_where_the_view_is_marked(
    stage: Stage, superuser: User, client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """So that it is served by threads of its own (dashboard/plan_threads.py), and no page waits with it."""
    settings.ENV = dataclasses.replace(settings.ENV, hook_token=TOKEN)
    found = addresses(stage, superuser)
    account, releases = Account.objects.get(name="fleet"), BaseRelease.objects.order_by("pk")
    forms = FORMS | {
        "account-edit": FORMS["account-add"] | {"name": "fleet", "account_id": account.account_id},
        "base-read-files": dict(zip(("from", "to"), releases.values_list("pk", flat=True), strict=True)),
    }
    session.forget()  # a connection that is kept open would not be seen
    asked, refused = set(), {}

    for name in sorted(found, key=lambda name: name in ("policy-delete", "logout")):
        Run.objects.update(status="cancelled")  # what the post before started is in nobody's way
        client.force_login(superuser)
        with offline(monkeypatch) as wanted:
            if name == "hook-ecr":
                answer = client.post(found[name], PUSH, "application/json", headers={"X-Drydock-Token": TOKEN})
            else:
                answer = client.post(found[name], forms.get(name, {}))
        if wanted:
            asked.add(name)
        elif answer.status_code not in (200, 202, 204, 302, 405):
            refused[name] = answer.status_code

    assert asked == {name for name, address in found.items() if is_marked(address)}
    assert "function-deploy" in asked
    assert refused == {}  # a form that is refused before it does anything proves nothing
