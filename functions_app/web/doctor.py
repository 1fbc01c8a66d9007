"""Settings, Doctor: what works and what does not, for administrators.

Opening it asks Drydock's own parts alone. Asking AWS and registries is posted, and has the threads that plans have, and
a time: no run on a queue, since the workers may be what is dead, and the web server's own credentials count, too.
"""

from dataclasses import dataclass

from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from functions_app.domain.health.findings import Finding, State, counts
from functions_app.services.doctor import examination
from functions_app.services.inventory.tables.settings import finding_table
from functions_app.services.people import access
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import HtmxHttpRequest, actor_of, page
from functions_app.web.page_links import table_links
from functions_app.web.waiting import waits_for_aws

PATIENCE = 25.0  # seconds
LOOKS = {
    State.OK: ("circle-check", "good"),
    State.WARN: ("alert-triangle", "warn"),
    State.BAD: ("circle-x", "bad"),
    State.NOT_TRIED: ("circle-dashed", "calm"),
}
TITLES = {
    State.BAD: "Broken",
    State.WARN: "Not as it should be, or not known",
    State.OK: "Works",
    State.NOT_TRIED: "Not tried",
}


@require_http_methods(["GET", "HEAD", "POST"])
@waits_for_aws
def doctor(request: HtmxHttpRequest) -> HttpResponseBase:
    """Drydock's own parts; with everything outside where that was asked for."""
    action = "doctor" if request.method == "POST" else ""  # who only looks does nothing
    words = "Only administrators see how the installation does."
    access.require_administrator(actor_of(request), words, action, "installation")
    asked = request.method == "POST"
    if wants_table(request) and not asked:
        return table_answer(request, finding_table(examination.own()))
    found = list(examination.everything(PATIENCE)) if asked else examination.own()
    context = {"groups": _groups(found, asked), "counts": counts(found), "asked": asked}
    if not asked:  # what a file has is examined anew, and asks nobody outside
        context["tables"] = table_links(QueryDict())
    return page(request, "doctor/doctor.html", context)


@dataclass(frozen=True)
class Group:
    """Findings of one state; what works is folded where it is much."""

    title: str
    rows: list[tuple[Finding, str, str]]
    open: bool


def _groups(found: list[Finding], asked: bool) -> list[Group]:
    groups = []
    for state, title in TITLES.items():
        rows = [(one, *LOOKS[state]) for one in found if one.state is state]
        troubles = state in (State.BAD, State.WARN)
        if rows:
            groups.append(Group(f"{title} ({len(rows)})", rows, troubles or not asked))
    return groups


urlpatterns: list[URLPattern] = [path("settings/doctor/", doctor, name="doctor")]
