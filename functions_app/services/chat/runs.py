"""What the chat is told of runs, and asks of them."""

from typing import Any

from django.db.models import Count, Q, QuerySet

from functions_app import clock, runlog
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.chat.words import LINES, some
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.redaction import redact, redact_value
from functions_app.domain.runs import ACTIVE, SignalKind, Status
from functions_app.domain.text import counted, sentence
from functions_app.models import Function, Run
from functions_app.services.chat.replies import Reply, of_run
from functions_app.services.chat.speakers import Speaker
from functions_app.services.engine import signals
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.runs.run_filter import UNDER_WAY
from functions_app.services.inventory.runs.run_state import FINISHED, reached_run
from functions_app.services.people.actor import Actor, named
from functions_app.services.people.reach import functions_within, runs_within

STATUSES = (UNDER_WAY, *Status)


def status(speaker: Speaker, number: str) -> Reply:
    """How a run stands, three queries; without a number how the fleet does, three."""
    if not number:
        return _fleet(speaker)
    run = reached_run(int(number), speaker.actor)
    steps = list(run.steps.all())
    ended = sum(step.status in FINISHED for step in steps)
    now = next((step.title for step in steps if step.status not in FINISHED), "")
    told = _outcome(run) or f"{ended} of {len(steps)} steps{f', then {now}' if now else ''}. {run.title}"
    lines = [
        f"{run.title}, by {named(run.actor_name, run.via)}",
        *(f"{step.status}: {step.title}{f' ({step.note})' if step.note else ''}" for step in steps),
        *_answered(run),
    ]
    shown = some([redact(line) for line in lines])
    stands = "" if told.lower().startswith(run.status) else f" {run.status}"
    return Reply(redact(f"Run {run.pk}{stands}: {told}"), ("run", run.pk), lines=shown, run=run)


def _outcome(run: Run) -> str:
    """What came of a run that has ended, or went wrong with it."""
    if run.problem:
        return Problem.from_json(run.problem).message
    return str(run.result.get("summary", "")) or (f"{run.title}." if Status(run.status).ended else "")


def _answered(run: Run) -> list[str]:
    """What an invoked function answered, as much as a line holds."""
    answer = redact_value(run.result).get("answer") or {}
    return [f"answered: {answer['payload']}"] if answer.get("payload") else []


def _fleet(speaker: Speaker) -> Reply:
    within = functions_within(speaker.actor.reach)
    stale = Count("pk", filter=Q(freshness=Freshness.STALE.value))
    found = Function.objects.filter(within, gone_at=None).aggregate(total=Count("pk"), stale=stale)
    under_way = list(_newest(speaker.actor, status__in=ACTIVE)[: LINES + 1])
    synced = fleet_status(clock.now()).synced_at
    age = f"as of {synced:%Y-%m-%d %H:%M} UTC" if synced else "never read yet"
    running = f"more than {LINES} runs" if len(under_way) > LINES else counted(len(under_way), "run")
    return Reply(
        f"{counted(found['total'], 'function')}, {found['stale']} stale; {running} under way; {age}.",
        lines=some([_told(run) for run in under_way[:LINES]]),
    )


def list_runs(speaker: Speaker, wanted: str) -> Reply:
    """The newest runs that nothing else keeps alive; those of one status where that is asked for. One query."""
    asked = wanted.casefold()
    if asked and asked not in STATUSES:
        raise DrydockError(
            Code.INVALID, f"There is no status “{wanted[:40]}”.", next_step=f"It is one of {', '.join(STATUSES)}."
        )
    statuses = ACTIVE if asked == UNDER_WAY else {asked} if asked else set(Status)
    found = list(_newest(speaker.actor, status__in=statuses)[:LINES])
    first = f": {_told(found[0])}" if found else ""
    query = {"status": asked} if asked else {}
    told = f"The newest {counted(len(found), 'run')}{first}"
    return Reply(told, ("runs",), query, some([_told(run) for run in found]))


def _newest(actor: Actor, **wanted: Any) -> QuerySet[Run]:
    return Run.objects.filter(runs_within(actor.reach), parent=None, **wanted).order_by("-pk")


def _told(run: Run) -> str:
    return f"{run.pk} {run.status}: {run.title}, by {named(run.actor_name, run.via)}"


def logs(speaker: Speaker, number: str) -> Reply:
    """The last lines of a run's log, redacted when they were stored. Two queries."""
    run = reached_run(int(number), speaker.actor)
    lines = runlog.tail(run.pk, LINES)
    told = sentence(lines[-1].text) if lines else f"Run {run.pk} has no line."
    return Reply(told, ("run", run.pk), lines=some([f"{line.at:%H:%M:%S} {line.text}" for line in lines]), run=run)


def cancel(speaker: Speaker, number: str, reason: str) -> Reply:
    """Ask a run to end."""
    return _asked(reached_run(int(number), speaker.actor), SignalKind.CANCEL, speaker.actor, reason)


def go_on(speaker: Speaker, number: str) -> Reply:
    """Let a run go on that waits for an approver."""
    return _asked(reached_run(int(number), speaker.actor), SignalKind.APPROVE, speaker.actor, "")


def _asked(run: Run, kind: SignalKind, actor: Actor, reason: str) -> Reply:
    taken = signals.give(run, kind, actor, reason)
    run.refresh_from_db()
    told = f"Run {run.pk} is asked to {kind}." if taken else f"Run {run.pk} had ended ({run.status}) by then."
    return of_run(run, told, started=taken)
