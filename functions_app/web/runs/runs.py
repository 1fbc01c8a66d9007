"""The list of runs, one run as it goes on, its log as a file, and its cancellation."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from functions_app import runlog
from functions_app.domain.filters import Known
from functions_app.domain.redaction import redact_value
from functions_app.domain.runs import Kind, SignalKind, Status
from functions_app.domain.text import storable
from functions_app.models import Run
from functions_app.services.engine import retries, signals
from functions_app.services.inventory.runs.run_facts import plan_facts
from functions_app.services.inventory.runs.run_filter import BY, EVERYBODY, PEOPLE, UNDER_WAY, RunFilter
from functions_app.services.inventory.runs.run_list import run_list
from functions_app.services.inventory.runs.run_log import log_page
from functions_app.services.inventory.runs.run_state import find_run
from functions_app.services.inventory.tables.history import run_table
from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.streams.log_download import as_text
from functions_app.streams.run_templates import run_context
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.html.looks import look
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required, page, wants_partial
from functions_app.web.misread import MOMENT, NUMBER, misread
from functions_app.web.page_links import page_links, page_number, table_links
from functions_app.web.way_back import way_back

BUTTONS = {
    SignalKind.APPROVE: ("Approve", "circle-check", "btn-primary"),
    SignalKind.PROMOTE: ("Promote now", "player-play", ""),
    SignalKind.SKIP: ("Skip this step", "arrow-down", ""),
    SignalKind.PAUSE: ("Pause", "player-pause", ""),
    SignalKind.RESUME: ("Resume", "player-play", "btn-primary"),
    SignalKind.CANCEL: ("Cancel run", "ban", "btn-danger"),
}
KINDS = tuple(kind for kind in Kind if kind is not Kind.PATCH_LIST)  # that becomes no run
FILTERS: Known = {
    "by": BY,
    "status": (UNDER_WAY, *(status.value for status in Status)),
    "kind": tuple(kind.value for kind in KINDS),
    "person": None,
    "function": None,
    "since": MOMENT,
    "until": MOMENT,
    "parent": NUMBER,
    "children": ("yes",),
}


def _read_filter(given: QueryDict) -> RunFilter:
    """The filter in an address: people's runs where it does not say whose, but of one that keeps others alive all."""

    def text(name: str) -> str:
        return storable(given.get(name, "")).strip()[:200]

    parent, by = text("parent"), text("by")
    kinds = [kind.value for kind in KINDS if kind.value in given.getlist("kind")]
    return RunFilter(
        status=text("status"),
        kind=tuple(kinds),
        parent=int(parent) if NUMBER.understands(parent) else None,
        children=bool(text("children")),
        by=by if by in BY else EVERYBODY if parent else PEOPLE,
        **{name: text(name) for name in ("person", "function", "since", "until")},
    )


def _pairs(wanted: RunFilter, **changed: str) -> str:
    """The filter as an address, with some of it changed."""
    by = "" if wanted.by == (EVERYBODY if wanted.parent else PEOPLE) else wanted.by
    plain = {name: str(getattr(wanted, name) or "") for name in ("status", "person", "function", "since", "until")}
    of_others = {"parent": str(wanted.parent or ""), "children": "yes" if wanted.children else ""}
    several = [("kind", kind) for kind in wanted.kind]
    pairs = [*several, *({"by": by, **plain, **of_others, **changed}).items()]
    return "?" + urlencode([(name, value) for name, value in pairs if value])


@require_safe
def listed(request: HttpRequest) -> HttpResponseBase:
    """Runs, the newest first, as the address filters them; all of them as CSV."""
    said = misread(request, FILTERS)
    wanted = _read_filter(request.GET)
    if wants_table(request):
        return table_answer(request, run_table(wanted))
    found = run_list(wanted, page_number(request.GET))

    def href(number: int) -> str:
        return _pairs(wanted, page=str(number))

    words = [(status.value, look(Status, status).word) for status in Status]
    kinds = [(kind.value, kind.label, kind.value in wanted.kind) for kind in KINDS]
    context: dict[str, Any] = {
        "found": found,
        "misread": said,
        "tables": table_links(request.GET),
        "pages": page_links(found.number, found.last, href),
        "here": reverse("runs") + href(found.number),
        "wanted": wanted,
        "chosen": wanted.narrows,
        "words": found.words(narrowed=wanted.narrows, of_run=wanted.parent is not None),
        "everybody": _pairs(wanted, by=EVERYBODY),
        "people": _pairs(wanted, by=""),
        "unfolded": wanted.by == EVERYBODY and wanted.parent is None,
        "statuses": [("", "Any"), (UNDER_WAY, "Under way"), *words],
        "kinds": kinds,
        "chosen_kinds": ", ".join(label for _, label, on in kinds if on),
    }
    return page(request, "runs/list.html", context)


@require_safe
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: steps, log, problem, plan. For htmx the rows of its log alone, with `before` those before that one."""
    asked = request.GET.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    run = find_run(pk)
    ended = Status(run.status).ended
    log = log_page(run, before)
    context = {**run_context(run), "log": log, "rows": log.rows, "follow": before is None and not ended}
    if wants_partial(request):
        return page(request, "runs/rows.html", context)
    context |= {
        "buttons": [] if ended else _buttons(run, actor_of(request)),
        "may_change": access.is_operator(actor_of(request)),
        "asks_again": retries.asks_again(run.kind),
        "back": way_back(request),
        "plan_facts": plan_facts(run.kind, redact_value(run.plan)),
    }
    return page(request, "runs/run.html", context)


def _buttons(run: Run, actor: Actor) -> list[tuple[SignalKind, str, str, str]]:
    """What this person may ask of a run: signal, words, icon, class; the page shows those that the run takes now."""
    return [(kind, *looks) for kind, looks in BUTTONS.items() if signals.may(run, kind, actor)]


@require_safe
def run_log(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The whole log as text. A web server has the lines sent by `streams.downloads`, which asks by HEAD."""
    run = find_run(pk)
    lines = runlog.read_all(run.pk) if request.method == "GET" else ()
    name = f"run-{run.pk}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(map(as_text, lines), content_type="text/plain; charset=utf-8", headers=headers)


@require_POST
def run_signal(request: HtmxHttpRequest, pk: int, kind: SignalKind) -> HttpResponse:
    """Ask something of a run; its page tells what was asked for, and what was really done."""
    if not signals.give(find_run(pk), kind, actor_of(request), request.POST.get("reason", "")):
        messages.info(request, f"Run {pk} had already ended ({Run.objects.get(pk=pk).status}). Nothing was changed.")
    return redirect("run", pk)


@require_POST
@operator_required
def run_retry(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Ask for the same once more, and show that run; one that is under way is said (BUSY)."""
    return redirect("run", retries.retry(find_run(pk), actor_of(request)).pk)


urlpatterns: list[URLPattern] = [
    path("runs/", listed, name="runs"),
    path("runs/<int:pk>/", run_detail, name="run"),
    path("runs/<int:pk>/log.txt", run_log, name="run-log"),
    path("runs/<int:pk>/retry/", run_retry, name="run-retry"),
    *(path(f"runs/<int:pk>/{kind}/", run_signal, {"kind": kind}, name=f"run-{kind}") for kind in SignalKind),
]
