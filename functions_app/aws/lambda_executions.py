"""Executions of durable functions that are under way: each stays on the version it began on."""

from functions_app.aws import quota
from functions_app.aws.lambdas import CONTROL
from functions_app.aws.members import listed, text
from functions_app.aws.session import Target, client
from functions_app.domain.changes.pinned_executions import COUNTED, Executions

UNDER_WAY = ("RUNNING", "PAUSING", "PAUSED")


def under_way(target: Target, name: str, qualifier: str) -> Executions:
    """How many executions are under way on a version, in one call: of very many that there are at least so many."""
    answer = quota.read(
        target,
        CONTROL,
        lambda: client(target, "lambda").list_durable_executions_by_function(
            FunctionName=name,
            Qualifier=qualifier,
            Statuses=list(UNDER_WAY),  # type: ignore[arg-type]  # the stubs know fewer than botocore
            MaxItems=COUNTED,
        ),
    )
    return Executions(len(listed(answer, "DurableExecutions")), more=bool(text(answer, "NextMarker")))
