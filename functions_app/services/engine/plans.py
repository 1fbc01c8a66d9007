"""Plans: checked, audited and stored when they are made; applied once, by who made them, before they expire."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q

from functions_app import clock
from functions_app.aws import quota
from functions_app.domain.changes.approvals import approval_due
from functions_app.domain.changes.checks import blocked, check_confirmation, check_ticks, forbidding, reasons
from functions_app.domain.changes.judgements import Tick
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.runs import Kind
from functions_app.domain.text import storable
from functions_app.domain.tokens import needed
from functions_app.models import Function, Plan, Run
from functions_app.services.engine import runs
from functions_app.services.engine.kinds import kind_of
from functions_app.services.engine.payloads import PRIVATE
from functions_app.services.engine.plan_ends import AGAIN, became, not_any_more, over
from functions_app.services.people import access
from functions_app.services.people.actor import Actor

TTL = timedelta(minutes=10)
KEEP = timedelta(days=1)  # an expired plan is kept so long, to say that it expired


class Frozen(Protocol):
    """A plan of any kind, as the domain freezes it; its kind's `from_json` reads `as_json` back."""

    @property
    def title(self) -> str:
        """What it does, in one line."""

    def as_json(self) -> dict[str, Any]:
        """Plain values for the plan's body."""


FrozenPlan = TypeVar("FrozenPlan", bound=Frozen, covariant=True)


@dataclass(frozen=True)
class Draft(Generic[FrozenPlan]):
    """What a kind hands to `make`: its frozen plan, and what is not the plan's own.

    `confirmation` is what must be typed to apply it, `ticks` what must be ticked. `payload` never leaves the plan: not
    into the run, not into the audit. A `summary` is audited when the plan is stored, for a kind that becomes no run.
    """

    plan: FrozenPlan
    function: Function | None = None
    lock: str = ""
    confirmation: str = ""
    ticks: Sequence[Tick] = ()
    payload: str = ""
    checks: tuple[Check, ...] = ()
    ttl: timedelta = TTL
    summary: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Planned(Generic[FrozenPlan]):
    """A plan as made; `stored` is None where a check forbids it, so that it can't be confirmed."""

    plan: FrozenPlan
    checks: tuple[Check, ...]
    stored: Plan | None

    def confirmable(self) -> Plan:
        """The stored plan. Raises PREFLIGHT, naming every check that forbids it."""
        if self.stored is None:
            raise blocked(self.checks)
        return self.stored


def make(
    kind: Kind,
    target: str,
    asked: dict[str, Any],
    actor: Actor,
    draft: Callable[[], Draft[FrozenPlan]],
    plan_id: UUID | None = None,
) -> Planned[FrozenPlan]:
    """Make a plan of any kind: the one door. `draft` reads and checks, and changes nothing; it is for operators alone.

    Raises DENIED, what `draft` raises, and IntegrityError where a plan has this `plan_id`. A refused attempt, or one
    that a check forbids, is in the audit table and nowhere else: as `asked` for, or as far as it was planned.
    """
    action = f"{kind}.plan"
    try:
        access.require_operator(actor)
        with quota.patience(quota.PERSONS_WAIT):
            drawn = draft()
        _require_reach(kind, drawn.function, drawn.plan.as_json(), actor)
        access.require_scopes(actor, needed(kind, production=bool(drawn.confirmation)))
    except DrydockError as error:
        access.audit(actor, action, target, asked, f"refused: {error}")
        raise
    plan = drawn.plan
    if forbidding(drawn.checks):
        access.audit(actor, action, target, plan.as_json(), f"refused: {reasons(drawn.checks)}")
        return Planned(plan, drawn.checks, None)
    with transaction.atomic():
        stored = _store(kind, target, drawn, actor, plan_id or uuid4())
        if drawn.summary is not None:
            summary = {"plan_id": str(stored.pk), **drawn.summary}
            access.audit(actor, action, target, summary, "planned; nothing is changed")
    return Planned(plan, drawn.checks, stored)


def _require_reach(kind: str, function: Function | None, body: dict[str, Any], actor: Actor) -> None:
    """Raise NOT_FOUND or DENIED where a token does not get to the function, or to what else the plan changes."""
    access.require_reach(actor, function)
    if known := kind_of(kind):
        access.require_beside(actor, known.beside(body))


def needs_approval(function: Function | None, confirmation: str, actor: Actor) -> bool:
    """Whether an approver has to agree to a change, if this is who plans or applies it. What asks for names to be
    typed changes production.
    """
    if function is None:
        return False
    return approval_due(function.account.approval, production=bool(confirmation), bot=actor.is_bot)


def _store(kind: Kind, target: str, drawn: Draft[Any], actor: Actor, plan_id: UUID) -> Plan:
    now = clock.now()
    Plan.objects.filter(applied_at=None, expires_at__lt=now - KEEP).delete()
    return Plan.objects.create(
        id=plan_id,
        kind=kind,
        title=storable(drawn.plan.title, 300),
        target=storable(target, 400),
        function=drawn.function,
        lock=drawn.lock,
        confirmation=drawn.confirmation,
        ticks=[[tick.key, tick.text] for tick in drawn.ticks],
        approval_asked=needs_approval(drawn.function, drawn.confirmation, actor),
        body={**drawn.plan.as_json(), **({PRIVATE: drawn.payload} if drawn.payload else {})},
        maker=actor.person,
        via=actor.via,
        created_at=now,
        expires_at=now + drawn.ttl,
    )


