"""The pages of a patch: what is behind, its files read first, the plan with its verdict, the run with its undo."""

import html
import json

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
from tests.web.unbroken import unbroken

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
    return unbroken(html.unescape(answer.content.decode()))


def first_verdict(page: str) -> str:
    """The first verdict on a page: its colour, and its words."""
    colour, _, rest = page.partition('<div class="verdict ')[2].partition('"')
    return f"{colour} {rest.partition('<b>')[2].partition('</b>')[0]}"


def read_files(browser: Client, stage: PatchStage) -> str:
    """Press the button, and let the worker read the files; gives the address of the page."""
    address = reverse("function-patch", args=[stage.function.pk])
    answer = browser.post(address)
    run = Run.objects.get(kind=Kind.READ_FILES)
    assert answer["Location"] == f"{address}?digest=&reading={run.pk}"
    run = carry_out(run)
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
    assert first_verdict(shown).startswith("good SAFE: ")
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
    assert "<dt>Undoes</dt>" in text(browser, undone["Location"])
    shown = text(browser, reverse("run", args=[run.pk]))
    planned = shown.partition("<h2>Plan</h2>")[2].partition("</details>")[0]
    assert '<dt>Alias staging</dt><dd class="mono">version 1 → a new version</dd>' in planned
    assert f"{stage.company.stream.name} 1 → 3</dd>" in planned
    assert "release id" not in planned
    assert "{'" not in planned
    assert "It was undone." in shown
    assert "It can't be undone" not in shown


def test_the_functions_page_undoes_its_last_patch_by_one_click_and_a_second_click_makes_no_second_run(
    browser: Client, staged: Staging
) -> None:
    stage = staged()
    assert "undo-patch" not in panel(browser, stage)
    run = stage.patch()
    assert f'formaction="{reverse("run-undo", args=[run.pk])}"' in panel(browser, stage)
    first, second = (browser.post(reverse("run-undo", args=[run.pk])) for _ in range(2))
    undo = Run.objects.get(kind=Kind.UNDO)
    assert first["Location"] == second["Location"] == reverse("run", args=[undo.pk])
    assert carry_out(undo).status == Status.SUCCEEDED, log_of(undo)
    assert panel(browser, stage) == ""


def test_the_functions_page_says_why_its_last_patch_can_no_longer_be_undone(browser: Client, staged: Staging) -> None:
    stage = staged()
    run = stage.patch()
    stage.api.update_alias(FunctionName=stage.name, Name=stage.alias, FunctionVersion="1")
    stage.sync_all()
    shown = panel(browser, stage)
    version = run.result["version"]
    assert f"{stage.alias} was moved on since: it no longer points to version {version}." in shown
    assert "formaction" not in shown


@pytest.mark.parametrize("aliased", [True, False], ids=["by its alias", "without alias"])
def test_where_there_is_nothing_to_go_back_to_the_page_says_so_instead_of_offering_it(
    browser: Client, staged: Staging, aliased: bool
) -> None:
    stage = staged()
    if not aliased:
        stage.without_alias()
    before = stage.digest()
    stage.patch()
    assert "formaction" in panel(browser, stage)
    stage.functions.ecr.batch_delete_image(repositoryName=stage.name, imageIds=[{"imageDigest": before}])
    stage.sync_all()
    shown = panel(browser, stage)
    assert "ECR no longer has the image" in shown
    assert "formaction" not in shown


def test_a_version_that_was_deleted_since_is_named_instead_of_an_undo(browser: Client, staged: Staging) -> None:
    stage = staged()
    stage.patch()
    stage.api.delete_function(FunctionName=stage.name, Qualifier="1")
    stage.sync_all()
    shown = panel(browser, stage)
    assert f"Version 1, which {stage.alias} had, was deleted." in shown
    assert "formaction" not in shown


def panel(browser: Client, stage: PatchStage) -> str:
    """What the function's page says of its last patch; "" for none."""
    page = text(browser, reverse("function", args=[stage.function.pk]))
    return page.partition('<div class="last-patch">')[2].partition("</div>")[0]


def test_a_patch_that_ended_leads_on_and_only_operators_can_undo_it(
    browser: Client, staged: Staging, viewer: User
) -> None:
    stage = staged()
    run = stage.patch()
    address = reverse("run", args=[run.pk])
    shown = text(browser, address)
    assert f'href="{reverse("function", args=[stage.function.pk])}"' in shown.partition("run-next")[2]
    assert '<form id="undo-patch"' in shown
    browser.force_login(viewer)
    assert '<form id="undo-patch"' not in text(browser, address)  # without it the button is not shown (changes.css)


