"""Making a plan of any kind: for operators alone, every refusal in the audit table, stored once and for a while."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.domain.changes.approvals import Approval
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.runs import Kind
from functions_app.domain.tokens import TokenScope
from functions_app.models import AuditEntry, Function, Plan, Run
from functions_app.services.engine import plan_ends, plans
from functions_app.services.engine.plans import Draft, Planned
from functions_app.services.people.actor import Actor
from tests.factories import make_account, make_function

pytestmark = pytest.mark.django_db

TARGET = "arn:aws:lambda:eu-west-1:111111111111:function:orders"
ASKED = {"alias": "live"}
FINE = Check("Region", True, "Same region.")
TOO_BIG, PULLED = Check("Size", False, "Too big."), Check("Image", False, "It can't be pulled.")


@dataclass(frozen=True)
class Move:
    """A plan as a kind freezes it."""

    version: str = "8"

    @property
    def title(self) -> str:
        """What it does, in one line."""
        return f"Move to version {self.version}"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"version": self.version}


def make(actor: Actor, kind: Kind = Kind.ROLLBACK, **given: Any) -> Planned[Move]:
    """Make a plan from what a kind would hand over."""
    return plans.make(kind, TARGET, ASKED, actor, lambda: Draft(Move(), **given))


def refuse() -> Draft[Move]:
    """A kind that can't plan what it was asked for."""
    raise DrydockError(Code.NOT_FOUND, "There is no alias live any more.", next_step="Sync.")


def test_a_plan_is_stored_once_with_what_is_common_in_columns_and_its_own_in_the_body(operator: Actor) -> None:
    made = make(operator, lock=TARGET, confirmation="live", checks=(FINE,))
    stored = Plan.objects.get()
    assert stored == made.stored == made.confirmable()
    assert (stored.kind, stored.title, stored.target) == (Kind.ROLLBACK, "Move to version 8", TARGET)
    assert (stored.maker, stored.lock, stored.confirmation) == (operator.person, TARGET, "live")
    assert (stored.applied_at, stored.approval_asked, stored.body) == (None, False, {"version": "8"})
    assert not AuditEntry.objects.exists()  # confirming it is what is audited


def test_somebody_who_may_only_look_is_denied_and_audited_before_anything_is_read(viewer: Actor) -> None:
    read: list[str] = []

    def draft() -> Draft[Move]:
        read.append("AWS")
        return Draft(Move())

    with pytest.raises(DrydockError) as caught:
        plans.make(Kind.ROLLBACK, TARGET, ASKED, viewer, draft)
    entry = AuditEntry.objects.get()
    assert caught.value.problem.code is Code.DENIED
    assert (entry.actor, entry.action, entry.target, entry.plan) == (viewer.person, "rollback.plan", TARGET, ASKED)
    assert entry.result.startswith("refused: Only operators may do this")
    assert (read, Plan.objects.count()) == ([], 0)


def test_what_can_not_be_planned_is_audited_as_it_was_asked_for(operator: Actor) -> None:
    with pytest.raises(DrydockError, match="no alias live"):
        plans.make(Kind.DEPLOYMENT, TARGET, ASKED, operator, refuse)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.plan) == ("deployment.plan", ASKED)
    assert entry.result == "refused: There is no alias live any more."
    assert not Plan.objects.exists()


def test_a_check_that_fails_keeps_the_plan_from_being_stored_and_is_audited_with_it(operator: Actor) -> None:
    made = make(operator, checks=(FINE, TOO_BIG, PULLED), payload="hunter2")
    entry = AuditEntry.objects.get()
    assert (made.plan, made.stored) == (Move(), None)
    assert (entry.action, entry.target, entry.plan) == ("rollback.plan", TARGET, {"version": "8"})
    assert entry.result == "refused: Too big. It can't be pulled."
    assert not Plan.objects.exists()


def test_a_check_that_forbids_without_a_word_forbids_all_the_same(operator: Actor) -> None:
    assert make(operator, checks=(Check("Size", False, ""),)).stored is None


def test_a_forbidden_plan_has_nothing_to_confirm_and_says_why(operator: Actor) -> None:
    with pytest.raises(DrydockError) as caught:
        make(operator, checks=(TOO_BIG, FINE)).confirmable()
    assert (caught.value.problem.code, caught.value.problem.message) == (Code.PREFLIGHT, "Too big.")


def test_a_check_that_only_warns_forbids_nothing(operator: Actor) -> None:
    assert make(operator, checks=(Check("Ownership", None, "terraform"),)).stored is not None


@pytest.mark.parametrize(
    ("given", "lives"), [({}, timedelta(minutes=10)), ({"ttl": timedelta(hours=1)}, timedelta(hours=1))]
)
def test_a_plan_expires(operator: Actor, given: dict[str, Any], lives: timedelta) -> None:
    before = clock.now()
    stored = make(operator, **given).confirmable()
    assert before <= stored.created_at <= clock.now()
    assert stored.expires_at - stored.created_at == lives


