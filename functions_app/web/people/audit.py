"""The audit table: who did what, with which plan and result; refused attempts too."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from functions_app.domain.text import storable
from functions_app.services.inventory.audit import AuditFilter, audit_list
from functions_app.services.inventory.tables.history import audit_table
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import page
from functions_app.web.misread import misread
from functions_app.web.page_links import page_links, page_number, table_links


@require_safe
def listed(request: HttpRequest) -> HttpResponseBase:
    """Entries, the newest first, by person and by a word of action or target; all of them as CSV and JSON."""
    said = misread(request, {"person": None, "about": None})
    wanted = AuditFilter(*(storable(request.GET.get(name, "")).strip()[:400] for name in ("person", "about")))
    if wants_table(request):
        return table_answer(request, audit_table(wanted))
    found = audit_list(wanted, page_number(request.GET))

    def href(number: int) -> str:
        query = {"person": wanted.person, "about": wanted.about, "page": number}
        return "?" + urlencode({name: value for name, value in query.items() if value})

    context = {
        "misread": said,
        "rows": found.rows,
        "total": found.total,
        "tables": table_links(request.GET),
        "pages": page_links(found.number, found.last, href),
        "person": wanted.person,
        "about": wanted.about,
    }
    return page(request, "audit/list.html", context)


urlpatterns: list[URLPattern] = [path("audit/", listed, name="audit")]
