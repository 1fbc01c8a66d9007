"""A token asks of a run what it could have started itself, and no more; a person in the browser has every scope."""

import pytest

from functions_app import clock
from functions_app.domain.errors import DrydockError
from functions_app.domain.runs import Kind, SignalKind, Status
from functions_app.domain.tokens import TokenScope
from functions_app.models import AuditEntry, Plan, Run, Signal
from functions_app.services.engine import signals
from functions_app.services.people.actor import Actor, chat_via

pytestmark = pytest.mark.django_db
NONPROD, PROD, PATCH, INVOKE = (
    TokenScope.DEPLOY_NONPROD,
    TokenScope.DEPLOY_PROD,
    TokenScope.PATCH,
    TokenScope.INVOKE,
)


def run_of(kind: Kind, confirmation: str | None) -> Run:
    """A run that waits, of a plan that wanted this to be typed; None: of a plan that nobody has any more."""
    now, plan = clock.now(), None
    if confirmation is not None:
        plan = Plan.objects.create(kind=kind, body={}, confirmation=confirmation, created_at=now, expires_at=now)
    return Run.objects.create(kind=kind, status=Status.WAITING, title="A run", created_at=now, made_from=plan)


@pytest.mark.parametrize("via", ["token ci", chat_via("ops-bot", "#ops")])
@pytest.mark.parametrize(
    ("kind", "confirmation", "enough", "lacks"),
    [
        (Kind.PATCH, "live", {PATCH, PROD}, {INVOKE}),
        (Kind.PATCH, "live", {PATCH, PROD}, {PATCH, NONPROD}),
        (Kind.PATCH, "", {PATCH}, {INVOKE, NONPROD, PROD}),
        (Kind.UNDO, "live", {PATCH, PROD}, {PATCH}),
        (Kind.DEPLOYMENT, "live", {PROD}, {NONPROD, PATCH}),
        (Kind.DEPLOYMENT, "", {NONPROD}, {INVOKE}),
        (Kind.ROLLBACK, "live", {PROD}, {NONPROD}),
        (Kind.ROLLBACK, None, {PROD}, {NONPROD}),
    ],
)
def test_a_run_that_changes_a_function_is_stopped_with_what_the_change_needs(
    operator: Actor,
    kind: Kind,
    confirmation: str | None,
    enough: set[TokenScope],
    lacks: set[TokenScope],
    via: str,
) -> None:
    run = run_of(kind, confirmation)
    for signal in (SignalKind.CANCEL, SignalKind.PAUSE):
        with pytest.raises(DrydockError, match="lacks the scope"):
            signals.give(run, signal, Actor(operator.person, via, frozenset(lacks)))
        assert "refused" in AuditEntry.objects.get(action=f"run.{signal}").result
    assert not Signal.objects.exists()
    assert signals.give(run, SignalKind.CANCEL, Actor(operator.person, via, frozenset(enough)))


@pytest.mark.parametrize(("confirmation", "needed"), [("", PATCH), ("live", PROD)])
def test_a_run_is_approved_with_what_the_change_needs_too(
    operator: Actor, approver: Actor, confirmation: str, needed: TokenScope
) -> None:
    run = run_of(Kind.PATCH, confirmation)
    Run.objects.filter(pk=run.pk).update(actor=operator.person, waits_for=SignalKind.APPROVE)
    run.refresh_from_db()
    with pytest.raises(DrydockError, match=f"lacks the scope .*{needed}"):
        signals.give(run, SignalKind.APPROVE, Actor(approver.person, "token ci", frozenset({TokenScope.APPROVE})))
    every = Actor(approver.person, "token ci", frozenset({TokenScope.APPROVE, PATCH, PROD}))
    assert signals.give(run, SignalKind.APPROVE, every)


def test_a_run_that_only_reads_is_stopped_with_any_scope_that_changes_something(operator: Actor) -> None:
    run = run_of(Kind.SYNC, None)
    assert signals.give(run, SignalKind.CANCEL, Actor(operator.person, "token ci", frozenset({INVOKE})))
