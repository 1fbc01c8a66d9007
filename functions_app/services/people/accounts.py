"""The accounts Drydock looks after, and the way into each."""

import os

from django.conf import settings
from django.db import transaction

from functions_app.aws import session
from functions_app.aws.session import Target
from functions_app.domain.changes.production import ProductionAliases, production_aliases
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.account_colours import FIRST
from functions_app.models import Account, Scope


def target(account: Account, region: str) -> Target:
    """What aws/ needs to reach an account in a region."""
    return Target(account.account_id, region, account.role_arn, account.external_id)


def names() -> dict[int, str]:
    """What each account is called, by its key. One query."""
    return dict(Account.objects.values_list("pk", "name"))


def production(account: Account) -> ProductionAliases:
    """Which aliases of the account's functions carry production traffic: the one rule, wherever it is asked."""
    return production_aliases(account.production_aliases, settings.DRYDOCK_PRODUCTION_ALIASES)


def default_production() -> ProductionAliases:
    """The same for an account that has no setting of its own."""
    return production_aliases(settings.DRYDOCK_PRODUCTION_ALIASES)


def regions_of_environment() -> list[str]:
    """DRYDOCK_REGIONS (a,b), else AWS_REGION or AWS_DEFAULT_REGION; [] where none is set."""
    words = os.environ.get("DRYDOCK_REGIONS", "").replace(",", " ").split()
    listed = list(dict.fromkeys(words))
    single = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    return listed or ([single] if single else [])


def whose_credentials() -> str:
    """The account id behind the environment's own credentials. Raises DrydockError as `ensure_first` does."""
    known = [region for account in Account.objects.all() for region in account.regions]
    return session.caller_account((regions_of_environment() or known or _first_regions())[0])


def ensure_first() -> Account | None:
    """Make the first account from the environment's own credentials, where there is none yet.

    Raises DrydockError when AWS does not say whose credentials they are, or no region is set.
    """
    if Account.objects.exists():
        return None
    regions = _first_regions()
    account_id = session.caller_account(regions[0])
    account, _ = Account.objects.get_or_create(
        account_id=account_id, defaults={"name": account_id, "regions": regions, "colour": FIRST}
    )
    return account


def _first_regions() -> list[str]:
    if not (regions := regions_of_environment()):
        raise DrydockError(
            Code.INVALID,
            "There is no account yet, and the environment names no region to look in.",
            next_step="Set AWS_REGION, or DRYDOCK_REGIONS=eu-west-1,us-east-1, where Drydock's worker runs.",
        )
    return regions


@transaction.atomic
def ensure_scopes(account: Account) -> list[Scope]:
    """One scope row per region of the account; those of regions no longer wanted go, with their age."""
    account.scopes.exclude(region__in=account.regions).delete()
    Scope.objects.bulk_create(
        [Scope(account=account, region=region) for region in account.regions], ignore_conflicts=True
    )
    return list(account.scopes.select_related("account").order_by("region"))
