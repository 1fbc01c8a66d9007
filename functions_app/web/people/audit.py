"""The audit table: who did what, with which plan and result; refused attempts too."""

from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from functions_app.domain.audit_words import FAMILIES
from functions_app.domain.filters import Known
from functions_app.domain.text import storable
from functions_app.services.inventory.audit import DONE, REFUSED, AuditFilter, audit_list
from functions_app.services.inventory.tables.history import audit_table
from functions_app.services.people import access
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import actor_of, page
from functions_app.web.misread import MOMENT, misread
from functions_app.web.page_links import page_links, page_number, table_links

TEXTS = ("person", "about", "function", "since", "until")
FILTERS: Known = {
    **dict.fromkeys(("person", "about", "function")),
    "kind": tuple(FAMILIES),
    "status": (DONE, REFUSED),
    "since": MOMENT,
    "until": MOMENT,
    "sign_ins": ("yes",),
}


def _read_filter(given: QueryDict, *, addresses: bool) -> AuditFilter:
    """The filter in an address: without sign-ins where it asks for none."""
    kinds = tuple(kind for kind in FAMILIES if kind in given.getlist("kind"))
    status = given.get("status", "")
    return AuditFilter(
        **{name: storable(given.get(name, "")).strip()[:400] for name in TEXTS},
        kind=kinds,
        status=status if status in (DONE, REFUSED) else "",
        sign_ins=given.get("sign_ins") == "yes" or "sign-in" in kinds,
        addresses=addresses,
    )


def _pairs(wanted: AuditFilter, **changed: str) -> str:
    """The filter as an address, with some of it changed."""
    plain = {name: getattr(wanted, name) for name in (*TEXTS, "status")}
    shown = "yes" if wanted.sign_ins and "sign-in" not in wanted.kind else ""
    several = [("kind", kind) for kind in wanted.kind]
    pairs = [*several, *({**plain, "sign_ins": shown, **changed}).items()]
    return "?" + urlencode([(name, value) for name, value in pairs if value])


@require_safe
def listed(request: HttpRequest) -> HttpResponseBase:
    """Entries, the newest first, as the address filters them; all of them as CSV."""
    said = misread(request, FILTERS)
    wanted = _read_filter(request.GET, addresses=access.is_administrator(actor_of(request)))
    if wants_table(request):
        return table_answer(request, audit_table(wanted))
    found = audit_list(wanted, page_number(request.GET))
    kinds = [(kind, label, kind in wanted.kind) for kind, label in FAMILIES.items()]
    context = {
        "rows": found.rows,
        "total": found.total,
        "misread": said,
        "tables": table_links(request.GET),
        "pages": page_links(found.number, found.last, lambda number: _pairs(wanted, page=str(number))),
        "wanted": wanted,
        "chosen": wanted.narrows,
        "kinds": kinds,
        "chosen_kinds": ", ".join(label for _, label, on in kinds if on),
        "statuses": [("", "Any"), (DONE, "Done"), (REFUSED, "Refused")],
        "folded": found.sign_ins,
        "unfolded": wanted.sign_ins and "sign-in" not in wanted.kind,
        "with_sign_ins": _pairs(wanted, sign_ins="yes"),
        "without_sign_ins": _pairs(wanted, sign_ins=""),
    }
    return page(request, "audit/list.html", context)


urlpatterns: list[URLPattern] = [path("audit/", listed, name="audit")]
