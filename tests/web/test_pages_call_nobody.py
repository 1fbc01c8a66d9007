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
from pytest_django.fixtures import Settings

from functions_app.aws import session
from functions_app.domain.layers.packing import VERSION
from functions_app.domain.runs import ACTIVE
from functions_app.models import Account, BaseRelease, Image, LayerFiles, Plan, Run
from functions_app.services.people.actor import Actor
from functions_app.streams.plan_places import is_marked
from tests.conftest import Valkey
from tests.every_route import ROUTES, Places, furnish
from tests.factories import NOW
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import make_stage

pytestmark = pytest.mark.django_db(transaction=True)

# These only take a POST, and start a run or make a plan; or wait for a token.
ACTIONS = {name for name, route in ROUTES.items() if route.get[-1] in (401, 405)} | {
    "function-rollback",
    "plan-apply",
    "plan-approve",
    "plan-reject",
    "repository-forecast",
    "run-undo",
}
TOKEN = "a token that is long enough"
PUSH = {
    "source": "aws.ecr", "detail-type": "ECR Image Action", "region": "eu-west-1", "account": "111111111111",
    "detail": {"action-type": "PUSH", "result": "SUCCESS", "repository-name": "team/app", "image-tag": "1"},
}  # fmt: skip


@pytest.fixture
def places(functions: Functions, superuser: User, aws: Sandbox, valkey: Valkey) -> Places:
    """Something of everything, with a second image to deploy."""
    stage = make_stage(functions, Actor(superuser))
    stage.push("two", "2")
    return furnish(stage, superuser)


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


def test_every_page_is_shown_with_the_network_cut_off(
    places: Places, superuser: User, client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, metrics_token=TOKEN)
    shown = {"Authorization": f"Bearer {TOKEN}"}  # pages don't ask for it
    client.force_login(superuser)

    with offline(monkeypatch) as wanted:
        found = {name: client.get(places.address(name), headers=shown).status_code for name in ROUTES.keys() - ACTIONS}

    assert wanted == []
    assert {name: status for name, status in found.items() if status not in (200, 302)} == {}


def test_what_is_posted_asks_aws_only_where_the_view_is_marked(
    places: Places,
    superuser: User,
    operator: User,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    """So that it is served by threads of its own (dashboard/plan_threads.py), and no page waits with it."""
    settings.ENV = dataclasses.replace(
        settings.ENV, hook_token=TOKEN, rebuild_webhook_url="https://192.0.2.1", rebuild_webhook_secret=TOKEN
    )
    known = (*Image.objects.values_list("diff_ids"), *BaseRelease.objects.values_list("diff_ids"))
    for diff_id in {each for (diff_ids,) in known for each in diff_ids}:  # so that a patch is planned
        LayerFiles.objects.create(diff_id=diff_id, read_at=NOW, packed_as=VERSION)
    session.forget()  # a connection that is kept open would not be seen
    asked, refused = set(), {}

    for name in sorted(ROUTES, key=lambda name: name in ("policy-delete", "logout")):
        Run.objects.filter(status__in=ACTIVE).update(status="cancelled")  # of the post before: in nobody's way
        Account.objects.update(enabled=True)  # the form of an account switches it off
        # Somebody else's, and to be decided still: to approve it, and to reject it.
        Plan.objects.filter(pk=places.keys["waiting"]).update(maker=operator, applied_at=None, rejected_at=None)
        superuser.refresh_from_db()  # whose password may be another one by now
        client.force_login(superuser)
        with offline(monkeypatch) as wanted:
            if name == "hook-ecr":
                answer = client.post(places.address(name), PUSH, "application/json", headers={"X-Drydock-Token": TOKEN})
            else:
                answer = client.post(places.address(name), places.form(name))
        if wanted:
            asked.add(name)
        elif answer.status_code not in (200, 202, 204, 302, 405):
            refused[name] = answer.status_code

    assert asked == {name for name in ROUTES if is_marked(places.address(name))}
    assert "function-deploy" in asked
    assert refused == {}  # a form that is refused before it does anything proves nothing
