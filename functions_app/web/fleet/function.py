"""The pages of one function: versions with the chain, image, activity. Deploy and invoke have files of their own."""

from dataclasses import dataclass

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from functions_app import clock
from functions_app.services.inventory.fleet.activity import function_activity
from functions_app.services.inventory.fleet.function import (
    FunctionHead,
    FunctionVersions,
    Lane,
    VersionRow,
    configuration,
    function_head,
    function_versions,
    overridden,
)
from functions_app.services.inventory.fleet.ways_back import ways_back
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.images.image import function_images, image_facts, image_row
from functions_app.services.inventory.patches import last_patch
from functions_app.services.inventory.tables.fleet import version_table
from functions_app.services.inventory.tables.history import move_table
from functions_app.services.people import access
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.html import chains
from functions_app.web.html.amounts import percent
from functions_app.web.http import HtmxHttpRequest, actor_of, page
from functions_app.web.images.size_words import layer_words, size_words
from functions_app.web.page_links import page_links, page_number, table_links

COLUMNS = 6  # with more aliases than that, the matrix names them in one column


@dataclass(frozen=True)
class MatrixRow:
    """A version and, alias by alias, the share of calls it gets ("" for none)."""

    row: VersionRow
    cells: tuple[str, ...]
    aliases: tuple[str, ...]


@require_safe
def versions(request: HtmxHttpRequest, pk: int) -> HttpResponseBase:
    """The chain, and versions x aliases (as CSV and JSON, too); an open page follows what changes."""
    status = fleet_status(clock.now())
    head = function_head(pk)
    if wants_table(request):
        return table_answer(request, version_table(pk))
    found = function_versions(pk, page_number(request.GET))
    context = {
        "fleet": status,
        "function": head,
        "tab": "versions",
        "lanes": chains.lanes(found.lanes),
        "live": _first_with_image(found, head),
        "ways_back": ways_back(pk),
        "last": last_patch(pk),
        "may_change": access.is_operator(actor_of(request)),
        "aliases": found.aliases if len(found.aliases) <= COLUMNS else (),
        "matrix": [_matrix_row(row, found.aliases) for row in found.rows],
        "total": found.total,
        "tables": table_links(request.GET),
        "pages": page_links(found.page, found.pages, lambda number: f"?page={number}"),
    }
    return page(request, "functions/versions.html", context)


def _first_with_image(found: FunctionVersions, head: FunctionHead) -> Lane | None:
    """The lane of the first alias, production's before others, whose image is known."""
    named = head.production.first(found.aliases)
    lanes = (lane for alias in named for lane in found.lanes if lane.alias == alias)
    return next((lane for lane in lanes if lane.row and lane.row.image), None)


def _matrix_row(row: VersionRow, aliases: tuple[str, ...]) -> MatrixRow:
    shares = {share.alias: percent(share.weight) for share in row.shares}
    named = tuple(f"{alias} {share}" for alias, share in shares.items())
    return MatrixRow(row, tuple(shares.get(alias, "") for alias in aliases), named)


@require_safe
def image(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The facts of one version's image: that of `?version=`, else of what is live, production's first."""
    head = function_head(pk)
    known = function_images(pk)
    settings = configuration(pk)
    wanted = request.GET.get("version", "")
    chosen = next(
        (each.version for each in known if each.version.number == wanted), known[0].version if known else None
    )
    key = chosen.image_id if chosen else None
    versions = [each.version for each in known]
    facts = image_facts(image_row(key), versions, settings["architecture"]) if key else None
    context = {
        "function": head,
        "tab": "image",
        "known": known,
        "chosen": chosen,
        "facts": facts,
        "settings": settings,
        "overridden": overridden(settings["image_settings"]),
        "size_words": size_words(facts) if facts else "",
        "layer_words": layer_words(facts) if facts else "",
    }
    return page(request, "functions/image.html", context)


@require_safe
def activity(request: HtmxHttpRequest, pk: int) -> HttpResponseBase:
    """Runs, alias moves (as CSV and JSON all of them) and audit entries."""
    head = function_head(pk)
    if wants_table(request):
        return table_answer(request, move_table(pk))
    context = {
        "function": head,
        "tab": "activity",
        "activity": function_activity(pk),
        "tables": table_links(QueryDict()),
    }
    return page(request, "functions/activity.html", context)


def address(pk: int) -> str:
    """The address of a function's page."""
    return reverse("function", args=[pk])


urlpatterns = [
    path("functions/<int:pk>/", versions, name="function"),
    path("functions/<int:pk>/image/", image, name="function-image"),
    path("functions/<int:pk>/activity/", activity, name="function-activity"),
]
