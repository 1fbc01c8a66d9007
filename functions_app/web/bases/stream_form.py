"""Add and change base streams: the form of a company's own base, and the switch of Lambda's."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods

from functions_app.domain.bases.history import Progress
from functions_app.domain.errors import DrydockError
from functions_app.models import BaseStream
from functions_app.services.bases import stream_form
from functions_app.services.bases.stream_form import StreamDraft
from functions_app.services.people import access
from functions_app.web.http import HtmxHttpRequest, actor_of, explained, page, status_of

FORM = "bases/form.html"


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HtmxHttpRequest) -> HttpResponse:
    """The form for a company's own base; operators only."""
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The form for a stream that is there; of Lambda's own only the switch can change."""
    return _edit(request, get_object_or_404(BaseStream, pk=pk))


def _edit(request: HtmxHttpRequest, existing: BaseStream | None) -> HttpResponse:
    action = (
        ("stream.edit" if existing else "stream.add") if request.method == "POST" else ""
    )  # who only looks does nothing
    access.require_operator(actor_of(request), action, request.path)
    draft, problem = StreamDraft.of(existing) if existing else StreamDraft(), None
    if request.method == "POST":
        draft = StreamDraft.from_form(request.POST)
        try:
            saved = stream_form.save(draft, actor_of(request), existing)
        except DrydockError as error:
            problem = error.problem
        else:
            return HttpResponseRedirect(reverse("base", args=[saved.pk]))
    context = {
        "stream": existing,
        "draft": draft,
        "fixed": existing is not None and not existing.own,
        "history": Progress.from_json(existing.history) if existing else None,
    }
    return page(request, FORM, context | explained(problem), partial="form", status=status_of(problem))


urlpatterns: list[URLPattern] = [
    path("bases/new/", add, name="base-new"),
    path("bases/<int:pk>/edit/", edit, name="base-edit"),
]
