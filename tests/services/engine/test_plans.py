"""Making a plan of any kind: for operators alone, every refusal in the audit table, stored once and for a while."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.runs import Kind
from functions_app.models import AuditEntry, Plan
from functions_app.services.engine import plans
from functions_app.services.engine.plans import Draft, Planned
from functions_app.services.people.actor import Actor

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
    stored = make(operator, Kind.PATCH, summary={"functions": 3}).confirmable()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.result) == ("patch.plan", "planned; nothing is changed")
    assert entry.plan == {"plan_id": str(stored.pk), "functions": 3}
