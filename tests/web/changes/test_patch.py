"""The pages of a patch: what is behind, its files read first, the plan with its verdict, the run with its undo."""

import html

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from functions_app.domain.runs import Kind, Status
from functions_app.models import AuditEntry, Plan, Run
from functions_app.services.people.actor import Actor
from sandbox.images.making import Image
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.patching.patch_stage import PatchStage, app, base, make_patch_stage
from tests.services.changes.stage import carry_out, log_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(operator: User) -> Client:
    """An operator's browser."""
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def staged(functions: Functions, aws: Sandbox, operator: User, valkey: Valkey) -> "Staging":
    """Makes the stage with this image."""
    return Staging(functions, aws, Actor(operator))


class Staging:
    """A function on an older base, made when a test knows of which image."""

    def __init__(self, functions: Functions, aws: Sandbox, actor: Actor) -> None:
        self._made = functions, aws, actor

    def __call__(self, image: Image | None = None) -> PatchStage:
        return make_patch_stage(*self._made, image)


def text(browser: Client, url: str, status: int = 200) -> str:
    """A page's words."""
    answer = browser.get(url)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def read_files(browser: Client, stage: PatchStage) -> str:
    """Press the button, and let the worker read the files; gives the address of the page."""
    address = reverse("function-patch", args=[stage.function.pk])
    answer = browser.post(address)
    assert answer["Location"] == address
    run = carry_out(Run.objects.get(kind=Kind.READ_FILES))
    assert run.status == Status.SUCCEEDED, log_of(run)
    return address


def test_a_stale_function_offers_its_patch_and_tells_how_far_the_base_has_moved(
    browser: Client, staged: Staging
) -> None:
    stage = staged()
    page = text(browser, reverse("function", args=[stage.function.pk]))
    address = reverse("function-patch", args=[stage.function.pk])
    assert f'<a class="btn btn-primary" href="{address}">Patch</a>' in page
    shown = text(browser, address)
    assert "2 releases forward" in shown
    assert "Plan the patch" in shown


def test_files_are_read_first_and_the_page_tells_how_far_that_is(browser: Client, staged: Staging) -> None:
    stage = staged()
    address = reverse("function-patch", args=[stage.function.pk])
    browser.post(address)
    run = Run.objects.get(kind=Kind.READ_FILES)
    shown = text(browser, address)
    assert f"Follow run {run.pk}" in shown
    assert 'hx-trigger="every 2s"' in shown
    assert not Plan.objects.exists()
    browser.post(address)  # pressed once more: nothing is read twice
    assert Run.objects.filter(kind=Kind.READ_FILES).count() == 1


def test_from_the_button_to_the_run_and_its_undo(browser: Client, staged: Staging) -> None:
    stage = staged()
    answer = browser.post(read_files(browser, stage))
    plan = Plan.objects.get(kind=Kind.PATCH)
    assert answer["Location"] == reverse("plan", args=[plan.pk])
    shown = text(browser, answer["Location"])
    assert "SAFE: " in shown
    assert "moves two releases forward; your one layer stays byte for byte." in shown
    answer = browser.post(reverse("plan-apply", args=[plan.pk]))
    run = Run.objects.get(kind=Kind.PATCH)
    assert answer["Location"] == reverse("run", args=[run.pk])
    assert carry_out(run).status == Status.SUCCEEDED, log_of(run)
    assert 'form="undo-patch"' in text(browser, answer["Location"])
    undone = browser.post(reverse("run-undo", args=[run.pk]))
    undo = Run.objects.get(kind=Kind.UNDO)
    assert undone["Location"] == reverse("run", args=[undo.pk])
    assert carry_out(undo).status == Status.SUCCEEDED, log_of(undo)
    assert "It can't be undone by one click: It was undone." in text(browser, reverse("run", args=[run.pk]))


def test_what_is_unsafe_is_refused_and_names_the_path(browser: Client, staged: Staging) -> None:
    over = app(base(1), {"etc/release": b"mine"})
    package = {"var/lib/rpm/rpmdb.sqlite": b"a package database of its own"}
    stage = staged(app(over, package))
    answer = browser.post(read_files(browser, stage))
    assert answer.status_code == 422
    shown = html.unescape(answer.content.decode())
    assert "UNSAFE: " in shown
    assert "/var/lib/rpm/rpmdb.sqlite" in shown
    assert "plan-apply" not in shown
    assert not Plan.objects.exists()
    assert AuditEntry.objects.filter(action="patch.plan", result__startswith="refused").exists()


def test_what_is_to_be_reviewed_needs_a_tick_which_the_audit_keeps(browser: Client, staged: Staging) -> None:
    stage = staged(app(base(1), {"etc/ld.so.cache": b"cache"}))
    browser.post(read_files(browser, stage))
    plan = Plan.objects.get(kind=Kind.PATCH)
    shown = text(browser, reverse("plan", args=[plan.pk]))
    assert "REVIEW: " in shown
    assert 'name="tick"' in shown
    assert browser.post(reverse("plan-apply", args=[plan.pk])).status_code == 400
    browser.post(reverse("plan-apply", args=[plan.pk]), {"tick": "review"})
    run = Run.objects.get(kind=Kind.PATCH)
    entry = AuditEntry.objects.get(action="patch.submit")
    assert "linker-cache" in str(entry.plan)
    assert run.made_from == plan


def test_viewers_may_look_and_press_nothing(browser: Client, staged: Staging, viewer: User) -> None:
    stage = staged()
    browser.force_login(viewer)
    shown = text(browser, reverse("function-patch", args=[stage.function.pk]))
    assert "Only operators may change functions; you may look." in shown
    assert browser.post(reverse("function-patch", args=[stage.function.pk])).status_code == 403
