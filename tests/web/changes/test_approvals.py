"""The pages of a plan that needs an approval: its maker asks, an approver looks and agrees or refuses."""

import html

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from functions_app.domain.changes.approvals import Approval
from functions_app.models import Account, Function, Plan, Run
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.factories import make_account, make_function
from tests.plans_that_wait import make_plan, make_waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def function(valkey: Valkey) -> Function:
    """A function in an account that asks for an approval, whoever changes production."""
    return make_function(make_account(approval=Approval.ALWAYS), "orders")


def text(browser: Client, person: User, url: str) -> str:
    """A page as this person sees it, its words with single spaces."""
    browser.force_login(person)
    answer = browser.get(url)
    assert answer.status_code == 200
    return " ".join(html.unescape(answer.content.decode()).split())


def page_of(plan: Plan, door: str = "plan") -> str:
    return reverse(door, args=[plan.pk])


def test_the_makers_button_asks_for_an_approval_and_the_plan_waits(
    client: Client, operator: User, function: Function
) -> None:
    plan = make_plan(function, Actor(operator))
    shown = text(client, operator, page_of(plan))
    assert "An approver has to agree." in shown
    assert "Ask for approval</button>" in shown
    answer = client.post(page_of(plan, "plan-apply"), {"confirm": "live"})
    assert answer["Location"] == page_of(plan)
    shown = text(client, operator, page_of(plan))
    assert "Waits for an approver: olga asked" in shown
    assert page_of(plan, "plan-approve") not in shown
    assert "Withdraw</button>" in shown
    assert not Run.objects.exists()


def test_an_approver_sees_who_asks_approves_and_comes_to_the_run(
    client: Client, operator: User, approver: User, function: Function
) -> None:
    plan = make_waiting(function, Actor(operator, "push rule 7"))
    shown = text(client, approver, page_of(plan))
    assert "Waits for an approver: olga via push rule 7 asked" in shown
    assert "Approve: Patch</button>" in shown
    answer = client.post(page_of(plan, "plan-approve"))
    run = Run.objects.get()
    assert (answer["Location"], run.actor) == (reverse("run", args=[run.pk]), approver)
    assert f'of olga via push rule 7 was approved by anna and became <a href="{reverse("run", args=[run.pk])}"' in text(
        client, operator, page_of(plan)
    )


def test_a_refusal_is_told_its_maker_with_its_reason(
    client: Client, operator: User, approver: User, function: Function
) -> None:
    plan = make_waiting(function, Actor(operator))
    client.force_login(approver)
    client.post(page_of(plan, "plan-reject"), {"reason": "<b>not now</b>"})
    answer = client.get(page_of(plan)).content.decode()
    assert "Rejected by anna" in answer
    assert "&lt;b&gt;not now&lt;/b&gt;" in answer
    assert page_of(plan, "plan-apply") not in text(client, operator, page_of(plan))


def test_its_maker_withdraws_it(client: Client, operator: User, function: Function) -> None:
    plan = make_waiting(function, Actor(operator))
    client.force_login(operator)
    assert client.post(page_of(plan, "plan-reject")).status_code == 302
    assert "Rejected by olga" in text(client, operator, page_of(plan))


def test_its_maker_who_sends_the_approval_all_the_same_is_refused(
    client: Client, approver: User, function: Function
) -> None:
    plan = make_waiting(function, Actor(approver))
    client.force_login(approver)
    assert client.post(page_of(plan, "plan-approve")).status_code == 403
    assert not Run.objects.exists()


def test_who_comes_second_is_told_on_the_plan_what_became_of_it(
    client: Client, operator: User, approver: User, superuser: User, function: Function
) -> None:
    plan = make_waiting(function, Actor(operator))
    for person, status in ((approver, 302), (superuser, 400)):
        client.force_login(person)
        answer = client.post(page_of(plan, "plan-approve"))
        assert answer.status_code == status
    assert f"became run {Run.objects.get().pk}" in answer.content.decode()


def test_what_waits_is_listed_for_approvers_and_for_its_maker(
    client: Client, operator: User, approver: User, viewer: User, function: Function
) -> None:
    plan = make_waiting(function, Actor(operator))
    make_plan(function, Actor(operator))
    link = f'href="{page_of(plan)}"'
    assert "somebody else: it is yours" in text(client, operator, reverse("plans"))
    assert link in text(client, approver, reverse("plans"))
    assert "Nothing waits" in text(client, viewer, reverse("plans"))


def test_the_overview_names_what_waits_for_ones_own_approval(
    client: Client, operator: User, approver: User, function: Function
) -> None:
    plan = make_waiting(function, Actor(operator))
    own = make_waiting(function, Actor(approver))
    shown = text(client, approver, reverse("overview"))
    assert "Waits for your approval" in shown
    assert page_of(plan) in shown
    assert page_of(own) not in shown
    assert "Waits for your approval" not in text(client, operator, reverse("overview"))


def test_an_administrator_settles_who_needs_one_and_it_is_audited(client: Client, superuser: User) -> None:
    account = make_account()
    client.force_login(superuser)
    form = {"name": account.name, "account_id": account.account_id, "colour": "blue", "regions": "eu-west-1"}
    address = reverse("account-edit", args=[account.pk])
    assert client.post(address, {**form, "approval": "sometimes"}).status_code == 400
    client.post(address, {**form, "approval": "always"})
    assert Account.objects.get().approval == Approval.ALWAYS
    entry = superuser.audit_entries.get(action="account.change", result="saved")
    assert entry.plan["approval"] == "always"
    assert "always" in client.get(reverse("accounts")).content.decode()
