"""The views of the functions list that people keep: all of them, one kept, taken away, made the one it opens with."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from functions_app import clock
from functions_app.domain.errors import DrydockError, Problem
from functions_app.services.inventory.fleet.list_filter import as_pairs, lost, read_filter
from functions_app.services.inventory.fleet_status import AccountFact, fleet_status
from functions_app.services.inventory.tables.settings import view_table
from functions_app.services.people import access, views
from functions_app.services.people.grids import grid_for
from functions_app.services.people.views import Draft
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.fleet.function_list import EVERYTHING, chosen_words
from functions_app.web.html.function_row import TITLES
from functions_app.web.http import HtmxHttpRequest, actor_of, explained, page, status_of
from functions_app.web.page_links import number_in, page_links, page_number, table_links


@require_http_methods(["GET", "HEAD", "POST"])
def view_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """GET: the views, and a form to keep the filter that `of` has. POST: keep one, and go to it."""
    if wants_table(request) and request.method != "POST":
        return table_answer(request, view_table(actor_of(request)))
    if request.method != "POST":
        return _show(request, request.GET.get("of", ""))
    given = request.POST
    query = given.get("query", "")
    if "columns" in given:
        query += "&" + urlencode([("column", name) for name in grid_for(request.user).columns])
    draft = Draft(given.get("name", ""), query, "shared" in given, "default" in given)
    try:
        view = views.save(draft, actor_of(request))
    except DrydockError as error:
        return _show(request, draft.query, draft, error.problem)
    messages.success(request, f"The view {view.name} is saved.")
    return redirect(f"{reverse('functions')}?{view.query or urlencode([EVERYTHING])}")


@require_POST
def view_remove(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Take one away."""
    views.remove(pk, actor_of(request))
    return redirect("views")


@require_POST
def view_default(request: HtmxHttpRequest) -> HttpResponse:
    """Have one's list open with a view, or with all functions where none is named."""
    views.open_with(number_in(request.POST.get("view", "")) or None, actor_of(request))
    return redirect("views")


def _show(
    request: HtmxHttpRequest, query: str, draft: Draft | None = None, problem: Problem | None = None
) -> HttpResponse:
    actor, status = actor_of(request), fleet_status(clock.now())
    accounts = status.accounts
    found = views.listed(actor, page_number(request.GET))
    context = {
        "fleet": status,
        "rows": [(view, _words(view.query, accounts), lost(view.query, accounts)) for view in found.rows],
        "total": found.total,
        "tables": table_links(QueryDict()),
        "pages": page_links(found.number, found.last, lambda number: f"?page={number}"),
        "of": query,
        "of_words": _words(query, accounts),
        "own_columns": "" if "column" in QueryDict(query) else _titles(grid_for(request.user).columns),
        "draft": draft,
        "may_share": access.is_operator(actor),
        "administrator": access.is_administrator(actor),
        "opens_with": views.default_of(actor) is not None,
        "all": urlencode([EVERYTHING]),
        **explained(problem),
    }
    return page(request, "functions/views.html", context, status=status_of(problem))


def _words(query: str, accounts: tuple[AccountFact, ...]) -> str:
    """What a view shows, in words."""
    wanted = read_filter(QueryDict(query), accounts)
    words = [f"{title}: {value}" for title, value, _ in chosen_words(as_pairs(wanted, accounts))] or ["all functions"]
    return "; ".join([*words, f"columns: {_titles(wanted.columns)}"] if wanted.columns else words)


def _titles(columns: Sequence[str]) -> str:
    return ", ".join(TITLES[name] for name in columns)


urlpatterns: list[URLPattern] = [
    path("functions/views/", view_list, name="views"),
    path("functions/views/default/", view_default, name="view-default"),
    path("functions/views/<int:pk>/remove/", view_remove, name="view-remove"),
]
