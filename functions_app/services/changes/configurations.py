"""How two versions of a function are configured, compared in AWS at this moment: of variables which names changed."""

from functions_app.aws import lambda_comparisons, quota
from functions_app.domain.changes.configurations import Comparison
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Function
from functions_app.services.people import access, accounts
from functions_app.services.people.actor import Actor


def compare(actor: Actor, function: Function, version: str, against: str) -> Comparison:
    """How `version` differs from `against`; values are read and compared in aws/ alone. Needs `account`.

    Raises NOT_FOUND where AWS has one of them no more.
    """
    access.require_operator(actor, "configuration.compare", function.arn)
    target = accounts.target(function.account, function.region)
    with quota.patience(quota.PERSONS_WAIT):
        found = lambda_comparisons.read(target, function.name, version, [against])
    if against not in found.comparisons:
        missing = against if version in found.details else version
        raise DrydockError(
            Code.NOT_FOUND,
            f"AWS has no version {missing} of {function.name} any more.",
            next_step="Sync, then choose another one.",
        )
    return found.comparisons[against]
