"""Settings: the accounts, their regions with age and problem; adding and changing them; the Sync button's address."""

from dataclasses import replace

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from functions_app.domain.changes.approvals import Approval
from functions_app.domain.fleet.account_colours import COLOURS, FIRST, next_colour
from functions_app.models import Account
from functions_app.services.inventory.tables.settings import account_table
from functions_app.services.people import account_settings, accounts
from functions_app.services.people.account_settings import AccountDraft
from functions_app.services.snapshot import account_rules
from functions_app.services.sync import run as sync
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required, page
from functions_app.web.page_links import table_links

LIST, FORM = "accounts/list.html", "accounts/form.html"
BLANK = AccountDraft("", "", FIRST, (), "", "", enabled=True)


@require_safe
def account_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """All accounts with their regions, how old each is and what went wrong last; as CSV and JSON, too."""
    if wants_table(request):
        return table_answer(request, account_table(actor_of(request).reach))
    rows = account_settings.listing()
    context = {
        "rows": rows,
        "total": len(rows),
        "administrator": request.user.is_superuser,
        "production": accounts.default_production(),
        "tables": table_links(QueryDict()),
    }
    return page(request, LIST, context)


@require_http_methods(["GET", "HEAD", "POST"])
def account_add(request: HtmxHttpRequest) -> HttpResponse:
    """The form for a new account; administrators only."""
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def account_edit(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The form for an account that is there; administrators only."""
    return _edit(request, get_object_or_404(Account, pk=pk))


def _edit(request: HtmxHttpRequest, existing: Account | None) -> HttpResponse:
    action = "account.change" if request.method == "POST" else ""  # who only looks does nothing
    account_settings.require_administrator(actor_of(request), action)
    draft = AccountDraft.of(existing) if existing else _blank()
    wrong: dict[str, str] = {}
    if request.method == "POST":
        draft = AccountDraft.from_form(request.POST)
        wrong = account_settings.faults(draft, existing)
        if not wrong:
            account_rules.save(draft, actor_of(request), existing)
            return HttpResponseRedirect(reverse("accounts"))
    context = {
        "account": existing,
        "draft": draft,
        "wrong": wrong,
        "colours": COLOURS,
        "production": accounts.default_production(),
        "approvals": [(each.value, each.label) for each in Approval],
    }
    return page(request, FORM, context, partial="form", status=400 if wrong else 200)


def _blank() -> AccountDraft:
    taken = Account.objects.values_list("colour", flat=True)
    return replace(BLANK, colour=next_colour(list(taken)))


@operator_required
def start_sync(request: HtmxHttpRequest) -> HttpResponse:
    """Start a sync of all accounts and show its run; where one is under way already, that is said (BUSY)."""
    run = sync.submit(actor_of(request))
    target = reverse("run", args=[run.pk])
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


urlpatterns: list[URLPattern] = [
    path("settings/accounts/", account_list, name="accounts"),
    path("settings/accounts/add/", account_add, name="account-add"),
    path("settings/accounts/<int:pk>/", account_edit, name="account-edit"),
    path("sync/", start_sync, name="sync"),
]
