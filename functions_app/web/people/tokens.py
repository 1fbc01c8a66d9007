"""Settings: one's own API tokens; an administrator sees everybody's."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_POST

from functions_app import clock
from functions_app.domain.errors import DrydockError, Problem
from functions_app.domain.tokens import TokenScope
from functions_app.models import ApiToken
from functions_app.services.inventory.tables.people import token_table
from functions_app.services.people import access, tokens
from functions_app.services.people.tokens import Made, Wanted
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import HtmxHttpRequest, actor_of, explained, page, status_of
from functions_app.web.page_links import number_in, page_links, page_number, table_links

SCOPES = (
    (TokenScope.READ, "look at everything that its person may look at"),
    (TokenScope.INVOKE, "call functions"),
    (TokenScope.DEPLOY_NONPROD, "new images and roll-backs where no production traffic runs"),
    (TokenScope.DEPLOY_PROD, "change aliases that carry production traffic"),
    (TokenScope.PATCH, "put functions onto patched bases, and take that back"),
    (TokenScope.APPROVE, "agree to what others have planned, where that is asked"),
    (TokenScope.ADMIN, "settle accounts and people"),
)
DAYS = (7, 30, 90, 365)


@dataclass(frozen=True)
class Row:
    """A token as the list shows it."""

    token: ApiToken
    over: str  # "revoked", "expired", or ""
    own: bool  # who looks at it is whose it is


@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """GET: the tokens and the form. POST: make one; its text is on the page that answers, and nowhere after."""
    if wants_table(request) and request.method != "POST":
        return table_answer(request, token_table(actor_of(request)))
    if request.method != "POST":
        return _show(request)
    given = request.POST
    wanted = Wanted(
        name=given.get("name", ""),
        scopes=given.getlist("scope"),
        days=number_in(given.get("days", "")) or tokens.USUAL.days,
        accounts=given.get("accounts", "").replace(",", " ").split() or None,
        functions=given.get("functions", "").replace(",", " ").split() or None,
        networks=given.get("networks", ""),
    )
    try:
        made = tokens.make(wanted, actor_of(request))
    except DrydockError as error:
        return _show(request, wanted=wanted, problem=error.problem)
    return _show(request, made=made)


@require_http_methods(["GET", "HEAD", "POST"])
def token_rotate(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Another text for it, shown this once. GET, as by a reload: the list."""
    if request.method != "POST":
        return redirect("tokens")
    return _show(request, made=tokens.rotate(pk, actor_of(request)), rotated=True)


@require_POST
def token_revoke(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """End it at once."""
    tokens.revoke(pk, actor_of(request))
    return redirect("tokens")


def _show(
    request: HtmxHttpRequest,
    *,
    made: Made | None = None,
    rotated: bool = False,
    wanted: Wanted | None = None,
    problem: Problem | None = None,
) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    found = tokens.listed(actor, page_number(request.GET))
    context = {
        "tab": "tokens",
        "rows": [Row(row, _over(row, now), row.person == actor.person) for row in found.rows],
        "pages": page_links(found.number, found.last, lambda number: f"?page={number}"),
        "tables": table_links(QueryDict()),
        "living": tokens.in_use(actor),
        "everybody": access.is_administrator(actor),
        "made": made,
        "rotated": rotated,
        "wanted": wanted,
        "typed": request.POST if wanted else {},
        "scopes": [(scope, words) for scope, words in SCOPES if scope in access.usable_scopes(actor)],
        "days": DAYS,
        "chosen_days": wanted.days if wanted else tokens.USUAL.days,
        **explained(problem),
    }
    return page(request, "people/tokens.html", context, status=status_of(problem))


def _over(row: ApiToken, now: datetime) -> str:
    return "revoked" if row.revoked_at else "expired" if row.expires_at <= now else ""


urlpatterns: list[URLPattern] = [
    path("settings/tokens/", token_list, name="tokens"),
    path("settings/tokens/<int:pk>/rotate/", token_rotate, name="token-rotate"),
    path("settings/tokens/<int:pk>/revoke/", token_revoke, name="token-revoke"),
]
