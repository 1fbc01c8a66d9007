"""Invoking a function: once, with its log live while it runs and each line of it once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from functions_app import clock
from functions_app.aws import lambdas, session
from functions_app.aws.lambdas import InvokeAnswer
from functions_app.aws.session import Target
from functions_app.domain.changes import invocations as domain
from functions_app.domain.changes import refused_calls
from functions_app.domain.changes.invocations import (
    InvocationPlan,
    Mode,
    check_payload,
    check_tenant,
    parse_failure,
    payload_bytes,
    shown,
)
from functions_app.domain.changes.sent_payloads import SentPayload
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST, FunctionDetail
from functions_app.domain.fleet.lambda_states import state_meaning
from functions_app.domain.redaction import redact
from functions_app.domain.runs import Done, Kind, Outcome
from functions_app.models import Function, Run
from functions_app.services.changes.careful_steps import SHORT, patient
from functions_app.services.changes.function_places import place_of, target_of
from functions_app.services.changes.live_log import LiveLog, LogPlace, give_away
from functions_app.services.engine import payloads, plan_ends, plans
from functions_app.services.engine.plans import Draft
from functions_app.services.engine.steps import Context, StepSpec
from functions_app.services.people.actor import Actor

NOT_EXECUTED = "not_executed"  # in a run's result: nothing ran, and its payload is kept until its plan expires
REQUEST = "request"  # in a run's result: what was sent, as SentPayload has it
SHOWN = 100  # versions to choose from; an alias or a newer one is what people want


def identity(
    once: str, function: Function, qualifier: str, payload: str, mode: Mode, actor: Actor, tenant: str
) -> UUID:
    """The plan that a form's `once` stands for, with this content and by this person; without one, a new plan's."""
    sender = str(actor.person.pk) if actor.person else ""
    return domain.identity(once, payload, sender, str(function.pk), qualifier, mode.value, tenant)


def submit(
    function: Function,
    qualifier: str,
    payload: str,
    mode: Mode,
    actor: Actor,
    tenant: str = "",
    plan_id: UUID | None = None,
) -> Run:
    """Plan and apply in one: what is sent is in the plan alone, which forgets it once it was sent.

    `tenant` is that of a tenant-isolated function. Of several at once with one `plan_id` all get the same run. Raises
    INVALID (payload, qualifier, tenant), DENIED. A refused attempt is in the audit table.
    """
    check = check_payload(payload, mode)

    def draft() -> Draft[InvocationPlan]:
        if not check.ok:
            raise DrydockError(Code.INVALID, check.text, next_step="Correct the payload; nothing was sent.")
        _check_qualifier(function, qualifier)
        named = check_tenant(tenant)
        frozen = InvocationPlan(place_of(function), qualifier, mode, check.size_bytes, check.sha256, named)
        return Draft(frozen, function, payload=payload_bytes(payload).decode())

    asked = {"qualifier": qualifier[:130], "mode": mode.value, "bytes": check.size_bytes, "sha256": check.sha256}
    asked["tenant"] = tenant[:256]
    try:
        planned = plans.make(Kind.INVOCATION, function.arn, asked, actor, draft, plan_id)
    except IntegrityError:
        if plan_id is None:
            raise
        return plans.apply_once(plan_id, actor)  # another of the same stored it a moment ago
    return plans.apply_once(planned.confirmable().pk, actor)


def again(run: Run, actor: Actor) -> Run:
    """Invoke once more what was not executed, with the same payload; however often this is asked for, one run.

    Raises INVALID where it may have run, EXPIRED where its payload is gone.
    """
    if not run.result.get(NOT_EXECUTED) or run.function is None:
        raise DrydockError(
            Code.INVALID,
            f"Run {run.pk} was executed, or may have been: it can't be repeated from here.",
            next_step="Look at its log and invoke the function from its own page, if it is to run a second time.",
        )
    frozen = InvocationPlan.from_json(run.plan)
    plan_id = domain.identity("again", "", str(run.pk))
    if done := plan_ends.became(plan_id):
        return done
    payload = payloads.payload(run.made_from)
    if not payload:
        raise DrydockError(
            Code.EXPIRED, "The payload is kept no longer.", next_step="Invoke the function from its own page."
        )
    return submit(run.function, frozen.qualifier, payload, frozen.mode, actor, frozen.tenant, plan_id)


def sent_in(run: Run, function_id: int) -> tuple[InvocationPlan, SentPayload | None] | None:
    """How a run invoked this function and what it sent; None where it is no such run, no payload of older ones."""
    if run.kind != Kind.INVOCATION or run.function_id != function_id:
        return None
    kept = run.result.get(REQUEST)
    return InvocationPlan.from_json(run.plan), SentPayload.from_json(kept) if kept else None


def qualifiers(function: Function) -> tuple[tuple[str, str], ...]:
    """What can be invoked: aliases first, then $LATEST, then versions, each with a label. Two queries."""
    aliases = [(alias.name, f"{alias.name} → {alias.version}") for alias in function.aliases.order_by("name")]
    numbers = function.versions.exclude(number=LATEST).order_by("-ordinal").values_list("number", flat=True)[:SHOWN]
    named = [(number, f"version {number}" if number.isdecimal() else number) for number in numbers]
    return (*aliases, (LATEST, LATEST), *named)


def _check_qualifier(function: Function, qualifier: str) -> None:
    known = qualifier == LATEST or function.aliases.filter(name=qualifier).exists()
    if not known and not function.versions.filter(number=qualifier).exists():
        raise DrydockError(
            Code.INVALID,
            f"{function.name} has no version or alias {qualifier!r}.",
            next_step="Choose one from the list; sync if it is new.",
        )


def _check(context: Context) -> Outcome:
    """Read what is needed to wait long enough and to find the log: nothing is changed."""
    frozen = InvocationPlan.from_json(context.plan)
    name, qualifier, target = frozen.place.name, frozen.qualifier, target_of(frozen.place)
    if payload := payloads.payload(context.run.made_from):
        context.result[REQUEST] = SentPayload.of(payload).as_json()
    detail = lambdas.get_function(target, name, qualifier)
    domain.refuse_call(detail.fact.features, name, qualifier, frozen.tenant)
    context.shared |= {
        "timeout_s": detail.fact.timeout_s,
        "log_group": detail.fact.log_group,
        "log_framed": detail.log_framed,
        "versions": _versions(target, name, qualifier, detail),
    }
    meaning = state_meaning(detail.state)
    if not meaning.ready:
        reason = f" ({detail.state_reason_code})" if detail.state_reason_code else ""
        context.log.warning(f"{name} is {detail.state or 'in no known state'}{reason}: {meaning.says}.")
    return Done(f"state {detail.state or 'not told'}, timeout {detail.fact.timeout_s} s")


def _versions(target: Target, name: str, qualifier: str, detail: FunctionDetail) -> list[str]:
    """The versions the invocation may run on: both of a split alias."""
    if qualifier in (LATEST, PUBLISHED_LATEST) or qualifier.isdigit():
        return [qualifier]
    alias = lambdas.get_alias(target, name, qualifier)
    if alias is None:
        return [detail.fact.latest.number]
    return [version for version in (alias.version, alias.second_version) if version]


def _invoke(context: Context) -> Outcome:
    """Send it: the one step that is never repeated. The payload is forgotten before it leaves."""
    frozen = InvocationPlan.from_json(context.plan)
    payload = payloads.payload(context.run.made_from).encode()
    if not payload:
        raise DrydockError(
            Code.UNKNOWN_OUTCOME,
            "The payload is gone: it was sent before, or may have been before a backup was restored.",
            next_step="Look at the function's log.",
        )
    try:
        answer = (_follow if frozen.mode is Mode.SYNC else _send)(context, frozen, payload)
    except DrydockError as error:
        if (made_from := context.run.made_from_id) and refused_calls.was_not_executed(error.problem):
            context.lease.hold(lambda: payloads.keep_payload(made_from, payload.decode()))
            context.result[NOT_EXECUTED] = True
        raise
    context.result["answer"] = _facts(answer, frozen.mode)
    return Done(_note(answer, frozen.mode))


def _forget_payload(run: Run) -> None:
    if run.made_from_id:
        payloads.forget_payload(run.made_from_id)


def _send(context: Context, frozen: InvocationPlan, payload: bytes) -> InvokeAnswer:
    place, timeout_s = frozen.place, context.shared["timeout_s"]
    context.lease.hold(lambda: _forget_payload(context.run))
    try:
        return lambdas.invoke(
            target_of(place),
            place.name,
            frozen.qualifier,
            payload,
            frozen.mode.value,
            timeout_s,
            frozen.tenant,
        )
    except DrydockError as error:
        raise refused_calls.explain_refusal(error, place.name) from error


def _follow(context: Context, frozen: InvocationPlan, payload: bytes) -> InvokeAnswer:
    """Invoke while a second thread brings the lines of the log group; the tail fills what is missing."""
    target, name = target_of(frozen.place), frozen.place.name
    place = LogPlace(
        target,
        context.shared["log_group"],
        name,
        tuple(context.shared["versions"]),
        framed=context.shared.get("log_framed", True),
    )
    live = LiveLog(place, context.log, _aws_now(target, name))
    with live:
        answer = _send(context, frozen, payload)
        live.settle(answer)
    context.result["report"] = report.as_json() if (report := live.report(answer.request_id)) else None
    context.result |= {"log_cut": live.cut, "log_full": live.full}
    context.shared["theirs"] = live.theirs
    return answer


def _aws_now(target: Target, name: str) -> datetime:
    """The time by AWS's clock, as its events have it: ours may be off."""
    if session.now(target) is None:  # another worker made the step before
        lambdas.get_function(target, name)
    return session.now(target) or clock.now()


