"""A plan that needs an approval waits for one: asked by its maker, given once by somebody else, in time."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.domain.changes.approvals import Approval, PlanState
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.runs import Kind
from functions_app.domain.tokens import Reach, TokenScope
from functions_app.models import Account, ApiToken, AuditEntry, Event, Function, LogLine, Plan, Run
from functions_app.services.engine import approvals, plans
from functions_app.services.engine.plans import Draft
from functions_app.services.people import access, living_tokens, tokens
from functions_app.services.people.actor import CHAT, Actor
from functions_app.services.people.tokens import Wanted
from tests.factories import make_account, make_function
from tests.services.engine.test_plans import TARGET, Move

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _kinds(settings: Settings, valkey: object) -> None:
    settings.DRYDOCK_KINDS = "tests.run_kinds.KINDS"


@pytest.fixture
def function() -> Function:
    """A function in an account where an approver has to agree, whoever changes production."""
    return make_function(make_account(approval=Approval.ALWAYS), "orders")


def planned(maker: Actor, function: Function, alias: str = "live", **given: Any) -> Plan:
    """A plan for an alias that carries production traffic; '': for another."""
    return plans.make(
        Kind.DEPLOYMENT,
        TARGET,
        {},
        maker,
        lambda: Draft(Move(), function=function, lock=function.arn, confirmation=alias, **given),
    ).confirmable()


def asked(maker: Actor, function: Function) -> Plan:
    """The same, and its maker has asked for an approval."""
    found = approvals.confirm(planned(maker, function).pk, maker, "live")
    assert isinstance(found, Plan)
    return found


def refused(act: Callable[[], object]) -> Problem:
    """What it is refused with; nothing is started, and the attempt is the audit's newest entry."""
    runs, entries = Run.objects.count(), AuditEntry.objects.count()
    with pytest.raises(DrydockError) as caught:
        act()
    assert Run.objects.count() == runs
    assert AuditEntry.objects.count() == entries + 1
    newest = AuditEntry.objects.first()
    assert newest is not None
    assert newest.result == f"refused: {caught.value}"[:300]
    return caught.value.problem


def bot_of(person: Actor, *scopes: TokenScope, **given: Any) -> Actor:
    """A token of this person's, as a request with it acts."""
    assert person.person is not None
    made = tokens.make(Wanted("ci", scopes or tuple(TokenScope), **given), Actor(person.person))
    known = living_tokens.recognise(made.text, "127.0.0.1")
    assert known is not None
    return known[0]


class Test_an_approval_is_due:
    @pytest.mark.parametrize(
        ("setting", "via", "due"),
        [
            (Approval.NEVER, "token ci", False),
            (Approval.BOTS, "browser", False),
            (Approval.BOTS, f"{CHAT} slack", False),
            (Approval.BOTS, "token ci", True),
            (Approval.BOTS, "push rule 1", True),
            (Approval.ALWAYS, "browser", True),
        ],
    )
    def test_by_the_setting_of_the_account_and_by_what_the_maker_came_through(
        self, operator: Actor, function: Function, setting: Approval, via: str, due: bool
    ) -> None:
        Account.objects.update(approval=setting)
        function.refresh_from_db()
        assert planned(Actor(operator.person, via), function).approval_asked is due

    def test_for_production_alone(self, operator: Actor, function: Function) -> None:
        assert not planned(operator, function, alias="").approval_asked

    def test_for_bots_by_default(self) -> None:
        assert make_account().approval == Approval.BOTS

    def test_when_a_bot_applies_what_its_person_has_planned(self, operator: Actor, function: Function) -> None:
        Account.objects.update(approval=Approval.BOTS)
        function.refresh_from_db()
        plan = planned(operator, function)
        waiting = approvals.confirm(plan.pk, Actor(operator.person, "token ci"), "live")
        assert isinstance(waiting, Plan)
        assert waiting.approval_asked

    def test_when_the_setting_has_become_stricter_since_the_plan(self, operator: Actor, function: Function) -> None:
        Account.objects.update(approval=Approval.NEVER)
        function.refresh_from_db()
        plan = planned(operator, function)
        Account.objects.update(approval=Approval.ALWAYS)
        assert isinstance(approvals.confirm(plan.pk, operator, "live"), Plan)
        assert not Run.objects.exists()

    def test_otherwise_confirming_applies_at_once(self, operator: Actor, function: Function) -> None:
        run = approvals.confirm(planned(operator, function, alias="").pk, operator)
        assert isinstance(run, Run)


