"""The list of runs, one run as it goes on, its log as a file, and its cancellation."""

from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from functions_app import runlog
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import redact_value
from functions_app.domain.runs import ACTIVE, Kind, Status, StepStatus
from functions_app.models import Run, RunStep
from functions_app.services.engine import runs
from functions_app.services.people import access
from functions_app.web import parts, run_parts
from functions_app.web.http import HtmxHttpRequest, page, wants_partial
from functions_app.web.pages import page_links

PAGE = 50
LINES = 1_000  # of the log on first paint, and for each "load earlier"
ACTIVE_FILTER = "active"


@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    """Runs, the newest first, by status and kind. Four queries (beside the frame's), whatever the number of runs."""
    status, kind = request.GET.get("status", ""), request.GET.get("kind", "")
    found = _filtered(status, kind)
    paginator = Paginator(found, PAGE)
    current = paginator.get_page(request.GET.get("page"))
    query = {"status": status, "kind": kind}

    def href(number: int) -> str:
        return "?" + urlencode({name: value for name, value in {**query, "page": number}.items() if value})

    words = [(value.value, word) for value, (word, _, _) in parts.RUN_STATUS.items()]
    context: dict[str, Any] = {
        "rows": _rows(list(current)),
        "total": paginator.count,
        "active": Run.objects.filter(status__in=ACTIVE).count(),
        "pages": page_links(current.number, paginator.num_pages, href),
        "here": reverse("runs") + href(current.number),
        "status": status,
        "kind": kind,
        "chosen": bool(status or kind),
        "statuses": [("", "Any"), (ACTIVE_FILTER, "Under way"), *words],
        "kinds": [("", "Any"), *((value.value, word) for value, word in run_parts.KINDS.items())],
    }
    return page(request, "runs/list.html", context)


def _filtered(status: str, kind: str) -> QuerySet[Run]:
    found = Run.objects.all()
    if status == ACTIVE_FILTER:
        found = found.filter(status__in=ACTIVE)
    elif status in set(Status):
        found = found.filter(status=status)
    if kind in set(Kind):
        found = found.filter(kind=kind)
    return found.order_by("-pk")


def _rows(found: list[Run]) -> list[dict[str, Any]]:
    """Rows of the list, with how far each run is: one query for all of them."""
    finished = Count("pk", filter=Q(status__in=(StepStatus.DONE, StepStatus.SKIPPED)))
    steps = RunStep.objects.filter(run__in=found).order_by().values("run_id").annotate(done=finished, every=Count("pk"))
    counts = {step["run_id"]: f"{step['done']} of {step['every']}" for step in steps}
    return [_row(run, counts.get(run.pk, "")) for run in found]


def _row(run: Run, steps: str) -> dict[str, Any]:
    problem = (run.problem or {}).get("message", "")
    return {
        "pk": run.pk,
        "title": run.title,
        "status": run.status,
        "kind": run_parts.KINDS[Kind(run.kind)],
        "steps": steps,
        "actor": run.actor_name,
        "created_at": run.created_at,
        "took": run_parts.took(run.started_at, run.ended_at),
        "why": problem[:160],
    }


def _get(pk: int) -> Run:
    run = Run.objects.select_related("function", "account").prefetch_related("steps").filter(pk=pk).first()
    if run is None:
        raise DrydockError(Code.NOT_FOUND, f"There is no run {pk}.", next_step="Look for it in the list of runs.")
    return run


def live_page(run: Run, before: int | None = None) -> dict[str, Any]:
    """Everything that runs/_live.html needs: the last lines (or those before a number), steps, status."""
    lines = runlog.tail(run.pk, LINES, before)
    first = lines[0].sequence if lines else 1
    return {
        **run_parts.live_context(run),
        "rows": run_parts.log_rows(lines),
        "last": lines[-1].sequence if lines else 0,
        "earlier": first if first > 1 else 0,
        "earlier_count": first - 1,
        "follow": before is None and not Status(run.status).ended,
        "tidied": bool(run.line_count) and not lines and before is None and Status(run.status).ended,
    }


@require_safe
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: steps, log, problem, plan. With `before` the lines before that one."""
    asked = request.GET.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    run = _get(pk)
    context = {"run": run, **live_page(run, before)}
    if before is not None and wants_partial(request):
        return page(request, "runs/rows.html", context)
    context |= {
        "may_cancel": not Status(run.status).ended and access.is_operator(request.user),
        "plan_facts": run_parts.facts(redact_value(run.plan)),
    }
    return page(request, "runs/run.html", context)


@require_safe
def run_log(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The whole log as text, streamed page by page from the database."""
    run = _get(pk)

    def text() -> Iterator[str]:
        lines = runlog.read_all(run.pk)
        while some := list(islice(lines, runlog.PAGE)):  # a chunk for each line would cost more than the lines
            yield "".join(map(_as_text, some))

    name = f"run-{run.pk}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(text(), content_type="text/plain; charset=utf-8", headers=headers)


def _as_text(line: runlog.Line) -> str:
    source = "" if line.source == "drydock" else f"[{line.source}] "
    return f"{line.sequence} {line.at.isoformat()} {line.level.upper():7} {source}{line.text}\n"


@require_POST
def run_cancel(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Ask for the end of a run; the run's page tells what was really done."""
    run = _get(pk)
    access.require_operator(request.user, "run.cancel", f"run {pk}: {run.title}")
    if not runs.cancel(run, request.user):  # what was asked for stands on the run's page
        messages.info(request, f"Run {pk} had already ended ({Run.objects.get(pk=pk).status}). Nothing was cancelled.")
    return redirect("run", pk)


urlpatterns: list[URLPattern] = [
    path("runs/", run_list, name="runs"),
    path("runs/<int:pk>/", run_detail, name="run"),
    path("runs/<int:pk>/log.txt", run_log, name="run-log"),
    path("runs/<int:pk>/cancel/", run_cancel, name="run-cancel"),
]
