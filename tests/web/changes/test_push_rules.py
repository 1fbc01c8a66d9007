"""Settings, Pushes: the rules that deploy what is pushed."""

import html

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from functions_app.models import PushRule, Repository
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.factories import make_repository
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, make_stage

pytestmark = pytest.mark.django_db
FORM = {"function": "app", "alias": "dev", "image": "main", "mode": "deploy", "confirm": ""}


@pytest.fixture
def stage(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function whose repository Drydock knows."""
    made = make_stage(functions, Actor(operator))
    make_repository(made.account, made.name)
    return made


def shown(client: Client) -> str:
    return html.unescape(client.get(reverse("push-rules")).content.decode())


def test_an_operator_makes_a_rule_sees_it_and_removes_it(client: Client, stage: Stage, operator: User) -> None:
    client.force_login(operator)
    assert client.post(reverse("push-rules"), FORM).status_code == 302
    rule = PushRule.objects.get()
    text = shown(client)
    assert "app:main" in text
    assert "none yet" in text
    client.post(reverse("push-rule-remove", args=[rule.pk]))
    assert not PushRule.objects.exists()


def test_a_mistake_is_told_beside_the_form_with_what_was_typed(client: Client, stage: Stage, operator: User) -> None:
    client.force_login(operator)
    Repository.objects.all().delete()
    answer = client.post(reverse("push-rules"), {**FORM, "alias": "prev-iew"})
    assert answer.status_code == 404
    assert "Drydock knows no repository" in answer.content.decode()
    assert 'value="prev-iew"' in answer.content.decode()


def test_a_viewer_sees_the_rules_and_no_form(client: Client, stage: Stage, operator: User, viewer: User) -> None:
    client.force_login(operator)
    client.post(reverse("push-rules"), FORM)
    PushRule.objects.update(told="Refused: <too big>")
    client.force_login(viewer)
    answer = client.get(reverse("push-rules")).content.decode()
    assert "Refused: &lt;too big&gt;" in answer
    assert "new-rule" not in answer
    assert "Remove" not in answer