def test_plans_long_expired_are_cleared_away_and_those_that_became_runs_are_kept(operator: Actor) -> None:
    old, used, recent = (make(operator).confirmable() for _ in range(3))
    long_ago = clock.now() - plans.KEEP - timedelta(minutes=1)
    Plan.objects.filter(pk__in=(old.pk, used.pk)).update(expires_at=long_ago)
    Plan.objects.filter(pk=used.pk).update(applied_at=long_ago)
    latest = make(operator).confirmable()
    assert set(Plan.objects.all()) == {used, recent, latest}


def test_a_plan_that_becomes_no_run_is_audited_when_it_is_stored(operator: Actor) -> None:
    stored = make(operator, Kind.PATCH_LIST, summary={"functions": 3}).confirmable()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.result) == ("patch_list.plan", "planned; nothing is changed")
    assert entry.plan == {"plan_id": str(stored.pk), "functions": 3}


class Test_applying:
    """Who may: its maker, unless an approver has to agree (test_approvals.py)."""

    @pytest.fixture(autouse=True)
    def _kinds(self, settings: Settings, valkey: object) -> None:
        settings.DRYDOCK_KINDS = "tests.run_kinds.KINDS"

    @pytest.fixture
    def function(self) -> Function:
        return make_function(make_account(), "orders")

    def plan(self, maker: Actor, function: Function, **given: Any) -> Plan:
        return make(maker, Kind.DEPLOYMENT, function=function, lock=function.arn, **given).confirmable()

    def denied(self, plan: Plan, actor: Actor, typed: str = "") -> str:
        """Why it is refused; the attempt is in the audit table, and the plan can still be applied."""
        with pytest.raises(DrydockError) as caught:
            plans.apply(plan.pk, actor, typed)
        assert caught.value.problem.code is Code.DENIED
        entry = AuditEntry.objects.filter(action="deployment.apply").first()
        assert entry is not None
        assert (entry.actor, entry.via, entry.target) == (actor.person, actor.via, TARGET)
        assert entry.plan == {"plan_id": str(plan.pk)}
        assert entry.result == f"refused: {caught.value}"[:300]
        assert not Run.objects.exists()
        plan.refresh_from_db()
        assert plan.applied_at is None
        return caught.value.problem.message

    def test_by_its_maker_makes_a_run_that_points_back_to_it(self, operator: Actor, function: Function) -> None:
        plan = self.plan(operator, function)
        run = plans.apply(plan.pk, operator)
        assert (run.made_from, run.actor, run.lock, run.function) == (plan, operator.person, function.arn, function)
        assert plan_ends.run_of(plan) == run

    def test_by_another_operator_or_approver_is_refused(
        self, operator: Actor, approver: Actor, function: Function
    ) -> None:
        assert "Somebody else made this plan" in self.denied(self.plan(operator, function), approver)
        assert "Somebody else made this plan" in self.denied(self.plan(approver, function), operator)

    def test_where_an_approver_has_to_agree_is_for_nobody(
        self, approver: Actor, superuser: User, function: Function
    ) -> None:
        function.account.approval = Approval.ALWAYS
        plan = self.plan(approver, function, confirmation="live")
        assert plan.approval_asked
        assert "needs an approver, who is not its maker" in self.denied(plan, approver, "live")
        assert "needs an approver" in self.denied(plan, Actor(superuser), "live")

    def test_through_a_token_that_only_reads_is_refused_to_a_superuser_and_so_is_planning(
        self, superuser: User, function: Function
    ) -> None:
        reader = Actor(superuser, "token ci", frozenset({TokenScope.READ}))
        assert "made to look alone" in self.denied(self.plan(Actor(superuser), function), reader)
        with pytest.raises(DrydockError, match="made to look alone"):
            self.plan(reader, function)
        assert Plan.objects.count() == 1

    def test_is_refused_to_a_maker_who_may_only_look_by_now(self, operator: Actor, function: Function) -> None:
        plan = self.plan(operator, function)
        assert operator.person is not None
        operator.person.groups.clear()
        assert "Only operators" in self.denied(plan, Actor(User.objects.get(username="olga")))

    def test_of_a_person_who_was_deleted_is_for_nobody(
        self, operator: Actor, approver: Actor, function: Function
    ) -> None:
        plan = self.plan(operator, function)
        User.objects.filter(username="olga").delete()
        assert "Somebody else made this plan" in self.denied(plan, approver)

    def test_is_for_nobody_who_is_no_person_though_its_maker_is_gone(self, operator: Actor, function: Function) -> None:
        plan = self.plan(operator, function)
        User.objects.all().delete()
        assert "Only operators" in self.denied(plan, Actor(None))
        with pytest.raises(DrydockError, match="Somebody else"):
            plans.load(plan.pk, Actor(None))

    def test_twice_makes_one_run(self, operator: Actor, function: Function) -> None:
        plan = self.plan(operator, function)
        run = plans.apply(plan.pk, operator)
        with pytest.raises(DrydockError, match=f"became run {run.pk}"):
            plans.apply(plan.pk, Actor(operator.person, "token ci"))
        assert Run.objects.count() == 1
