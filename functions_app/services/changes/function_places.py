"""Where a function is, frozen into its plans, and the way into its account."""

from functions_app.aws.session import Target
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import FunctionPlace
from functions_app.models import Account, Function
from functions_app.services.people import accounts


def place_of(function: Function) -> FunctionPlace:
    """Where a function of the snapshot is."""
    return FunctionPlace(function.arn, function.name, function.account.account_id, function.region)


def target_of(place: FunctionPlace) -> Target:
    """The way into the account of a plan. Raises NOT_FOUND where it is no longer one of ours."""
    account = Account.objects.filter(account_id=place.account_id).first()
    if account is None:
        raise DrydockError(
            Code.NOT_FOUND,
            f"Account {place.account_id} is no longer among Drydock's accounts.",
            next_step="Add it in Settings, then plan again.",
        )
    return accounts.target(account, place.region)
