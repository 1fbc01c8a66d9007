"""Every kind of run there is, with its steps and its queue. The setting DRYDOCK_KINDS names this table."""

from collections.abc import Mapping

from functions_app.domain.runs import Kind
from functions_app.services.bases import polls
from functions_app.services.changes import deploy, invoke, roll_back
from functions_app.services.engine.steps import INVOCATIONS, RunKind
from functions_app.services.images import files, forecasts
from functions_app.services.sync import run

KINDS: Mapping[Kind, RunKind] = {
    kind.kind: kind
    for kind in (
        RunKind(Kind.SYNC, run.STEPS),
        RunKind(Kind.BASE_POLL, polls.STEPS),
        RunKind(Kind.DEPLOYMENT, deploy.STEPS),
        RunKind(Kind.ROLLBACK, roll_back.STEPS),
        RunKind(Kind.READ_FILES, files.STEPS),
        RunKind(Kind.FORECAST, forecasts.STEPS),
        RunKind(Kind.INVOCATION, invoke.STEPS, INVOCATIONS),
    )
}
