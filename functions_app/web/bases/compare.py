"""What changes between two releases of a base; and reading the files of their layers, which is a run."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from functions_app.models import BaseRelease, BaseStream
from functions_app.services.images import files
from functions_app.services.inventory.bases.compare import SHOWN_FILES, Comparison
from functions_app.services.inventory.bases.compare import compare as read_comparison
from functions_app.web.bases.bases import number
from functions_app.web.html.looks import Change, look
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required, page

COMPARE = "bases/compare.html"
LAYER_CHANGES = (Change.KEPT, Change.ADDED, Change.REMOVED)


@require_safe
def compare(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Layers, config, packages and files of `?from=` against `?to=`; `?path=` narrows the files."""
    search = request.GET.get("path", "").strip()[:200]
    found = read_comparison(pk, number(request.GET, "from"), number(request.GET, "to"), search)
    context = {
        "found": found,
        "stream": found.stream,
        "search": search,
        "shown": SHOWN_FILES,
        "sizes": [(look(Change, change), *_sizes(found, change)) for change in LAYER_CHANGES],
    }
    return page(request, COMPARE, context, partial="files")


def _sizes(found: Comparison, change: str) -> tuple[int, int]:
    return sum(line.change == change for line in found.layers), found.size(change)


@operator_required
def read_files(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Read what the layers of two releases hold and show the run."""
    stream = get_object_or_404(BaseStream, pk=pk)
    wanted = [key for name in ("from", "to") if (key := number(request.POST, name)) is not None]
    known = BaseRelease.objects.filter(stream=stream, pk__in=wanted).values_list("pk", flat=True)
    run = files.submit_for_releases(sorted(known), actor_of(request))
    target = reverse("run", args=[run.pk])
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


urlpatterns: list[URLPattern] = [
    path("bases/<int:pk>/compare/", compare, name="base-compare"),
    path("bases/<int:pk>/read-files/", read_files, name="base-read-files"),
]
