"""The pages of invoking."""

import dataclasses
import html
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.urls import reverse

from functions_app import clock
from functions_app.domain.runs import Status
from functions_app.models import AuditEntry, Function, Run
from functions_app.services.people.actor import Actor
from functions_app.services.tidy import tidy
from tests import factories
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions, python_image
from tests.services.changes.stage import Stage, carry_out, make_stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser() -> Client:
    """Somebody's browser."""
    return Client()


@pytest.fixture
def stage(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function of its own."""
    return make_stage(functions, Actor(operator))


def address(stage: Stage) -> str:
    return reverse("function-invoke", args=[stage.function.pk])


def send(browser: Client, stage: Stage, payload: str = "{}", **more: str) -> Run:
    """Fill in the form and be the worker."""
    answer = browser.post(address(stage), {"qualifier": "staging", "mode": "sync", "payload": payload, **more})
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    run = Run.objects.latest("pk")
    assert answer["Location"] == reverse("run", args=[run.pk])
    return carry_out(run)


def page_of(browser: Client, run: Run) -> str:
    return html.unescape(browser.get(reverse("run", args=[run.pk])).content.decode())


def test_the_form_offers_aliases_and_versions(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    shown = html.unescape(browser.get(address(stage)).content.decode())
    assert "staging → 1" in shown
    assert "version 1" in shown
    assert "$LATEST" in shown


def test_the_answer_is_shown_with_its_figures(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    run = send(browser, stage)
    assert run.status == Status.SUCCEEDED
    shown = page_of(browser, run)
    assert '"one"' in shown
    assert "Max memory used" in shown
    assert run.result["answer"]["request_id"] in shown


def test_the_functions_failure_is_shown_as_its_own(browser: Client, stage: Stage, operator: User) -> None:
    stage.functions.redeploy(python_image("def handler(event, context):\n    raise ValueError('<b>no</b>')\n"))
    browser.force_login(operator)
    run = send(browser, stage, qualifier="$LATEST")
    answer = browser.get(reverse("run", args=[run.pk])).content.decode()
    assert "The function failed" in answer
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in answer
    assert "<b>no</b>" not in answer


@pytest.mark.parametrize(("mode", "words"), [("async", "Accepted (202)"), ("dry_run", "Allowed (204)")])
def test_other_modes_say_what_happened(browser: Client, stage: Stage, operator: User, mode: str, words: str) -> None:
    browser.force_login(operator)
    assert words in page_of(browser, send(browser, stage, mode=mode))


def test_a_mistake_brings_the_form_back_with_what_was_typed(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    answer = browser.post(address(stage), {"qualifier": "staging", "mode": "async", "payload": '{"typed": }'})
    shown = html.unescape(answer.content.decode())
    assert answer.status_code == 400
    assert "line 1, column 11" in shown
    assert '{"typed": }' in shown
    assert not Run.objects.exists()


def test_what_is_typed_is_checked(browser: Client, operator: User) -> None:
    function = factories.make_function(factories.make_account())
    browser.force_login(operator)
    check = reverse("invoke-check", args=[function.pk])
    wrong = browser.post(check, {"payload": "{\n]", "mode": "sync"}, headers={"HX-Request": "true"}).content.decode()
    assert "line 2, column 1" in wrong
    assert "<html" not in wrong
    fine = browser.post(check, {"payload": "{}", "mode": "sync"}, headers={"HX-Request": "true"}).content.decode()
    assert "Valid JSON" in fine


def test_the_limit_is_that_of_the_mode(browser: Client, operator: User) -> None:
    function = factories.make_function(factories.make_account())
    browser.force_login(operator)
    check = reverse("invoke-check", args=[function.pk])
    payload = f'"{"x" * 1024 * 1024}"'
    assert "at most 1 MB" in browser.post(check, {"payload": payload, "mode": "async"}).content.decode()
    assert "Valid JSON" in browser.post(check, {"payload": payload, "mode": "sync"}).content.decode()
    whole = f'"{"x" * 6 * 1024 * 1024}"'
    assert "at most 6 MB" in browser.post(check, {"payload": whole, "mode": "sync"}).content.decode()


@pytest.mark.parametrize("more", [{"qualifier": "99"}, {"mode": "twice"}])
def test_what_is_not_offered_is_refused(browser: Client, stage: Stage, operator: User, more: dict[str, str]) -> None:
    browser.force_login(operator)
    form = {"qualifier": "staging", "mode": "sync", "payload": "{}", **more}
    answer = browser.post(address(stage), form | {"payload": '{"kept": 1}'})
    shown = html.unescape(answer.content.decode())
    assert answer.status_code == 400
    assert 'role="alert"' in shown
    assert '{"kept": 1}' in shown
    assert not Run.objects.exists()


def test_a_viewer_sees_the_form_and_may_not_send(browser: Client, stage: Stage, viewer: User) -> None:
    browser.force_login(viewer)
    assert "Only operators may invoke" in browser.get(address(stage)).content.decode()
    form = {"qualifier": "staging", "mode": "sync", "payload": "{}"}
    assert browser.post(address(stage), form).status_code == 403
    assert not Run.objects.exists()


def test_only_a_tenant_isolated_function_is_asked_for_its_tenant(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    address_of_form = reverse("function-invoke", args=[stage.function.pk])
    assert 'name="tenant"' not in browser.get(address_of_form).content.decode()
    Function.objects.filter(pk=stage.function.pk).update(features={"tenant_isolation": "PER_TENANT"})
    shown = browser.get(address_of_form).content.decode()
    assert 'name="tenant"' in shown
    assert "it takes no call without one" in shown


def test_the_tenant_that_was_typed_goes_into_the_run(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    sent = {"qualifier": "staging", "payload": "{}", "mode": "sync", "tenant": "shop-1"}
    answer = browser.post(reverse("function-invoke", args=[stage.function.pk]), sent)
    assert answer.status_code == 302
    assert Run.objects.get().title == "Invoke app:staging for tenant shop-1"


def test_a_tenant_that_can_not_be_one_is_told_on_the_form_as_it_was_typed(
    browser: Client, stage: Stage, operator: User
) -> None:
    browser.force_login(operator)
    sent = {"qualifier": "staging", "payload": "{}", "mode": "sync", "tenant": "a;b"}
    shown = browser.post(reverse("function-invoke", args=[stage.function.pk]), sent).content.decode()
    assert 'value="a;b"' in shown
    assert not Run.objects.exists()


def once_of(browser: Client, stage: Stage) -> str:
    """What makes this form one that is sent once."""
    found = re.search(r'name="once" value="([^"]+)"', browser.get(address(stage)).content.decode())
    assert found is not None
    return found[1]


def test_a_form_that_is_sent_again_is_told_as_the_run_it_made(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    form = {"qualifier": "staging", "mode": "sync", "payload": "{}", "once": once_of(browser, stage)}
    first, *others = [browser.post(address(stage), form) for _ in range(6)]
    run = Run.objects.get()
    assert {answer["Location"] for answer in (first, *others)} == {reverse("run", args=[run.pk])}
    shown = browser.get(reverse("run", args=[run.pk])).content.decode()
    assert "This form was sent before" in shown
    assert AuditEntry.objects.count() == 1


def test_six_that_arrive_at_once_make_one_run(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    form = {"qualifier": "staging", "mode": "sync", "payload": "{}", "once": once_of(browser, stage)}
    cookies = browser.cookies.output(header="", sep=";").strip()

    def post() -> str:
        try:
            return Client(headers={"Cookie": cookies}).post(address(stage), form).headers["Location"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = {sent.result() for sent in [pool.submit(post) for _ in range(6)]}
    assert answers == {reverse("run", args=[Run.objects.get().pk])}


@pytest.mark.parametrize("changed", [{"payload": "[]"}, {"mode": "dry_run"}, {"qualifier": "$LATEST"}, {"once": ""}])
def test_what_differs_is_sent_also_with_the_form_that_was_sent_before(
    browser: Client, stage: Stage, operator: User, changed: dict[str, str]
) -> None:
    browser.force_login(operator)
    form = {"qualifier": "staging", "mode": "sync", "payload": "{}", "once": once_of(browser, stage)}
    for fields in (form, form | changed):
        browser.post(address(stage), fields)
    assert Run.objects.count() == 2


def test_a_new_form_sends_the_same_again_and_so_does_somebody_else(
    browser: Client, stage: Stage, operator: User, approver: User
) -> None:
    browser.force_login(operator)
    form = {"qualifier": "staging", "mode": "sync", "payload": "{}", "once": once_of(browser, stage)}
    browser.post(address(stage), form)
    browser.post(address(stage), form | {"once": once_of(browser, stage)})
    browser.force_login(approver)
    browser.post(address(stage), form)
    assert [run.actor for run in Run.objects.order_by("pk")] == [operator, operator, approver]


def test_a_form_whose_run_was_forgotten_meanwhile_does_not_make_it_again(
    browser: Client, stage: Stage, operator: User, settings: Any
) -> None:
    """A browser brings tabs back after weeks, and asks whether to send their forms again."""
    browser.force_login(operator)
    form = {"qualifier": "staging", "mode": "sync", "payload": "{}", "once": once_of(browser, stage)}
    browser.post(address(stage), form)
    carry_out(Run.objects.get())
    settings.ENV = dataclasses.replace(settings.ENV, clock_ahead=timedelta(days=32))
    assert tidy(clock.now()).plans == 1
    browser.force_login(operator)
    refused = browser.post(address(stage), form).content.decode()
    assert "This form was opened more than a day ago" in refused
    assert Run.objects.count() == 1
    found = re.search(r'name="once" value="([^"]+)"', refused)
    assert found is not None
    assert browser.post(address(stage), form | {"once": found[1]}).status_code == 302
    assert Run.objects.count() == 2


def test_a_form_that_was_refused_can_be_corrected_and_sent(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    form = {"qualifier": "staging", "mode": "sync", "payload": "{", "once": once_of(browser, stage)}
    refused = browser.post(address(stage), form).content.decode()
    assert f'value="{form["once"]}"' in refused
    browser.post(address(stage), form | {"payload": "{}"})
    assert Run.objects.count() == 1


def test_what_was_not_executed_is_invoked_again_from_its_page(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    stage.api.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
    refused = send(browser, stage)
    stage.api.delete_function_concurrency(FunctionName="app")
    shown = page_of(browser, refused)
    assert "The function was not executed" in shown
    door = reverse("run-invoke-again", args=[refused.pk])
    assert f'id="invoke-again" method="post" action="{door}"' in shown
    assert 'form="invoke-again"' in shown

    answer = browser.post(door)

    run = carry_out(Run.objects.latest("pk"))
    assert answer["Location"] == reverse("run", args=[run.pk])
    assert run.status == Status.SUCCEEDED
    assert "was not executed" not in page_of(browser, run)
