"""Settings: everybody with an account, what they may and what acts for them; administrators change what they may."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST, require_safe

from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.services.inventory.tables.people import people_table
from functions_app.services.people import people_list, person_groups
from functions_app.services.people.people_list import NONE
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import HtmxHttpRequest, actor_of, explained, page, status_of
from functions_app.web.page_links import table_links

MEANINGS = (
    ("viewer", "looks at everything and changes nothing"),
    ("operator", "deploys, patches, invokes, rolls back"),
    ("approver", "an operator who also agrees to what others have planned"),
    ("administrator", "settles accounts and people, and is everything else"),
)
GROUPS = (*(name for name, _ in MEANINGS), NONE)
MEANWHILE = "What {} may was changed since this page was read. Nothing was changed now."


@require_safe
def listed(request: HtmxHttpRequest) -> HttpResponseBase:
    """Everybody; for administrators."""
    people_list.require_administrator(actor_of(request))
    if wants_table(request):
        return table_answer(request, people_table())
    return _show(request)


@require_POST
def change(request: HtmxHttpRequest, name: str) -> HttpResponse:
    """Have somebody be `group` and nothing else, if they still are what the form was made from (`was`)."""
    actor, group = actor_of(request), request.POST.get("group", "")
    people_list.require_administrator(actor, person_groups.ACTION, name)
    if group not in GROUPS:
        return _show(request, Problem(Code.INVALID, f"A person is {', '.join(GROUPS[:-1])} or {NONE}.", ""))
    try:
        with transaction.atomic():
            person_groups.hold_administrators()
            person = get_object_or_404(User.objects.select_for_update(), username=name)
            if request.POST.get("was", group) not in (group, people_list.group_of(person)):
                raise DrydockError(Code.CHANGED, MEANWHILE.format(name), next_step="Look at the list, and decide anew.")
            person_groups.require_another_administrator(person, group)
            result = person_groups.settle(person, group, actor)
    except DrydockError as error:
        return _show(request, error.problem)
    messages.success(request, f"{name} {result}.")
    return redirect("people")


def _show(request: HtmxHttpRequest, problem: Problem | None = None) -> HttpResponse:
    rows = people_list.with_what_acts_for_them()
    context = {
        "tab": "people",
        "rows": rows,
        "tables": table_links(QueryDict()),
        "allowed": sum(row.group != NONE for row in rows),
        "groups": GROUPS,
        "meanings": MEANINGS,
        **explained(problem),
    }
    return page(request, "people/people.html", context, status=status_of(problem))


urlpatterns: list[URLPattern] = [
    path("settings/people/", listed, name="people"),
    path("settings/people/<str:name>/", change, name="person-change"),
]
