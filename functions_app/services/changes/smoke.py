"""Smoke tests: kept per function, frozen into plans, carried out once: on a new version before any traffic, or on
$LATEST at once where the function has no alias.
"""

from collections.abc import Callable
from dataclasses import replace

from django.db import transaction

from functions_app import clock
from functions_app.aws import lambdas
from functions_app.domain.changes import refused_calls
from functions_app.domain.changes.deployments import CodeChange
from functions_app.domain.changes.invocations import shown
from functions_app.domain.changes.patching.smokes import Smoke, check_smoke, failure
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST
from functions_app.domain.redaction import redact
from functions_app.domain.runs import Done, Kind, Outcome
from functions_app.domain.tokens import needed
from functions_app.models import Function, SmokeTest
from functions_app.services.changes.function_places import target_of
from functions_app.services.engine.steps import Context, StepSpec
from functions_app.services.people import access, accounts
from functions_app.services.people.actor import Actor


def smoke_of(function: Function) -> Smoke | None:
    """The function's smoke test, None where it has none."""
    kept = SmokeTest.objects.filter(function=function).first()
    return Smoke.from_json(kept.body) if kept else None


def keep(
    function: Function, smoke: Smoke | None, actor: Actor, still: Callable[[Smoke | None], None] = lambda kept: None
) -> None:
    """Keep a function's smoke test, or (None) take it away. `still` raises where what is kept is not as thought.

    Raises DENIED, INVALID; both are in the audit table. A token was made for deployments of what the function serves.
    """
    asked = {"smoke": smoke.expects if smoke else ""}
    try:
        access.require_operator(actor)
        access.require_reach(actor, function)
        access.require_scopes(actor, needed(Kind.DEPLOYMENT, production=_is_production(function)))
        checked = check_smoke(smoke) if smoke else None
    except DrydockError as error:
        access.audit(actor, "smoke.change", function.arn, asked, f"refused: {error}")
        raise
    with transaction.atomic():
        Function.objects.select_for_update().get(pk=function.pk)
        still(smoke_of(function))
        if checked is None:
            SmokeTest.objects.filter(function=function).delete()
        else:
            made = {"body": checked.as_json(), "changed_at": clock.now(), "changed_by": actor.name}
            SmokeTest.objects.update_or_create(function=function, defaults=made)
        access.audit(actor, "smoke.change", function.arn, asked, "kept" if checked else "taken away")


def _is_production(function: Function) -> bool:
    """Whether an alias of it carries production traffic."""
    production = accounts.production(function.account)
    return any(map(production.include, function.aliases.values_list("name", flat=True)))


def _call(context: Context) -> Outcome:
    """Call the new version once, or $LATEST where none is published. A failed one stops the run: no alias was moved."""
    frozen, smoke = CodeChange.from_json(context.plan), Smoke.from_json(context.plan["smoke"])
    version = context.shared.get("version", "")
    called = f"version {version}" if version else LATEST
    context.lease.hold()
    try:
        answer = lambdas.invoke(
            target_of(frozen.place),
            frozen.place.name,
            version,
            smoke.payload.encode(),
            "sync",
            smoke.limit_s,
            smoke.tenant,
        )
    except DrydockError as error:
        raise refused_calls.explain_refusal(error, frozen.place.name) from error
    for line in answer.log_tail.splitlines():
        context.log.info(line)
    wrong = failure(smoke, answer.payload, answer.function_error)
    if wrong:
        context.result["smoke"] = {"answer": redact(shown(answer.payload).text), "request": answer.request_id}
        fate = "No alias was moved." if version else "Calls reached it until it was put back."
        raise DrydockError(
            Code.FAILED,
            f"The smoke test of {called} failed. {redact(wrong)} {fate}",
            next_step="Its answer and the end of its log are on this page. Mend it, or change the smoke test.",
            request_id=answer.request_id,
        )
    return Done(f"{called}: {smoke.expects}")


STEP = StepSpec(
    "smoke",
    "Try it before any traffic",
    _call,
    repeatable=False,
    look_at="Look in the function's log group whether the smoke test ran. No alias was moved.",
)
AT_ONCE = replace(
    STEP,
    title="Try it at once",
    look_at="Look in the function's log group whether the smoke test ran.",
)
"""For a function without alias, whose calls run the new image already."""
