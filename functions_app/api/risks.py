"""`/stale` and `/at-risk`: what stands on an old base, and live images that a lifecycle policy would take."""

from django.urls import reverse
from ninja import Field, Query, Router

from functions_app.api.forecasts import DangerLine, danger_line
from functions_app.api.functions import Filters as FunctionFilters
from functions_app.api.functions import FunctionPage, page_of_functions
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Listed, Page, Paged, one_of, page_of, paged
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.text import counted
from functions_app.models import Account
from functions_app.services.inventory.images.at_risk import at_risk, forecast_at
from functions_app.services.inventory.tables.fleet import risk_table
from functions_app.streams.table_download import table_answer

router = Router(tags=["fleet"])
PAGE_SIZE = 50
BEHIND = [Freshness.STALE.value, Freshness.END_OF_LIFE.value]


class StaleFilters(FunctionFilters):
    """As of the functions; which are stale, at their end of life, or both."""

    freshness: list[str] = Field(BEHIND, max_length=2, description="stale, end_of_life; both where none is named")


class RiskFilters(Paged):
    """Of which account."""

    account: str = Field("", max_length=80, description="the account's name")


class RiskPage(Page):
    """A page of uses."""

    risks: list[DangerLine]


@router.get("/stale", response=FunctionPage)
def list_stale(request: ApiRequest, filters: Query[StaleFilters]) -> Listed:
    """Functions of which something live stands on an old base, or on one that gets no patches any more."""
    for value in filters.freshness:
        one_of("freshness", value, frozenset(BEHIND))
    query = request.GET.copy()
    query.setlist("freshness", filters.freshness or BEHIND)
    return page_of_functions(request, filters, query)


@router.get("/at-risk", response=RiskPage)
def list_at_risk(request: ApiRequest, filters: Query[RiskFilters]) -> Listed:
    """Live uses of images that a lifecycle policy would take away, by the last forecasts."""
    accounts = Account.objects.values_list("name", "account_id")
    reached = frozenset(name for name, number in accounts if request.actor.reach.covers_account(number))
    one_of("account", filters.account, reached)
    if filters.format:
        return table_answer(request, risk_table(request.actor.reach, filters.account))
    asked = filters.chosen()
    found = at_risk(request.actor.reach, filters.account)
    pages = max(1, -(-len(found) // PAGE_SIZE))
    number = min(page_of(filters.cursor, asked), pages)
    functions = len({row.use.function_id for row in found})
    text = f"{counted(functions, 'function')} would lose a live image to a lifecycle policy."
    address, as_of = f"{reverse('functions')}?needs=endangered", forecast_at()
    return {
        **paged(request, address, text, asked, total=len(found), at=(number, pages), as_of=as_of),
        "risks": [danger_line(row) for row in found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]],
    }
