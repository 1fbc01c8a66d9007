"""Base images: the streams, and one stream with its releases and who runs them."""

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from functions_app import clock
from functions_app.models import BaseStream
from functions_app.services.bases.poll_schedule import submit_poll
from functions_app.services.inventory.bases.base import BasePage, Wanted, base_page
from functions_app.services.inventory.bases.base_list import base_list
from functions_app.services.inventory.beginning import beginning
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.tables.bases import base_table, base_user_table, release_table
from functions_app.streams.table_download import USERS, table_answer, wants_table, wants_users
from functions_app.web.html.timeline import drawn
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required, page
from functions_app.web.page_links import page_links, table_links

LIST, DETAIL = "bases/list.html", "bases/detail.html"


@require_safe
def streams(request: HtmxHttpRequest) -> HttpResponseBase:
    """All streams: those in use first, the others folded; as CSV and JSON, too."""
    now = clock.now()
    if wants_table(request):
        return table_answer(request, base_table(now))
    status, found = fleet_status(now), base_list(now)
    standing = any(row.tally.total for row in found.used)
    first = None if standing else beginning(status, int(found.unknown > 0))
    known = standing or (bool(status.synced_at) and not (first and not first.read))
    context = {"fleet": status, "found": found, "beginning": first, "standing": standing, "users_known": known}
    context["tables"] = table_links(request.GET)
    return page(request, LIST, context)


@require_safe
def stream(request: HtmxHttpRequest, pk: int) -> HttpResponseBase:
    """One stream: how things stand, the timeline, its releases, who runs which; the two lists as CSV and JSON, too."""
    wanted = read_wanted(request.GET)
    now = clock.now()
    if wants_table(request) and wants_users(request):
        accounts = fleet_status(now).accounts
        return table_answer(request, base_user_table(pk, wanted.release, wanted.account, accounts, now))
    if wants_table(request):
        return table_answer(request, release_table(get_object_or_404(BaseStream, pk=pk), wanted.platform, now.date()))
    status = fleet_status(now)
    found = base_page(pk, wanted, status.accounts, now)
    newest_first = found.marks[::-1]
    older = [mark for mark in newest_first if not mark.current]
    context = {
        "fleet": status,
        "found": found,
        "stream": found.stream,
        "wanted": wanted,
        "narrowed": (wanted.release, wanted.account) != (None, None),
        "newest_first": newest_first,
        "drawn": drawn(found.marks),
        "tables": table_links(request.GET),
        "user_tables": table_links(request.GET, USERS),
        "release_pages": page_links(
            found.releases_page, found.releases_pages, lambda number: _href(found, wanted, releases=number)
        ),
        "user_pages": page_links(
            found.users_page, found.users_pages, lambda number: _href(found, wanted, page=number) + "#who"
        ),
        "compare_from": next((mark.pk for mark in older if mark.aliases), older[0].pk if older else None),
    }
    return page(request, DETAIL, context)


@require_safe
def named(request: HtmxHttpRequest, name: str) -> HttpResponse:
    """Lead on to the stream of this name: the functions list knows no more of it."""
    del request
    return HttpResponseRedirect(reverse("base", args=[get_object_or_404(BaseStream, name=name).pk]))


def read_wanted(query: QueryDict) -> Wanted:
    """Read the address; what is no number asks for nothing."""
    return Wanted(
        platform=query.get("platform", "")[:60],
        release=number(query, "release"),
        account=number(query, "account"),
        releases_page=number(query, "releases") or 1,
        users_page=number(query, "page") or 1,
    )


def number(query: QueryDict, name: str) -> int | None:
    """A whole number of the address, None where there is none."""
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _href(found: BasePage, wanted: Wanted, **changed: int) -> str:
    query: dict[str, str | int | None] = {
        "platform": found.platform,
        "release": wanted.release,
        "account": wanted.account,
        "releases": found.releases_page,
        "page": found.users_page,
        **changed,
    }
    plain = {"releases": 1, "page": 1}
    kept = {name: value for name, value in query.items() if value not in (None, "") and value != plain.get(name)}
    return f"?{urlencode(kept)}"


@operator_required
def poll(request: HtmxHttpRequest) -> HttpResponse:
    """Read the tags of all streams, or of one, now and show the run; one that is under way is said (BUSY)."""
    only = number(request.POST, "stream")
    run = submit_poll(actor_of(request), None if only is None else [only])
    target = reverse("run", args=[run.pk])
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


urlpatterns: list[URLPattern] = [
    path("bases/", streams, name="bases"),
    path("bases/poll/", poll, name="base-poll"),
    path("bases/named/<path:name>/", named, name="base-named"),
    path("bases/<int:pk>/", stream, name="base"),
]
