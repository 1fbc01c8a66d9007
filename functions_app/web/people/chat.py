"""Settings: which chat users one is, and the code that makes one of them so; an administrator sees everybody's."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_POST

from functions_app.services.chat import links
from functions_app.services.chat.links import Shown
from functions_app.services.inventory.tables.people import link_table
from functions_app.services.people import access
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import HtmxHttpRequest, actor_of, page
from functions_app.web.page_links import number_in, page_links, page_number, table_links


@require_http_methods(["GET", "HEAD", "POST"])
def chat(request: HtmxHttpRequest) -> HttpResponseBase:
    """GET: the links. POST: make a code for a bot; it is on the page that answers, and nowhere after."""
    if wants_table(request) and request.method != "POST":
        return table_answer(request, link_table(actor_of(request)))
    if request.method != "POST":
        return _show(request, None)
    return _show(request, links.make_code(actor_of(request), number_in(request.POST.get("bot", "")) or 0))


@require_POST
def chat_unlink(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """End a link at once."""
    links.unlink(pk, actor_of(request))
    messages.success(request, "That chat user is nobody in particular any more.")
    return redirect("chat")


def _show(request: HtmxHttpRequest, made: Shown | None) -> HttpResponse:
    actor = actor_of(request)
    found = links.listed(actor, page_number(request.GET))
    context = {
        "tab": "chat",
        "rows": found.rows,
        "total": found.total,
        "pages": page_links(found.number, found.last, lambda number: f"?page={number}"),
        "tables": table_links(QueryDict()),
        "everybody": access.is_administrator(actor),
        "made": made,
        "bots": links.bots(),
    }
    return page(request, "people/chat.html", context)


urlpatterns: list[URLPattern] = [
    path("settings/chat/", chat, name="chat"),
    path("settings/chat/<int:pk>/unlink/", chat_unlink, name="chat-unlink"),
]
