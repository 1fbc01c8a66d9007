"""Plan to bring functions forward to a newer base release: the plan's page and its export."""

import json
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from functions_app.domain.changes.patching.patch_lists import Entry, PatchList, Way
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import counted
from functions_app.models import BaseStream
from functions_app.services.changes import patch_list
from functions_app.services.engine import plan_ends
from functions_app.services.inventory.tables.bases import patch_table
from functions_app.services.people import selections
from functions_app.streams.table_download import table_answer
from functions_app.web.bases.bases import number
from functions_app.web.html.looks import Look, look
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required, page
from functions_app.web.page_links import page_links, page_number

PLAN = "bases/patch_list.html"
ENTRIES = 100  # a page of the plan


@operator_required
def plan(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Freeze what is behind now, or what is of a selection, as a plan, and go to it."""
    stream, actor = get_object_or_404(BaseStream, pk=pk), actor_of(request)
    made = patch_list.plan(
        stream,
        actor,
        release_id=number(request.POST, "release"),
        account_id=number(request.POST, "account"),
        functions=_chosen(request),
    )
    return HttpResponseRedirect(reverse("base-plan", args=[made.pk]))


def _chosen(request: HtmxHttpRequest) -> list[int] | None:
    """The functions of the selection that is named; None where none is. Raises NOT_FOUND."""
    named = request.POST.get("selection", "")
    if not named:
        return None
    try:
        selection_id = UUID(named)
    except ValueError as error:
        raise DrydockError(
            Code.NOT_FOUND, "There is no such selection.", next_step="Select the functions again."
        ) from error
    return [*selections.load(selection_id, actor_of(request)).functions]


@require_safe
def show_plan(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """The frozen list: how many, by which way, and one page of its entries grouped by account."""
    stored, made = patch_list.load(plan_id)
    pages = max(1, -(-len(made.entries) // ENTRIES))
    at = min(max(1, page_number(request.GET)), pages)
    context = {
        "stored": stored,
        "plan": made,
        "expired": plan_ends.is_over(stored),
        "ways": [(look(Way, way), made.count(way)) for way in Way if made.count(way)],
        "accounts": _accounts(made),
        "groups": _groups(made.entries[(at - 1) * ENTRIES : at * ENTRIES]),
        "overdue": len({entry.place.function_id for entry in made.entries if entry.place.overdue}),
        "pages": page_links(at, pages, lambda number: f"?page={number}"),
    }
    return page(request, PLAN, context)


def _accounts(made: PatchList) -> list[str]:
    functions: dict[str, set[int]] = {}
    for entry in made.entries:
        functions.setdefault(entry.place.account, set()).add(entry.place.function_id)
    return [f"{name}: {counted(len(ids), 'function')}" for name, ids in functions.items()]


def _groups(entries: tuple[Entry, ...]) -> list[tuple[str, list[tuple[Entry, Look]]]]:
    """Entries by account, each with how its way looks."""
    groups: dict[str, list[tuple[Entry, Look]]] = {}
    for entry in entries:
        groups.setdefault(entry.place.account, []).append((entry, look(Way, entry.way)))
    return list(groups.items())


@require_safe
def export_csv(request: HtmxHttpRequest, plan_id: UUID) -> StreamingHttpResponse:
    """Exactly the plan's list as CSV."""
    _, made = patch_list.load(plan_id)
    return table_answer(request, patch_table(f"patch-{plan_id}", made))


@require_safe
def export_json(request: HtmxHttpRequest, plan_id: UUID) -> HttpResponse:
    """Exactly the plan's list as JSON."""
    stored, made = patch_list.load(plan_id)
    document = {
        "plan": str(stored.pk),
        "stream": made.stream,
        "made_at": made.made_at.isoformat(),
        "expires_at": stored.expires_at.isoformat(),
        "entries": [_row(entry) for entry in made.entries],
    }
    return _download(json.dumps(document, indent=1), "application/json", f"patch-{plan_id}.json")


def _row(entry: Entry) -> dict[str, object]:
    return {**entry.as_json(), "warning": entry.warning}


def _download(text: str, content_type: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(text, content_type=content_type, headers=headers)


urlpatterns: list[URLPattern] = [
    path("bases/<int:pk>/patch/", plan, name="base-patch"),
    path("bases/patch/<uuid:plan_id>/", show_plan, name="base-plan"),
    path("bases/patch/<uuid:plan_id>/list.csv", export_csv, name="base-plan-csv"),
    path("bases/patch/<uuid:plan_id>/list.json", export_json, name="base-plan-json"),
]