class Test_asking:
    def test_lets_the_plan_wait_for_hours_and_is_audited(self, operator: Actor, function: Function) -> None:
        plan = asked(operator, function)
        assert plan.asked_at is not None
        assert (approvals.state_of(plan), plan.expires_at - plan.asked_at) == (PlanState.WAITING, timedelta(hours=4))
        entry = AuditEntry.objects.get()
        assert (entry.actor, entry.action, entry.result) == (operator.person, "deployment.ask", "waits for an approval")
        assert not Run.objects.exists()

    def test_twice_is_asking_once(self, operator: Actor, function: Function) -> None:
        plan = asked(operator, function)
        again = approvals.confirm(plan.pk, operator, "live")
        assert (again, again.asked_at if isinstance(again, Plan) else None) == (plan, plan.asked_at)
        assert AuditEntry.objects.count() == 1

    def test_wants_what_applying_wants(self, operator: Actor, function: Function) -> None:
        plan = planned(operator, function)
        assert refused(lambda: approvals.confirm(plan.pk, operator, "lvie")).code is Code.INVALID
        assert approvals.state_of(Plan.objects.get()) is PlanState.OPEN

    def test_is_for_its_maker_alone(self, operator: Actor, approver: Actor, function: Function) -> None:
        plan = planned(operator, function)
        problem = refused(lambda: approvals.confirm(plan.pk, approver, "live"))
        assert (problem.code, problem.next_step) == (Code.DENIED, "Approve or reject it.")

    def test_comes_too_late_once_the_plan_has_expired(self, operator: Actor, function: Function) -> None:
        plan = planned(operator, function)
        Plan.objects.update(expires_at=clock.now())
        assert refused(lambda: approvals.confirm(plan.pk, operator, "live")).code is Code.EXPIRED


