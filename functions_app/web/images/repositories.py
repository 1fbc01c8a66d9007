"""Repositories and their images."""

from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from functions_app import clock
from functions_app.domain.pasted.reading import brief
from functions_app.domain.text import storable
from functions_app.services.inventory.beginning import beginning
from functions_app.services.inventory.fleet.list_filter import SEARCH_LENGTH
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.images import forecast
from functions_app.services.inventory.images.repositories import repositories
from functions_app.services.inventory.images.repository import artifacts, repository
from functions_app.services.inventory.images.search import find_images
from functions_app.services.inventory.tables.images import image_table, repository_table
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import HtmxHttpRequest, page
from functions_app.web.page_links import page_links, page_number, table_links


@require_safe
def repository_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """All repositories, with a search that filters in place and finds images by digest or tag, too; as CSV and JSON."""
    search = brief(storable(request.GET.get("search", "")).strip(), SEARCH_LENGTH)
    if wants_table(request):
        return table_answer(request, repository_table(search))
    rows, total, number, pages = repositories(search, page_number(request.GET))
    kept = [("search", search)] if search else []
    status = fleet_status(clock.now())
    # Whether there are functions is asked of their own list.
    looked = bool(search and status.synced_at)  # a search of nothing says nothing
    first = beginning(status, 1) if not (rows or looked) else None
    context = {
        "fleet": status,
        "beginning": first,
        "looked": looked,
        "unread": not (rows or looked) and (first is not None or not status.synced_at),
        "search": search,
        "rows": rows,
        "images": find_images(search),
        "total": total,
        "tables": table_links(request.GET),
        "pages": page_links(number, pages, lambda number: f"?{urlencode([*kept, ('page', str(number))])}"),
    }
    return page(request, "repositories/list.html", context)


@require_safe
def repository_detail(request: HtmxHttpRequest, pk: int) -> HttpResponseBase:
    """One repository's images and who uses each; as CSV and JSON, too."""
    head, rows, number, pages = repository(pk, page_number(request.GET))
    if wants_table(request):
        return table_answer(request, image_table(head.repository))
    context = {
        "head": head,
        "tables": table_links(request.GET),
        "forecast": forecast.forecast(pk),
        "rows": rows,
        "artifacts": artifacts(pk) if head.sums.artifacts else (),
        "pages": page_links(number, pages, lambda number: f"?page={number}"),
    }
    return page(request, "repositories/detail.html", context)


urlpatterns = [
    path("repositories/", repository_list, name="repositories"),
    path("repositories/<int:pk>/", repository_detail, name="repository"),
]