def _facts(answer: InvokeAnswer, mode: Mode) -> dict[str, Any]:
    """What the run's page shows of the answer: redacted, and cut where it is long."""
    told = shown(answer.payload)
    failure = parse_failure(answer.payload, answer.function_error) if answer.function_error else None
    return {
        "mode": mode.value,
        "status": answer.status,
        "request_id": answer.request_id,
        "executed_version": answer.executed_version,
        "function_error": answer.function_error,
        "failure": failure
        and {
            "type": redact(failure.type),
            "message": redact(failure.message),
            "trace": [redact(line) for line in failure.trace],
        },
        "payload": redact(told.text),
        "payload_bytes": told.size_bytes,
        "payload_cut": told.cut,
    }


def _note(answer: InvokeAnswer, mode: Mode) -> str:
    if mode is Mode.DRY_RUN:
        return f"{answer.status} allowed: the call would be accepted; the function did not run"
    if mode is Mode.ASYNC:
        return f"{answer.status} accepted, request {answer.request_id}; Lambda runs it when it can"
    ran = f" on version {answer.executed_version}" if answer.executed_version else ""
    return f"{answer.status}, the function failed{ran}" if answer.function_error else f"{answer.status}{ran}"


def _tell(context: Context) -> Outcome:
    """The run fails when the function failed: that is told apart from a call that failed."""
    if theirs := context.shared.get("theirs"):
        give_away(context.lease, theirs)
    answer = context.result["answer"]
    if not answer["function_error"]:
        return Done("the function answered" if answer["mode"] == Mode.SYNC else "")
    failure = answer["failure"]
    told = f"{failure['type']}: {failure['message']}" if failure["type"] else failure["message"]
    raise DrydockError(
        Code.FAILED,
        f"The call went well, the function itself failed ({answer['function_error']}): {told}",
        next_step="Its trace and its log are on this page. Drydock does not repeat an invocation.",
        request_id=answer["request_id"],
    )


STEPS = (
    StepSpec("check", "Read the function", patient(_check), limit=SHORT),
    StepSpec(
        "invoke",
        "Invoke",
        _invoke,
        repeatable=False,
        look_at="Look in the function's log group whether it ran, before you invoke it again; lines above may be "
        "another invocation's.",
    ),
    StepSpec("answer", "Read the answer", _tell),
)
