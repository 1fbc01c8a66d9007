"""Functions that somebody chose in the list: frozen, and what is done with exactly those."""

from collections.abc import Sequence
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe

from functions_app import clock
from functions_app.domain.fleet.selections import COPIED, MOST, READ_AT_ONCE, too_many
from functions_app.services.inventory.fleet.function_list import keys_of
from functions_app.services.inventory.fleet.list_filter import read_filter
from functions_app.services.inventory.fleet.selection import selection_page, there
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.tables.fleet import chosen_table
from functions_app.services.people import access, selections
from functions_app.services.sync import single_functions
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required, page
from functions_app.web.page_links import page_links, page_number, table_links


@require_http_methods(["GET", "HEAD", "POST"])
def select(request: HtmxHttpRequest) -> HttpResponse:
    """Freeze what is ticked, or all that the filter finds at this moment, and go to it. GET: back to the list."""
    if request.method != "POST":
        return redirect("functions")
    actor, given = actor_of(request), request.POST
    every = given.get("take") == "all"
    keys = found_by(given.get("query", "")) if every else there(ticked(given.getlist("function")))
    return redirect("selection", selection_id=selections.freeze(keys, actor).pk)


def found_by(query: str) -> list[int]:
    """What a filter, as it stands in an address, finds now; one more than may be chosen at most."""
    wanted = read_filter(QueryDict(query), fleet_status(clock.now()).accounts)
    return list(keys_of(wanted, clock.now().date())[: MOST + 1])


def ticked(values: Sequence[str]) -> list[int]:
    """The keys among what was sent."""
    return [int(value) for value in values[: MOST + 1] if value.isascii() and value.isdigit() and len(value) < 16]


@require_safe
def show(request: HtmxHttpRequest, selection_id: UUID) -> HttpResponseBase:
    """What was chosen, and what can be done with it; as CSV and JSON, too."""
    chosen = selections.load(selection_id, actor_of(request))
    if wants_table(request):
        return table_answer(request, chosen_table(f"selection-{chosen.pk}", chosen.functions))
    status = fleet_status(clock.now())
    found = selection_page(chosen, page_number(request.GET))
    accounts = {fact.pk: fact for fact in status.accounts}
    context = {
        "fleet": status,
        "selection": chosen,
        "found": found,
        "rows": [(row, accounts.get(row.account)) for row in found.rows],
        "may_change": access.is_operator(actor_of(request)),
        "not_read": too_many(found.total, READ_AT_ONCE, "A sync of single functions"),
        "copied_most": COPIED if found.total > COPIED else 0,
        "tables": table_links(QueryDict()),
        "pages": page_links(found.page, found.pages, lambda number: f"?page={number}"),
    }
    return page(request, "functions/selection.html", context)


@operator_required
def sync(request: HtmxHttpRequest, selection_id: UUID) -> HttpResponse:
    """Read exactly these anew, and show the run."""
    actor = actor_of(request)
    run = single_functions.submit(selections.load(selection_id, actor, "sync.start").functions, actor)
    return redirect("run", pk=run.pk)


urlpatterns: list[URLPattern] = [
    path("functions/selection/", select, name="select"),
    path("functions/selection/<uuid:selection_id>/", show, name="selection"),
    path("functions/selection/<uuid:selection_id>/sync/", sync, name="selection-sync"),
]