class Test_approving:
    def test_starts_the_approvers_run_at_once_and_both_are_named(
        self, operator: Actor, approver: Actor, function: Function
    ) -> None:
        plan = asked(operator, function)
        run = approvals.approve(plan.pk, Actor(approver.person, f"{CHAT} slack"))
        assert (run.actor, run.via, run.made_from, run.lock) == (approver.person, "chat slack", plan, function.arn)
        entry = AuditEntry.objects.get(action="deployment.approve")
        assert (entry.actor, entry.via, entry.run) == (approver.person, "chat slack", run)
        assert entry.plan == {"plan_id": str(plan.pk), "title": "Move to version 8", "maker": "olga"}
        assert LogLine.objects.get(run=run).text == "Planned by olga, approved by anna via chat slack."
        plan.refresh_from_db()
        assert (approvals.state_of(plan), plan.decided_by) == (PlanState.APPLIED, "anna via chat slack")

    @pytest.mark.parametrize("via", ["browser", "token ci", CHAT])
    def test_is_not_for_its_maker_whatever_they_come_through(
        self, approver: Actor, function: Function, via: str
    ) -> None:
        plan = asked(approver, function)
        actor = Actor(approver.person, via)
        problem = refused(lambda: approvals.approve(plan.pk, actor))
        assert (problem.code, problem.message) == (Code.DENIED, "Who made a plan does not approve it.")

    def test_is_not_for_the_person_behind_the_token_that_made_it(self, approver: Actor, function: Function) -> None:
        plan = asked(bot_of(approver), function)
        assert "Who made a plan" in refused(lambda: approvals.approve(plan.pk, approver)).message

    def test_is_not_for_a_superuser_who_made_it(self, superuser: User, function: Function) -> None:
        plan = asked(Actor(superuser), function)
        assert "Who made a plan" in refused(lambda: approvals.approve(plan.pk, Actor(superuser))).message

    def test_is_for_approvers_who_are_operators(self, operator: Actor, viewer: Actor, function: Function) -> None:
        plan = asked(operator, function)
        other = User.objects.create_user("oskar")
        other.groups.add(Group.objects.get(name="operator"))
        assert "needs an approver" in refused(lambda: approvals.approve(plan.pk, Actor(other))).message
        assert viewer.person is not None
        viewer.person.groups.add(Group.objects.get_or_create(name="approver")[0])
        assert "Only operators" in refused(lambda: approvals.approve(plan.pk, viewer)).message

    @pytest.mark.parametrize("scopes", [{TokenScope.READ}, {TokenScope.APPROVE}, {TokenScope.DEPLOY_PROD}])
    def test_through_a_token_needs_both_to_approve_and_to_change(
        self, operator: Actor, approver: Actor, function: Function, scopes: set[TokenScope]
    ) -> None:
        plan = asked(operator, function)
        bot = Actor(approver.person, "token ci", frozenset(scopes))
        assert refused(lambda: approvals.approve(plan.pk, bot)).code is Code.DENIED
        both = Actor(approver.person, "token ci", frozenset({TokenScope.APPROVE, TokenScope.DEPLOY_PROD}))
        assert approvals.approve(plan.pk, both).via == "token ci"

    @pytest.mark.parametrize("reach", [Reach(functions=("billing-*",)), Reach(accounts=frozenset({"9" * 12}))])
    def test_is_out_of_reach_where_the_function_is(
        self, operator: Actor, approver: Actor, function: Function, reach: Reach
    ) -> None:
        plan = asked(operator, function)
        bot = Actor(approver.person, "token ci", reach=reach)
        assert refused(lambda: approvals.approve(plan.pk, bot)).code is Code.NOT_FOUND

    def test_waits_for_the_maker_to_ask(self, operator: Actor, approver: Actor, function: Function) -> None:
        plan = planned(operator, function)
        assert "has not asked" in refused(lambda: approvals.approve(plan.pk, approver)).message

    def test_comes_too_late_after_four_hours_and_says_so(
        self, operator: Actor, approver: Actor, function: Function
    ) -> None:
        plan = asked(operator, function)
        Plan.objects.update(expires_at=clock.now())
        problem = refused(lambda: approvals.approve(plan.pk, approver))
        assert problem.code is Code.EXPIRED
        assert "before anybody approved it" in problem.message

    def test_of_what_was_rejected_says_by_whom_and_why(
        self, operator: Actor, approver: Actor, superuser: User, function: Function
    ) -> None:
        plan = asked(operator, function)
        approvals.reject(plan.pk, approver, "not before the audit")
        told = refused(lambda: approvals.approve(plan.pk, Actor(superuser))).message
        assert "rejected by anna: not before the audit." in told

    def test_of_what_its_maker_has_withdrawn_says_so(
        self, operator: Actor, approver: Actor, function: Function
    ) -> None:
        plan = asked(operator, function)
        approvals.reject(plan.pk, operator)
        assert "rejected by olga" in refused(lambda: approvals.approve(plan.pk, approver)).message

    def test_while_another_change_is_under_way_is_refused_and_the_plan_waits_on(
        self, operator: Actor, approver: Actor, function: Function
    ) -> None:
        first, second = asked(operator, function), asked(operator, function)
        approvals.approve(first.pk, approver)
        assert refused(lambda: approvals.approve(second.pk, approver)).code is Code.BUSY
        second.refresh_from_db()
        assert approvals.state_of(second) is PlanState.WAITING


