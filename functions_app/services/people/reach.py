"""How far somebody gets, as a condition on rows: a token may be made for some accounts and functions alone."""

import re

from django.db.models import Q

from functions_app.domain.tokens import Reach


def functions_within(reach: Reach, path: str = "") -> Q:
    """What functions must be to be within it; `path` leads to them ("function__")."""
    within = accounts_within(reach, path)
    if reach.functions is not None:
        named = Q(pk__in=[])
        for pattern in reach.functions:
            named |= Q(**{f"{path}name__regex": f"^{''.join(map(_sign, pattern))}$"})
        within &= named
    return within


def runs_within(reach: Reach) -> Q:
    """What runs must be to be within it: those of no function are for who gets everywhere."""
    return functions_within(reach, "function__")


def accounts_within(reach: Reach, path: str = "") -> Q:
    """What must be of an account that is within it."""
    return Q() if reach.accounts is None else Q(**{f"{path}account__account_id__in": sorted(reach.accounts)})


def _sign(sign: str) -> str:
    return {"*": ".*", "?": "."}.get(sign) or re.escape(sign)