def load(plan_id: UUID, actor: Actor) -> Plan:
    """A plan for its maker, and for approvers where one is asked, whatever became of it. Raises NOT_FOUND, DENIED.

    A token gets to those alone of which it gets to all that they change, whichever token they were made with.
    """
    plan = Plan.objects.select_related("function__account", "maker").filter(pk=plan_id).first()
    if plan is None:
        raise DrydockError(Code.NOT_FOUND, "There is no such plan; plans are kept for a day.", next_step=AGAIN)
    _require_reach(plan.kind, plan.function, plan.body, actor)
    if not made_by(plan, actor) and not (plan.approval_asked and access.is_approver(actor)):
        raise DrydockError(
            Code.DENIED,
            "Somebody else made this plan; who confirms a change has to have seen it planned.",
            next_step="Plan the change yourself, or have an operator do it.",
        )
    return plan


def made_by(plan: Plan, actor: Actor) -> bool:
    """Whether this is the person who made the plan, whatever they came through then and now."""
    return actor.person is not None and plan.maker_id == actor.person.pk


def known(plan_id: UUID, actor: Actor) -> Plan | None:
    """The plan of this id, where one was made: by a request that comes again. Raises what `load` does."""
    return load(plan_id, actor) if Plan.objects.filter(pk=plan_id).exists() else None


def once(plan_id: UUID, actor: Actor, make: Callable[[UUID], Planned[Any]]) -> Run | Plan:
    """What a request asks for that may come again: the run that its plan became, the plan it made before, or a new one.

    Raises what `load` and `make` do, and PREFLIGHT where the plan could not be confirmed.
    """
    return became(plan_id) or known(plan_id, actor) or make(plan_id).confirmable()


def drop_expired(plan_id: UUID) -> None:
    """Make room for another plan of this id, where it expired before anybody decided anything of it."""
    Plan.objects.filter(over(clock.now()), pk=plan_id, applied_at=None, rejected_at=None, asked_at=None).delete()


def is_of_before(plan_id: UUID, age: timedelta) -> bool:
    """Whether a plan of this id became a run longer ago than that."""
    return Plan.objects.filter(pk=plan_id, applied_at__lt=clock.now() - age).exists()


@contextmanager
def audited(plan_id: UUID, actor: Actor, verb: str) -> Iterator[None]:
    """What is refused meanwhile is in the audit table: who tried to do what with the plan."""
    try:
        yield
    except DrydockError as error:
        plan = Plan.objects.filter(pk=plan_id).first()
        action = f"{plan.kind if plan else 'plan'}.{verb}"
        target = plan.target if plan else str(plan_id)
        access.audit(actor, action, target, {"plan_id": str(plan_id)}, f"refused: {error}")
        raise


def apply(plan_id: UUID, actor: Actor, typed: str = "", ticked: Collection[str] = ()) -> Run:
    """Turn a plan into a run: exactly once. A refused attempt changes nothing and is in the audit table.

    `ticked` are the keys of what was ticked. Raises DENIED (also where an approver has to agree: `approvals.confirm`
    asks for that), INVALID (not confirmed, used already: names the run), EXPIRED, BUSY (names the run), NOT_FOUND.
    """
    with audited(plan_id, actor, "apply"):
        access.require_operator(actor)
        plan = load(plan_id, actor)
        require_confirmed(plan, actor, typed, ticked)
        if plan.approval_asked or needs_approval(plan.function, plan.confirmation, actor):
            raise DrydockError(
                Code.DENIED,
                "This plan needs an approver, who is not its maker. Nothing was changed.",
                next_step="Give its address to somebody in the group of approvers.",
            )
        return start(plan, actor, Q(asked_at=None))


def require_confirmed(plan: Plan, actor: Actor, typed: str, ticked: Collection[str]) -> None:
    """Raise unless somebody who may has confirmed a plan that can become a run: names typed, ticks ticked."""
    if plan.applied_at is not None:
        raise not_any_more(plan)
    if kind_of(plan.kind) is None:
        raise DrydockError(
            Code.PREFLIGHT,
            "This plan is a list, which is not applied as a whole. Nothing was changed.",
            next_step="Patch function by function from the list, or export it.",
        )
    access.require_scopes(actor, needed(Kind(plan.kind), production=bool(plan.confirmation)))
    check_ticks(plan.ticks, ticked)
    check_confirmation(plan.confirmation, typed)


def start(plan: Plan, actor: Actor, standing: Q, **marks: str) -> Run:
    """Claim a plan that stands so, with these marks on it, and submit its run. Of several at once one does.

    Raises what `not_any_more` says, BUSY, NOT_FOUND.
    """
    if plan.function is None:
        raise DrydockError(Code.NOT_FOUND, "The function of this plan is no longer known.", next_step="Sync.")
    with transaction.atomic():
        now = clock.now()
        open_still = Plan.objects.filter(~over(now), standing, pk=plan.pk, applied_at=None, rejected_at=None)
        if not open_still.update(applied_at=now, **marks):
            raise not_any_more(plan)
        return runs.submit(
            Kind(plan.kind),
            title=plan.title,
            plan={key: value for key, value in plan.body.items() if key != PRIVATE},
            actor=actor,
            account=plan.function.account,
            function=plan.function,
            lock=plan.lock,
            made_from=plan,
        )


def apply_once(plan_id: UUID, actor: Actor) -> Run:
    """The same for a plan that asks nothing; where another applied it before, the run that came of it."""
    try:
        return apply(plan_id, actor)
    except DrydockError:
        if run := became(plan_id):
            return run
        raise