class Test_a_maker_who_may_no_longer_change_anything:
    """Gets nothing through an approver that they would not get themselves."""

    def test_because_they_are_no_operator(self, operator: Actor, approver: Actor, function: Function) -> None:
        plan = asked(operator, function)
        assert operator.person is not None
        operator.person.groups.clear()
        assert "may not change functions any more" in refused(lambda: approvals.approve(plan.pk, approver)).message

    def test_because_they_are_gone(self, operator: Actor, approver: Actor, function: Function) -> None:
        plan = asked(operator, function)
        User.objects.filter(username="olga").delete()
        assert "somebody who is gone" in refused(lambda: approvals.approve(plan.pk, approver)).message

    @pytest.mark.parametrize("over", [{"revoked_at": clock.now()}, {"expires_at": clock.now()}])
    def test_because_their_token_is_over(
        self, operator: Actor, approver: Actor, function: Function, over: dict[str, Any]
    ) -> None:
        plan = asked(bot_of(operator), function)
        ApiToken.objects.update(**over)
        told = refused(lambda: approvals.approve(plan.pk, approver)).message
        assert told.startswith("olga via token ci made this plan")

    def test_which_another_token_of_that_name_does_not_mend(
        self, operator: Actor, approver: Actor, function: Function
    ) -> None:
        plan = asked(bot_of(operator), function)
        ApiToken.objects.update(revoked_at=clock.now())
        bot_of(operator)
        assert refused(lambda: approvals.approve(plan.pk, approver)).code is Code.DENIED

    def test_and_one_whose_token_lives_may(self, operator: Actor, approver: Actor, function: Function) -> None:
        plan = asked(bot_of(operator), function)
        assert approvals.approve(plan.pk, approver).actor == approver.person


class Test_rejecting:
    def test_ends_the_plan_with_a_reason_in_one_line_and_without_secrets(
        self, operator: Actor, approver: Actor, function: Function
    ) -> None:
        plan = approvals.reject(asked(operator, function).pk, approver, "not\nnow, password=hunter2hunter2")
        assert approvals.state_of(plan) is PlanState.REJECTED
        assert plan.reason.startswith("not now, password=")
        assert "hunter2" not in plan.reason
        entry = AuditEntry.objects.get(action="deployment.reject")
        assert (entry.actor, entry.result) == (approver.person, f"rejected: {plan.reason}")

    def test_is_for_no_other_operator(self, operator: Actor, function: Function) -> None:
        plan = asked(operator, function)
        other = User.objects.create_user("oskar")
        other.groups.add(Group.objects.get(name=access.OPERATOR))
        assert refused(lambda: approvals.reject(plan.pk, Actor(other))).code is Code.DENIED

    def test_comes_too_late_once_it_was_approved(self, operator: Actor, approver: Actor, function: Function) -> None:
        plan = asked(operator, function)
        run = approvals.approve(plan.pk, approver)
        assert f"became run {run.pk}" in refused(lambda: approvals.reject(plan.pk, operator)).message


def at_once(acts: Sequence[Callable[[], object]]) -> list[object]:
    """What several threads that begin at the same moment get, errors among it."""
    barrier, got = threading.Barrier(len(acts)), list[object]()

    def run(act: Callable[[], object]) -> None:
        try:
            barrier.wait()
            got.append(act())
        except DrydockError as error:
            got.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


@pytest.mark.django_db(transaction=True)
class Test_at_once:
    def test_two_approvers_make_one_run(
        self, operator: Actor, approver: Actor, superuser: User, function: Function
    ) -> None:
        plan = asked(operator, function)
        answers = at_once([partial(approvals.approve, plan.pk, who) for who in (approver, Actor(superuser))])
        (run,) = Run.objects.all()
        assert sorted(isinstance(answer, Run) for answer in answers) == [False, True]
        (late,) = (answer for answer in answers if not isinstance(answer, Run))
        assert f"became run {run.pk}" in str(late)

    def test_of_approving_and_withdrawing_one_holds(self, operator: Actor, approver: Actor, function: Function) -> None:
        plan = asked(operator, function)
        at_once([lambda: approvals.approve(plan.pk, approver), lambda: approvals.reject(plan.pk, operator)])
        plan.refresh_from_db()
        assert (plan.applied_at is None) != (plan.rejected_at is None)
        assert Run.objects.count() == (plan.applied_at is not None)


def test_bots_hear_of_a_plan_that_waits_and_of_its_refusal(
    operator: Actor, approver: Actor, function: Function
) -> None:
    plan = asked(operator, function)
    approvals.reject(plan.pk, approver, "not today")
    told = list(Event.objects.order_by("pk").values_list("kind", "arn", "facts__plan"))
    assert told == [(kind, function.arn, str(plan.pk)) for kind in ("plan.waits", "plan.rejected")]
