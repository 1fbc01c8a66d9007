"""Approvals over the API: what a bot plans for production waits for a person."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.models import AuditEntry, Function, Plan, Run
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.conftest import Valkey
from tests.factories import make_account, make_function
from tests.fixtures import Sandbox
from tests.plans_that_wait import make_waiting
from tests.sandbox.functions import Functions
from tests.services.changes.stage import make_stage

pytestmark = pytest.mark.django_db(transaction=True)
SCOPES = ["read", "deploy:nonprod", "deploy:prod", "patch", "approve"]


def bot_of(person: User, scopes: list[str] = SCOPES, **given: Any) -> Client:
    made = tokens.make(Wanted("ci", scopes, **given), Actor(person))
    return Client(headers={"Authorization": f"Bearer {made.text}"})


def post(bot: Client, path: str, body: Any = None, **headers: str) -> Any:
    return bot.post(f"/api/v1{path}", json.dumps(body or {}), content_type="application/json", headers=headers)


@pytest.fixture
def function(valkey: Valkey) -> Function:
    """A function in an account as it is by default: bots need an approval."""
    return make_function(make_account(), "orders")


@pytest.fixture
def waiting(function: Function, operator: User) -> Plan:
    """A bot of an operator's waits."""
    bot_of(operator)
    return make_waiting(function, Actor(operator, "token ci"))


def test_a_bots_deployment_to_production_waits_and_the_same_request_again_asks_nothing_more(
    functions: Functions, operator: User, approver: User, aws: Sandbox, valkey: Valkey
) -> None:
    stage = make_stage(functions, Actor(operator))
    stage.push("two", "2")
    body = {"function": "app", "alias": "live", "image": "2", "confirm": "live"}
    answers = [post(bot, "/deployments", body, **{"Idempotency-Key": "k"}) for bot in [bot_of(operator)] * 2]
    plan = Plan.objects.get()
    for answer in answers:
        told = answer.json()
        assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/plans/{plan.pk}")
        assert (told["status"], told["id"]) == ("waiting_for_approval", str(plan.pk))
        assert "waits for an approver" in told["text"]
    assert AuditEntry.objects.filter(action="deployment.ask").count() == 1
    assert not Run.objects.exists()
    answer = post(bot_of(approver), f"/plans/{plan.pk}/approve")
    run = Run.objects.get()
    assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/runs/{run.pk}")
    assert (run.actor_name, run.via) == ("anna", "token ci")


def test_a_plan_that_waits_is_found_told_and_rejected(waiting: Plan, approver: User) -> None:
    bot = bot_of(approver)
    listed = bot.get("/api/v1/plans?state=waiting").json()
    assert [(plan["id"], plan["maker"]) for plan in listed["plans"]] == [(str(waiting.pk), "olga via token ci")]
    told = bot.get(f"/api/v1/plans/{waiting.pk}").json()
    assert (told["state"], told["run"], told["approval_asked"]) == ("waiting", None, True)
    told = post(bot, f"/plans/{waiting.pk}/reject", {"reason": "not now"}).json()
    assert (told["state"], told["decided_by"], told["reason"]) == ("rejected", "anna via token ci", "not now")
    assert told["text"].endswith("rejected by anna via token ci: not now.")
    assert bot.get("/api/v1/plans?state=waiting").json()["plans"] == []


def test_an_approved_plan_names_its_run(waiting: Plan, approver: User) -> None:
    bot = bot_of(approver)
    run = post(bot, f"/plans/{waiting.pk}/approve").json()["id"]
    told = bot.get(f"/api/v1/plans/{waiting.pk}").json()
    assert (told["state"], told["run"]) == ("applied", run)


def test_a_token_of_the_same_person_does_not_approve(waiting: Plan, operator: User, approver: User) -> None:
    Plan.objects.update(maker=approver)
    answer = post(bot_of(approver), f"/plans/{waiting.pk}/approve")
    assert (answer.status_code, answer.json()["code"]) == (403, "denied")


def test_an_approvers_token_for_other_functions_finds_nothing(waiting: Plan, approver: User) -> None:
    bot = bot_of(approver, functions=["billing-*"])
    assert bot.get("/api/v1/plans").json()["plans"] == []
    assert bot.get(f"/api/v1/plans/{waiting.pk}").status_code == 404
    assert post(bot, f"/plans/{waiting.pk}/approve").status_code == 404


def test_a_state_that_nobody_knows_is_refused(function: Function, operator: User) -> None:
    answer = bot_of(operator).get("/api/v1/plans?state=odd")
    assert answer.status_code == 400
    assert "applied, expired, open, rejected, waiting" in answer.json()["next_step"]


def test_each_state_lists_its_own(waiting: Plan, approver: User) -> None:
    bot = bot_of(approver)
    states = ("open", "waiting", "applied", "rejected", "expired")
    found = {state: bot.get(f"/api/v1/plans?state={state}").json()["total"] for state in states}
    assert found == {"open": 0, "waiting": 1, "applied": 0, "rejected": 0, "expired": 0}
