"""The pages of a patch that begins with a golden image: what goes first, what else stands on it, what is refused."""

import html
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from functions_app.domain.runs import Kind, Status
from functions_app.models import Image, Plan, Run
from functions_app.services.inventory import patches
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.patching.golden_stage import GOLDEN, GoldenStage, golden, make_golden_stages
from tests.services.changes.stage import carry_out, log_of
from tests.web.unbroken import unbroken

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
NAMES = ("app", "billing", "cart")


@pytest.fixture
def browser(operator: User) -> Client:
    """An operator's browser."""
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def stages(functions: Functions, aws: Sandbox, operator: User, valkey: Valkey) -> list[GoldenStage]:
    return make_golden_stages(functions, aws, Actor(operator), NAMES)


def text(content: bytes) -> str:
    """A page's words."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", unbroken(content.decode()))).split())


def planned(browser: Client, stage: GoldenStage) -> bytes:
    """The page with the plan, once its files are read; refused or not."""
    address = reverse("function-patch", args=[stage.function.pk])
    browser.post(address)
    for run in Run.objects.filter(kind=Kind.READ_FILES):
        assert carry_out(run).status == Status.SUCCEEDED, log_of(run)
    return bytes(browser.post(address, follow=True).content)


def test_before_it_is_planned_the_page_says_what_goes_first(browser: Client, stages: list[GoldenStage]) -> None:
    shown = text(browser.get(reverse("function-patch", args=[stages[0].function.pk])).content)
    assert f"First Golden image {GOLDEN}:stable stable-1.0.0 goes onto {stages[0].company.stream.name} 3" in shown
    assert "stable-1.0.0 → stable-1.0.0, patched" in shown
    assert "Plan the patch" in shown


def test_the_plan_shows_both_and_leads_to_what_else_stands_on_it(
    browser: Client, stages: list[GoldenStage], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = planned(browser, stages[0])
    shown, frozen = text(page), Plan.objects.get(kind=Kind.PATCH).body
    assert f"First the golden image {GOLDEN}:stable" in shown
    named = page.decode().partition(" checks passed:")
    assert int(named[0].split()[-1]) == len(named[2].partition("</summary>")[0].split(","))
    assert frozen["golden"][0]["tag"] in shown
    assert f"The tag {stages[0].stream.reference} stays where its owner has put it" in shown
    assert "Then this function" in shown
    assert f"2 other functions stand on {GOLDEN}:stable, each with its own patch" in shown
    for other in stages[1:]:
        assert f'href="{reverse("function-patch", args=[other.function.pk])}"'.encode() in page
    monkeypatch.setattr(patches, "NAMED", 1)  # as if there were more than twenty
    shortened = browser.get(reverse("plan", args=[Plan.objects.get(kind=Kind.PATCH).pk]))
    assert "and 1 more" in text(shortened.content)
    assert reverse("base", args=[stages[0].stream.pk]).encode() in shortened.content


def test_an_unsafe_golden_image_is_named_with_its_paths_and_what_to_build_first(
    browser: Client, functions: Functions, aws: Sandbox, operator: User, valkey: Valkey
) -> None:
    below = golden(1, files={"var/lib/rpm/rpmdb.sqlite": b"a package database of its own"})
    (stage,) = make_golden_stages(functions, aws, Actor(operator), NAMES[:1], below)
    shown = text(planned(browser, stage))
    assert f"UNSAFE: golden image {GOLDEN}:stable would not work on" in shown
    assert f"Found in the golden image {GOLDEN}:stable" in shown
    assert "The golden image's layers write the operating system's package database." in shown
    assert "The app's layers write" not in shown
    assert "/var/lib/rpm/rpmdb.sqlite" in shown
    assert f"First the golden image {GOLDEN}:stable, and its owner's tag moved to it" in shown
    assert f"FROM {stage.stream.reference}" in shown


def test_where_it_can_not_be_pushed_the_page_says_why_and_leads_to_it(
    browser: Client, stages: list[GoldenStage]
) -> None:
    Image.objects.filter(repository__name=GOLDEN).delete()
    answer = browser.get(reverse("function-patch", args=[stages[0].function.pk]))
    assert "so that it can push nothing there." in text(answer.content)
    assert reverse("base", args=[stages[0].stream.pk]).encode() in answer.content
    assert "Plan the patch" not in text(answer.content)


def test_after_the_undo_and_before_the_page_says_that_its_new_image_stays(
    browser: Client, stages: list[GoldenStage]
) -> None:
    stage = stages[0]
    run = stage.patch()
    assert run.status == Status.SUCCEEDED, log_of(run)
    shown = browser.get(reverse("base", args=[stage.stream.pk]))
    assert "made by a patch" in text(shown.content)
    stored = stage.plan_undo(run)
    shown = browser.get(reverse("plan", args=[stored.pk]))
    assert f"The new image of {GOLDEN}:stable stays in its repository" in text(shown.content)
