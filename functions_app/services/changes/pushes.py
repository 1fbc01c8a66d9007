"""Carries out a push: asks ECR what the tag names now, then plans or deploys that, for who made the rule.

Events only say when to look. What is deployed is what ECR has under the tag then, so that of two pushes the later wins,
whatever is told in which order; while another change of the function is under way, it waits and looks again.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.db.models import F, Q

from functions_app import clock
from functions_app.domain.changes.checks import reasons
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import one_line
from functions_app.domain.runs import ACTIVE
from functions_app.models import Plan, PushRule, Run
from functions_app.services.changes import deploy, push_rules
from functions_app.services.engine import approvals, plans
from functions_app.services.people import access
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.people.backend import active_people

HOLD = timedelta(minutes=2)  # a worker that takes longer died
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


NOTHING_NEW = Done("")


def due(now: datetime) -> list[int]:
    """The rules that are to look at their tag now, and at which nobody is."""
    return list(PushRule.objects.filter(_due(now)).order_by("wanted_at", "pk").values_list("pk", flat=True))


def _due(now: datetime) -> Q:
    """What lies further ahead than anything is put off was noted by a wrong clock."""
    wanted = Q(wanted_at__lte=now) | Q(wanted_at__gt=now + LATER + clock.APART)
    free = Q(held_until=None) | Q(held_until__lte=now) | Q(held_until__gt=now + HOLD + clock.APART)
    return wanted & free & Q(stopped_at=None)


def act(pk: int) -> str:
    """Carry out what was pushed for this rule; what was done. '': nothing was due, or another is at it."""
    now = clock.now()
    if not PushRule.objects.filter(_due(now), pk=pk).update(held_until=now + HOLD):
        return ""
    rule = PushRule.objects.select_related("function__account", "repository__account").get(pk=pk)
    person = next(iter(active_people([rule.person_id] if rule.person_id else [])), None)
    actor = Actor(person, f"push rule {rule.pk}")
    done = _carry_out(rule, actor) if access.is_operator(actor) else _stop(rule)
    _note(rule, done)
    log.info("%s: %s", rule, done.text or "nothing new")
    return done.text


def _carry_out(rule: PushRule, actor: Actor) -> Done:
    digest = rule.digest
    try:
        plan = plans.known(_identity(rule), actor)  # of a worker that died
        if plan is not None:
            return _go_on(rule, plan, actor)
        digest = push_rules.tag_now(rule)
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
        again = SOON if error.problem.code is Code.EXPIRED else None  # planned before a worker died
        return Done(f"Refused: {error} {error.problem.next_step}".strip(), digest, again=again)


def _plan(rule: PushRule, actor: Actor) -> Done:
    """Plan it as a person would, by the tag: what the plan resolved it to is what counts."""
    image = f"{rule.repository.uri}:{rule.tag}"
    made = deploy.plan(rule.function, image, rule.alias, actor, _identity(rule))
    if made.stored is None:
        return Done(f"Refused: {reasons(made.plan.checks)}", made.plan.to_digest)
    if made.plan.before_digest == made.plan.to_digest:
        made.stored.delete()
        return Done(f"{rule.alias} runs it already.", made.plan.to_digest)
    return _go_on(rule, made.stored, actor)


def _go_on(rule: PushRule, plan: Plan, actor: Actor) -> Done:
    """From the plan to its run, to an approver, or to somebody who looks at it."""
    digest = str(plan.body["to_digest"])
    if rule.mode == PushRule.Mode.PLAN or plan.ticks:
        Plan.objects.filter(pk=plan.pk, applied_at=None).update(expires_at=clock.now() + LOOKED_AT_WITHIN)
        asks = f", and asks for what the rule can't say: {plan.ticks[0][1]}" if plan.ticks else ""
        return Done(f"Planned{asks}. Somebody has to apply the plan.", digest, plan)
    found = plans.became(plan.pk) or approvals.confirm(plan.pk, actor, plan.confirmation)
    if isinstance(found, Run):
        return Done(f"Run {found.pk} deploys it.", digest, plan)
    return Done("Waits for an approver.", digest, plan)


def _stop(rule: PushRule) -> Done:
    """End a rule whose person may change nothing any more."""
    why = f"Stopped: {rule.person_name}, for whom it acted, may not change functions any more."
    if PushRule.objects.filter(pk=rule.pk, stopped_at=None).update(stopped_at=clock.now()):
        push_rules.take_back(rule, why)
        access.audit(SCHEDULE, "push_rule.stop", rule.function.arn, push_rules.facts(rule), why)
    return Done(f"{why} Remove it, and make one of your own.")


def _note(rule: PushRule, done: Done) -> None:
    """Write down what was done, and let go of the rule; what was asked for meanwhile stays asked for."""
    now = clock.now()
    own = PushRule.objects.filter(pk=rule.pk)
    values: dict[str, object] = {"held_until": None}
    if done.text:
        values |= {"told": one_line(done.text, 500), "told_at": now}
    if done.digest is not None:
        values |= {"digest": done.digest, "turn": F("turn") + 1, "plan": done.plan}
    own.update(**values)
    own.filter(wanted_at=rule.wanted_at).update(wanted_at=now + done.again if done.again else None)


def _identity(rule: PushRule) -> UUID:
    return uuid5(_NAMES, f"{rule.pk} {rule.turn}")
