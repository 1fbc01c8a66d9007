"""Carries out a push: asks ECR what the tag names now, then plans or deploys that, for who made the rule.

Events only say when to look. What is deployed is what ECR has under the tag then, so that of two pushes the later wins,
whatever is told in which order; while another change of the function is under way, it waits and looks again.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.db.models import F, Q

from functions_app import clock
from functions_app.domain.changes.approvals import PlanState
from functions_app.domain.changes.checks import may_pass, reasons
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import one_line
from functions_app.domain.runs import ACTIVE
from functions_app.domain.tokens import Reach, TokenScope
from functions_app.models import Plan, PushRule, Run
from functions_app.services.changes import deploy, push_rules
from functions_app.services.engine import approvals, plan_ends, plans
from functions_app.services.people import access, living_tokens
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.people.backend import active_people

HOLD = timedelta(minutes=2)  # a worker that takes longer died
PAUSES = tuple(timedelta(seconds=each) for each in (10, 20, 30, 60, 120, 240, 480, 900))  # a refusal that may pass
SOON, LATER = timedelta(seconds=5), timedelta(minutes=1)  # while another change is under way; while AWS gives no answer
LOOKED_AT_WITHIN = timedelta(hours=24)  # a plan that is made for somebody to look at
PASSING = {Code.THROTTLED, Code.UNREACHABLE, Code.UNAVAILABLE, Code.OVERLOADED}
_NAMES = UUID("0d3f7f0e-5a55-4b0a-9d0d-0c2b0a6c4f7e")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Done:
    """What became of a push. `digest`: it is carried out, and this is what it was; None: as before."""

    text: str
    digest: str | None = None
    plan: Plan | None = None
    again: timedelta | None = None
    passes: bool = False  # a refusal that may pass by itself


NOTHING_NEW = Done("")


def due(now: datetime) -> list[int]:
    """The rules that are to look at their tag now, and at which nobody is."""
    return list(PushRule.objects.filter(_due(now)).order_by("wanted_at", "pk").values_list("pk", flat=True))


def _due(now: datetime) -> Q:
    """What lies further ahead than anything is put off was noted by a wrong clock."""
    wanted = Q(wanted_at__lte=now) | Q(wanted_at__gt=now + PAUSES[-1] + clock.APART)
    free = Q(held_until=None) | Q(held_until__lte=now) | Q(held_until__gt=now + HOLD + clock.APART)
    return wanted & free & Q(stopped_at=None)


def act(pk: int) -> str:
    """Carry out what was pushed for this rule; what was done. '': nothing was due, or another is at it."""
    now = clock.now()
    if not PushRule.objects.filter(_due(now), pk=pk).update(held_until=now + HOLD):
        return ""
    rule = PushRule.objects.select_related("function__account", "repository__account").get(pk=pk)
    actor = _actor(rule)
    over = _over(rule, actor)
    done = _stop(rule, over) if over else _carry_out(rule, actor)
    _note(rule, done)
    log.info("%s: %s", rule, done.text or "nothing new")
    return done.text


def _actor(rule: PushRule) -> Actor:
    """Who the rule acts for, within what they came through when they made it."""
    person = next(iter(active_people([rule.person_id] if rule.person_id else [])), None)
    scopes = frozenset(TokenScope(scope) for scope in rule.scopes if scope in set(TokenScope))
    accounts = None if rule.accounts is None else frozenset(rule.accounts)
    reach = Reach(accounts, None if rule.functions is None else tuple(rule.functions))
    return Actor(person, f"push rule {rule.pk}", scopes, reach=reach)


def _over(rule: PushRule, actor: Actor) -> str:
    """Why it may do nothing any more; '' where it may."""
    if actor.person is None or not access.is_operator(actor):
        return f"{rule.person_name}, for whom it acted, may not change functions any more."
    if not living_tokens.lives(actor.person, rule.via, rule.created_at):
        return f"{rule.via}, by which {rule.person_name} made it, is over."
    return ""


def _carry_out(rule: PushRule, actor: Actor) -> Done:
    digest = rule.digest
    try:
        plan = plans.known(_identity(rule), actor)  # of a worker that died, or that another change kept from it
        if plan is not None and plan_ends.became(plan.pk):
            return replace(_go_on(rule, plan, actor), again=SOON)
        digest = push_rules.tag_now(rule)
        if plan is not None:
            stands = approvals.state_of(plan) in (PlanState.OPEN, PlanState.WAITING)
            if stands and plan.body["to_digest"] == digest:
                return replace(_go_on(rule, plan, actor), again=SOON)
            _give_up(rule, plan if stands else None)
        if digest == rule.digest:
            return NOTHING_NEW
        push_rules.take_back(rule, push_rules.REPLACED)
        if not digest:
            return Done(f"ECR gives no image under the tag {rule.tag}: nothing is deployed.", "")
        if busy := Run.objects.filter(lock=rule.function.arn, status__in=ACTIVE).first():
            return Done(f"Waits for run {busy.pk} ({busy.title}), then looks at the tag again.", again=SOON)
        return _plan(rule, actor)
    except DrydockError as error:
        if error.problem.code is Code.BUSY:
            return Done(f"{error} It is tried again.", again=SOON)
        if error.problem.code in PASSING:
            return Done(f"{error} It is tried again in a minute.", again=LATER)
        if error.problem.code is Code.EXPIRED:  # just now: the next look plans anew
            return Done(str(error), again=SOON)
        return _refused(rule, f"{error} {error.problem.next_step}".strip(), digest, passes=error.problem.retryable)


def _refused(rule: PushRule, why: str, digest: str, *, passes: bool) -> Done:
    """What may pass by itself is tried again for a while; all else waits for the next push."""
    if passes and rule.tries < len(PAUSES):
        pause = PAUSES[rule.tries]
        return Done(f"Refused: {why} It is tried again in {pause.seconds} s.", again=pause, passes=True)
    return Done(f"Refused: {why}", digest)


def _give_up(rule: PushRule, plan: Plan | None) -> None:
    """What was planned in this turn is not what is to run: the next is planned under another identity."""
    if plan is not None:
        approvals.withdraw(plan.pk, push_rules.REPLACED, f"push rule {rule.pk}")
    PushRule.objects.filter(pk=rule.pk, turn=rule.turn).update(turn=rule.turn + 1)
    rule.turn += 1


def _plan(rule: PushRule, actor: Actor) -> Done:
    """Plan it as a person would, by the tag: what the plan resolved it to is what counts."""
    image = f"{rule.repository.uri}:{rule.tag}"
    made = deploy.plan(rule.function, image, rule.alias, actor, _identity(rule))
    if made.stored is None:
        return _refused(rule, reasons(made.plan.checks), made.plan.to_digest, passes=may_pass(made.plan.checks))
    if made.plan.before_digest == made.plan.to_digest:
        made.stored.delete()
        return Done(f"{rule.alias} runs it already.", made.plan.to_digest)
    return _go_on(rule, made.stored, actor)


def _go_on(rule: PushRule, plan: Plan, actor: Actor) -> Done:
    """From the plan to its run, to an approver, or to somebody who looks at it."""
    digest = str(plan.body["to_digest"])
    looked_at = rule.mode == PushRule.Mode.PLAN
    untyped = not looked_at and plan.confirmation not in ("", rule.confirmed)
    if looked_at or plan.ticks or untyped:
        Plan.objects.filter(pk=plan.pk, applied_at=None).update(expires_at=clock.now() + LOOKED_AT_WITHIN)
        asks = f", and asks for what the rule can't say: {plan.ticks[0][1]}" if plan.ticks else ""
        if untyped and not asks:
            asks = f": {plan.confirmation} carries production traffic now, for which nobody has typed its name"
        return Done(f"Planned{asks}. Somebody has to apply the plan.", digest, plan)
    found = plan_ends.became(plan.pk) or approvals.confirm(plan.pk, actor, rule.confirmed)
    if isinstance(found, Run):
        return Done(f"Run {found.pk} deploys it.", digest, plan)
    return Done("Waits for an approver.", digest, plan)


def _stop(rule: PushRule, over: str) -> Done:
    """End a rule whose person may change nothing any more, or whose token is over."""
    why = f"Stopped: {over}"
    if PushRule.objects.filter(pk=rule.pk, stopped_at=None).update(stopped_at=clock.now()):
        push_rules.take_back(rule, why)
        access.audit(SCHEDULE, "push_rule.stop", rule.function.arn, push_rules.facts(rule), why)
    return Done(f"{why} Remove it, and make one of your own.")


def _note(rule: PushRule, done: Done) -> None:
    """Write down what was done, and let go of the rule; what was asked for meanwhile stays asked for."""
    now = clock.now()
    own = PushRule.objects.filter(pk=rule.pk)
    values: dict[str, object] = {"held_until": None, "tries": rule.tries + 1 if done.passes else 0}
    if done.text:
        values |= {"told": one_line(done.text, 500), "told_at": now}
    if done.digest is not None:
        values |= {"digest": done.digest, "turn": F("turn") + 1, "plan": done.plan}
    own.update(**values)
    own.filter(wanted_at=rule.wanted_at).update(wanted_at=now + done.again if done.again else None)


def _identity(rule: PushRule) -> UUID:
    return uuid5(_NAMES, f"{rule.pk} {rule.turn}")
