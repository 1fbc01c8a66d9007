"""What people see who would have to wait too long for AWS: no place among those who wait, or no quota."""

import dataclasses
import re

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from functions_app.domain import limits
from functions_app.models import Plan
from functions_app.services.people.actor import Actor
from functions_app.streams.plan_places import NO_PLACE, is_marked
from functions_app.web.http import HtmxHttpRequest
from functions_app.web.waiting import waits_for_aws
from tests import factories
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import make_stage

pytestmark = pytest.mark.django_db(transaction=True)


def crowded(client: Client, **headers: str) -> HttpResponse:
    """A deployment planned while there is no place."""
    function = factories.make_function(factories.make_account())
    scope = {"asgi.scope": {NO_PLACE: True}}
    address = reverse("function-deploy", args=[function.pk])
    return client.post(address, {"image_typed": "2", "alias": "live"}, headers=headers, **scope)  # type: ignore[arg-type,return-value]


def test_without_a_place_a_page_says_when_to_come_again_and_aws_is_not_asked(client: Client, operator: User) -> None:
    client.force_login(operator)

    answer = crowded(client)

    assert (answer.status_code, answer["Retry-After"]) == (503, "15")
    text = answer.content.decode()
    assert "<html" in text
    assert "Try again in about 15 s" in text
    assert "Nothing was changed" in text


def test_htmx_gets_the_same_as_a_toast(client: Client, operator: User) -> None:
    client.force_login(operator)

    answer = crowded(client, **{"HX-Request": "true"})

    assert (answer.status_code, answer["Retry-After"], answer["HX-Retarget"]) == (503, "15", "#toasts")
    assert "<html" not in answer.content.decode()


def test_who_is_not_signed_in_is_sent_to_sign_in_first(client: Client) -> None:
    assert crowded(client).status_code == 302


def test_the_mark_is_found_by_the_path() -> None:
    assert is_marked("/functions/7/deploy/")
    assert not is_marked("/functions/7/")
    assert not is_marked("/functions/7/deploy")  # Django redirects it
    assert not is_marked("/nothing/here/")


def test_of_what_is_said_in_a_chat_the_word_decides() -> None:
    asks = is_marked("/api/v1/chat")
    assert callable(asks)
    assert asks(b'{"text": "Patch billing-api", "user": "U1"}')
    assert not asks(b'{"text": "status", "user": "U1"}')
    assert not asks(b'{"text": "patch"')
    assert asks(b'{"text": "patch billing-api", "user": "U1"}' + b" " * limits.SMALL_BODY)  # nobody looks into it


def test_a_marked_view_keeps_its_name_and_what_other_decorators_left_on_it() -> None:
    def view(request: HtmxHttpRequest) -> HttpResponse:
        return HttpResponse(request.method)

    view.login_required = False  # type: ignore[attr-defined]

    marked = waits_for_aws(view)

    assert marked.__name__ == "view"
    assert getattr(marked, "login_required", None) is False


def test_a_plan_that_would_wait_for_quota_says_when_to_plan_again(
    client: Client, operator: User, functions: Functions, aws: Sandbox, valkey: Valkey, settings: Settings
) -> None:
    stage = make_stage(functions, Actor(operator))
    stage.push("two", "2")
    client.force_login(operator)
    address = reverse("function-deploy", args=[stage.function.pk])
    filled = {"image_typed": "2", "alias": "staging"}
    assert client.post(address, filled).status_code == 302
    settings.ENV = dataclasses.replace(settings.ENV, quota_share=0.00001)  # a call in minutes

    answer = client.post(address, filled)

    assert answer.status_code == 429
    text = answer.content.decode()
    assert re.search(r"Try again in about \d+ s", text)
    assert 'value="2"' in text  # what was typed is still there
    assert Plan.objects.count() == 1
