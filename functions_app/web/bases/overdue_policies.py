"""Settings: how long a stale base may stay until it is overdue, by account and tag."""

from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from functions_app.models import Account, FreshnessPolicy
from functions_app.services.bases import overdue_policies
from functions_app.services.bases.overdue_policies import PolicyDraft
from functions_app.services.inventory.tables.bases import policy_table
from functions_app.services.people import access
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required, page
from functions_app.web.page_links import table_links

LIST, FORM = "policies/list.html", "policies/form.html"
BLANK = PolicyDraft("", "", "", "30", "")


@require_safe
def policy_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """All policies, the default first; as CSV and JSON, too."""
    if wants_table(request):
        return table_answer(request, policy_table())
    rows = overdue_policies.listing()
    default = any(row.is_default for row in rows)
    return page(request, LIST, {"rows": rows, "default": default, "tables": table_links(request.GET)})


@require_http_methods(["GET", "HEAD", "POST"])
def policy_add(request: HtmxHttpRequest) -> HttpResponse:
    """The form for a new policy; operators only."""
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def policy_edit(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The form for a policy that is there; operators only."""
    return _edit(request, get_object_or_404(FreshnessPolicy, pk=pk))


def _edit(request: HtmxHttpRequest, existing: FreshnessPolicy | None) -> HttpResponse:
    action = "freshness_policy.save" if request.method == "POST" else ""  # who only looks does nothing
    access.require_operator(actor_of(request), action, str(existing or "new policy"))
    draft = PolicyDraft.of(existing) if existing else BLANK
    wrong: dict[str, str] = {}
    if request.method == "POST":
        draft = PolicyDraft.from_form(request.POST)
        wrong = overdue_policies.faults(draft, existing)
        if not wrong:
            overdue_policies.save(draft, actor_of(request), existing)
            return HttpResponseRedirect(reverse("policies"))
    context = {
        "policy": existing,
        "draft": draft,
        "wrong": wrong,
        "accounts": [(str(pk), name) for pk, name in Account.objects.values_list("pk", "name")],
    }
    return page(request, FORM, context, partial="form", status=400 if wrong else 200)


@operator_required
def policy_delete(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Take a policy away."""
    overdue_policies.delete(get_object_or_404(FreshnessPolicy, pk=pk), actor_of(request))
    return HttpResponseRedirect(reverse("policies"))


urlpatterns: list[URLPattern] = [
    path("settings/freshness/", policy_list, name="policies"),
    path("settings/freshness/add/", policy_add, name="policy-add"),
    path("settings/freshness/<int:pk>/", policy_edit, name="policy-edit"),
    path("settings/freshness/<int:pk>/delete/", policy_delete, name="policy-delete"),
]
