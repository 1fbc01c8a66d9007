"""Every kind of run there is, with its steps and its queue. The setting DRYDOCK_KINDS names this table."""

from collections.abc import Mapping

from functions_app.domain.runs import Kind, Queue
from functions_app.services.bases import poll_run, poll_schedule
from functions_app.services.changes import deploy, invoke, roll_back
from functions_app.services.changes.patching import steps as patching
from functions_app.services.changes.patching import undo
from functions_app.services.engine.steps import RunKind, always
from functions_app.services.images import files, forecasts
from functions_app.services.sync import run

KINDS: Mapping[Kind, RunKind] = {
    kind.kind: kind
    for kind in (
        RunKind(Kind.SYNC, run.steps, Queue.READING, again=run.again),
        RunKind(Kind.BASE_POLL, always(poll_run.STEPS), Queue.READING, again=poll_schedule.again),
        RunKind(Kind.DEPLOYMENT, always(deploy.STEPS), Queue.CHANGES, pausable=True),
        RunKind(Kind.ROLLBACK, always(roll_back.STEPS), Queue.CHANGES),
        RunKind(Kind.PATCH, patching.steps, Queue.CHANGES, pausable=True, beside=patching.beside),
        RunKind(Kind.UNDO, undo.steps, Queue.CHANGES),
        RunKind(Kind.READ_FILES, always(files.STEPS), Queue.READING, again=files.again),
        RunKind(Kind.FORECAST, always(forecasts.STEPS), Queue.READING, again=forecasts.again),
        RunKind(Kind.INVOCATION, always(invoke.STEPS), Queue.INVOCATIONS),
    )
}
