"""Settings: what is planned or deployed once a tag is pushed."""

from django.http import HttpResponse, HttpResponseNotAllowed, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from functions_app.domain.errors import DrydockError, Problem
from functions_app.domain.text import storable
from functions_app.models import PushRule
from functions_app.services.changes import push_rules
from functions_app.services.inventory.fleet import addressing
from functions_app.services.inventory.tables.settings import rule_table
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import HtmxHttpRequest, actor_of, explained, operator_required, page, status_of
from functions_app.web.page_links import table_links
from functions_app.web.waiting import waits_for_aws

FIELDS = ("function", "alias", "image", "mode", "confirm")


@waits_for_aws
def rules(request: HtmxHttpRequest) -> HttpResponseBase:
    """GET: the rules and the form. POST: make one; a mistake shows the form again with what was typed."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    if wants_table(request) and request.method != "POST":
        return table_answer(request, rule_table(actor_of(request)))
    return _make(request) if request.method == "POST" else _show(request)


@operator_required
def _make(request: HtmxHttpRequest) -> HttpResponse:
    typed = {name: storable(request.POST.get(name, "")).strip()[:600] for name in FIELDS}
    actor = actor_of(request)
    try:
        named = addressing.find(typed["function"], actor)
        alias = typed["alias"] or named.qualifier
        push_rules.make(named.function, alias, typed["image"], typed["mode"], actor, typed["confirm"])
    except DrydockError as error:
        if request.htmx:
            raise
        return _show(request, typed, error.problem)
    return redirect("push-rules")


@require_POST
@operator_required
def remove(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Take a rule away."""
    push_rules.remove(pk, actor_of(request))
    return redirect("push-rules")


def _show(
    request: HtmxHttpRequest, typed: dict[str, str] | None = None, problem: Problem | None = None
) -> HttpResponse:
    given = {name: storable(request.GET.get(name, ""))[:600] for name in FIELDS}
    context = {
        "rows": push_rules.listed(actor_of(request)),
        "tables": table_links(QueryDict()),
        "typed": typed or given,
        "modes": PushRule.Mode.values,
        **explained(problem),
    }
    return page(request, "push_rules/list.html", context, status=status_of(problem))


urlpatterns: list[URLPattern] = [
    path("settings/pushes/", rules, name="push-rules"),
    path("settings/pushes/<int:pk>/remove/", remove, name="push-rule-remove"),
]
