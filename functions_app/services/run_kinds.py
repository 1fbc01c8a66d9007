"""Every kind of run there is, with its steps and its queue. The setting DRYDOCK_KINDS names this table."""

from collections.abc import Mapping

from functions_app.domain.runs import Kind
from functions_app.services import base_watch, deployments, forecasts, invocations, layer_reading, rollbacks, sync
from functions_app.services.steps import INVOCATIONS, RunKind

KINDS: Mapping[Kind, RunKind] = {
    kind.kind: kind
    for kind in (
        RunKind(Kind.SYNC, sync.STEPS),
        RunKind(Kind.BASE_POLL, base_watch.STEPS),
        RunKind(Kind.DEPLOYMENT, deployments.STEPS),
        RunKind(Kind.ROLLBACK, rollbacks.STEPS),
        RunKind(Kind.READ_FILES, layer_reading.STEPS),
        RunKind(Kind.FORECAST, forecasts.STEPS),
        RunKind(Kind.INVOCATION, invocations.STEPS, INVOCATIONS),
    )
}
