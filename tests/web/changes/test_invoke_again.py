"""What a run tells of an invocation, and how that is sent once more: never as it is shown where that is not all."""

import html

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from functions_app.models import Run
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, carry_out, make_stage

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = '{"user": "vera", "password": "hunter2-hunter2"}'


@pytest.fixture
def stage(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function of its own."""
    return make_stage(functions, Actor(operator))


@pytest.fixture
def browser(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def invoked(browser: Client, stage: Stage, payload: str, **more: str) -> Run:
    form = {"qualifier": "staging", "mode": "sync", "payload": payload, **more}
    browser.post(reverse("function-invoke", args=[stage.function.pk]), form)
    return carry_out(Run.objects.latest("pk"))


def page_of(browser: Client, run: Run) -> str:
    return html.unescape(browser.get(reverse("run", args=[run.pk])).content.decode())


def form_again(browser: Client, stage: Stage, run: Run) -> str:
    address = f"{reverse('function-invoke', args=[stage.function.pk])}?again={run.pk}"
    assert f'href="{address}"' in page_of(browser, run)
    return html.unescape(browser.get(address).content.decode())


def typed_in(form: str) -> str:
    return form.split('id="payload"')[1].split(">", 1)[1].split("</textarea>")[0]


def test_what_was_sent_and_what_came_are_labelled_and_without_secrets(browser: Client, stage: Stage) -> None:
    page = page_of(browser, invoked(browser, stage, SECRET))
    request, response = page.split('id="request-title"')[1].split('id="response-title"')
    assert "Request" in request
    assert '"user": "vera"' in request
    assert "secrets are hidden" in request
    assert "Response" in response
    assert '"one"' in response
    assert "hunter2" not in page


def test_invoke_again_opens_the_form_as_it_was_sent(browser: Client, stage: Stage) -> None:
    form = form_again(browser, stage, invoked(browser, stage, '{"order": 7}', mode="async"))
    assert '"order": 7' in typed_in(form)
    assert '<option value="staging" selected>' in form
    assert 'value="async" checked' in form
    assert "enter it anew" not in form


def test_a_payload_with_a_secret_is_entered_anew(browser: Client, stage: Stage) -> None:
    form = form_again(browser, stage, invoked(browser, stage, SECRET))
    assert typed_in(form) == ""
    assert "Secrets in the payload were not kept" in form
    assert "enter it anew" in form


@pytest.mark.parametrize("typed", ["", "as shown"])
def test_what_is_shown_in_its_place_is_refused_by_the_server(browser: Client, stage: Stage, typed: str) -> None:
    run = invoked(browser, stage, SECRET)
    payload = run.result["request"]["payload"] if typed else ""
    form = {"qualifier": "staging", "mode": "sync", "payload": payload, "again": str(run.pk)}
    answer = browser.post(reverse("function-invoke", args=[stage.function.pk]), form)
    assert answer.status_code == 400
    assert "be sent again as it is shown" in html.unescape(answer.content.decode())
    assert Run.objects.count() == 1
    assert f'name="again" value="{run.pk}"' in answer.content.decode()


def test_what_is_entered_anew_is_sent(browser: Client, stage: Stage) -> None:
    run = invoked(browser, stage, SECRET)
    assert invoked(browser, stage, '{"user": "wim"}', again=str(run.pk)).pk != run.pk


@pytest.mark.parametrize("number", ["x", "0", "999999999999999999", "9" * 40])
def test_a_run_that_is_none_of_the_functions_fills_nothing_in(browser: Client, stage: Stage, number: str) -> None:
    answer = browser.get(reverse("function-invoke", args=[stage.function.pk]), {"again": number})
    assert typed_in(html.unescape(answer.content.decode())) == "{}"
