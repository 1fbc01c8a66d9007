"""The audit table: who did what, with which plan and result; refused attempts too."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from functions_app.models import AuditEntry
from functions_app.web import run_parts
from functions_app.web.http import page
from functions_app.web.pages import page_links

PAGE = 50


@require_safe
def audit_list(request: HttpRequest) -> HttpResponse:
    """Entries, the newest first, by person and by a word of action or target. Two queries."""
    person, about = request.GET.get("person", "").strip(), request.GET.get("about", "").strip()
    found = AuditEntry.objects.all()
    if person:
        found = found.filter(actor_name__icontains=person)
    if about:
        found = found.filter(Q(action__icontains=about) | Q(target__icontains=about))
    paginator = Paginator(found, PAGE)
    current = paginator.get_page(request.GET.get("page"))

    def href(number: int) -> str:
        query = {"person": person, "about": about, "page": number}
        return "?" + urlencode({name: value for name, value in query.items() if value})

    rows = [
        {
            "at": entry.at,
            "actor_name": entry.actor_name,
            "action": entry.action,
            "target": entry.target,
            "result": entry.result,
            "run_id": entry.run_id,
            "facts": run_parts.facts(entry.plan),
        }
        for entry in current
    ]
    context = {
        "rows": rows,
        "total": paginator.count,
        "pages": page_links(current.number, paginator.num_pages, href),
        "person": person,
        "about": about,
    }
    return page(request, "audit/list.html", context)


urlpatterns: list[URLPattern] = [path("audit/", audit_list, name="audit")]
