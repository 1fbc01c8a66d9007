"""What calls a function, asked of AWS when somebody wants to know it, and kept with the time.

No sync does so: it would take six calls a function, and two for each alias, of the quotas that syncs live on.
"""

from functions_app import clock
from functions_app.aws import lambda_triggers, quota
from functions_app.domain.fleet.triggers import Triggers
from functions_app.models import Function, FunctionTriggers
from functions_app.services.people import access, accounts
from functions_app.services.people.actor import Actor
from functions_app.services.sync.scopes import check_identity, opened


def read(actor: Actor, function: Function) -> Triggers:
    """Ask AWS now, while somebody waits, and keep what it tells; needs `account`. Raises DrydockError.

    What a part failed with is kept in its place, with what was known of the others.
    """
    access.require_operator(actor, "triggers.read", function.arn)
    read_at = clock.now()
    aliases = list(function.aliases.order_by("name").values_list("name", flat=True))
    target = accounts.target(function.account, function.region)
    with quota.patience(quota.PERSONS_WAIT):
        check_identity(opened(function.account, function.region, True))
        found = lambda_triggers.read(target, function.name, aliases)
    FunctionTriggers.objects.update_or_create(
        function=function, defaults={"read_at": read_at, "found": found.as_json()}
    )
    return found