def test_what_is_unsafe_is_refused_and_names_the_path(browser: Client, staged: Staging) -> None:
    over = app(base(1), {"etc/release": b"mine"})
    package = {"var/lib/rpm/rpmdb.sqlite": b"a package database of its own"}
    stage = staged(app(over, package))
    answer = browser.post(read_files(browser, stage))
    assert answer.status_code == 422
    shown = html.unescape(answer.content.decode())
    assert first_verdict(shown).startswith("bad UNSAFE: ")
    assert "/var/lib/rpm/rpmdb.sqlite" in shown
    assert "plan-apply" not in shown
    assert not Plan.objects.exists()
    assert AuditEntry.objects.filter(action="patch.plan", result__startswith="refused").exists()


def test_what_is_to_be_reviewed_needs_a_tick_which_the_audit_keeps(browser: Client, staged: Staging) -> None:
    stage = staged(app(base(1), {"etc/ld.so.cache": b"cache"}))
    browser.post(read_files(browser, stage))
    plan = Plan.objects.get(kind=Kind.PATCH)
    shown = text(browser, reverse("plan", args=[plan.pk]))
    assert first_verdict(shown).startswith("warn REVIEW: ")
    assert 'name="tick"' in shown
    assert browser.post(reverse("plan-apply", args=[plan.pk])).status_code == 400
    browser.post(reverse("plan-apply", args=[plan.pk]), {"tick": "review"})
    run = Run.objects.get(kind=Kind.PATCH)
    entry = AuditEntry.objects.get(action="patch.submit")
    assert "linker-cache" in str(entry.plan)
    assert run.made_from == plan


def test_once_the_files_are_read_the_plan_is_made_for_whoever_waited_and_for_nobody_else(
    browser: Client, staged: Staging
) -> None:
    stage = staged()
    address = reverse("function-patch", args=[stage.function.pk])
    waiting = browser.post(address)["Location"]
    assert "data-submit-at-once" not in text(browser, waiting)
    carry_out(Run.objects.get(kind=Kind.READ_FILES))
    assert "data-submit-at-once" in text(browser, waiting)
    assert "data-submit-at-once" not in text(browser, address)


def test_viewers_may_look_and_press_nothing(browser: Client, staged: Staging, viewer: User) -> None:
    stage = staged()
    browser.force_login(viewer)
    shown = text(browser, reverse("function-patch", args=[stage.function.pk]))
    assert "Only operators may change functions; you may look." in shown
    assert browser.post(reverse("function-patch", args=[stage.function.pk])).status_code == 403


def test_where_latest_is_something_else_it_is_told_field_by_field_and_may_be_left_so(
    browser: Client, staged: Staging
) -> None:
    stage = staged()
    stage.functions.configure(stage.name, Timeout=30)
    address = read_files(browser, stage)
    answer = browser.post(address)
    assert answer.status_code == 422
    shown = html.unescape(answer.content.decode())
    assert '<th scope="row">Timeout</th><td class="wrap">3 s</td><td class="wrap">30 s</td>' in shown
    assert "Plan it, and leave $LATEST as it is" in shown
    assert first_verdict(shown).startswith("warn It takes one more choice: ")
    assert "It can't be done" not in shown
    answer = browser.post(address, {"latest": "keep"})
    plan = Plan.objects.get(kind=Kind.PATCH)
    assert answer["Location"] == reverse("plan", args=[plan.pk])
    shown = text(browser, answer["Location"])
    assert "$LATEST isn't what staging runs: it is left as it is" in " ".join(shown.split())
    assert "Plan it, and leave" not in shown
    assert browser.post(reverse("plan-apply", args=[plan.pk])).status_code == 400
    browser.post(reverse("plan-apply", args=[plan.pk]), {"tick": "latest"})
    run = carry_out(Run.objects.get(kind=Kind.PATCH))
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert stage.functions.read(stage.name)["Timeout"] == 30


def test_a_refused_plan_is_planned_again_from_its_own_page(browser: Client, staged: Staging) -> None:
    stage = staged()
    keeps = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2}
    policy = json.dumps({"rules": [{"rulePriority": 1, "selection": keeps, "action": {"type": "expire"}}]})
    stage.functions.ecr.put_lifecycle_policy(repositoryName=stage.name, lifecyclePolicyText=policy)
    address = read_files(browser, stage)
    refused = browser.post(address)
    assert refused.status_code == 422
    again = html.unescape(refused.content.decode()).partition(">Plan again</button>")[0].rpartition("<form")[2]
    assert f'action="{address}"' in again
    stage.functions.ecr.delete_lifecycle_policy(repositoryName=stage.name)
    digest = again.partition('name="digest" value="')[2].partition('"')[0]
    assert digest == stage.digest()
    assert browser.post(address, {"digest": digest}).status_code == 302


def test_the_plan_of_an_undo_says_what_comes_back_and_not_that_all_is_well(browser: Client, staged: Staging) -> None:
    stage = staged()
    undo = stage.plan_undo(stage.patch())
    shown = text(browser, reverse("plan", args=[undo.pk]))
    assert "After it the function stands on an older release of its base again." in shown
    assert 'class="verdict good"' not in shown
