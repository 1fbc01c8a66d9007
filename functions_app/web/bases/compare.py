"""What changes between two releases of a base; and reading the files of their layers, which is a run."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from functions_app.models import BaseRelease, BaseStream
from functions_app.services.images import files
from functions_app.services.inventory.bases.compare import compare as read_comparison
from functions_app.services.inventory.images.differences import SHOWN_FILES
from functions_app.web.bases.bases import number
from functions_app.web.html.layer_changes import layer_changes
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required, page

COMPARE = "bases/compare.html"


@require_safe
def compare(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Layers, config, packages and files of `?from=` against `?to=`; `?path=` narrows the files."""
    search = request.GET.get("path", "").strip()[:200]
    compared = read_comparison(pk, number(request.GET, "from"), number(request.GET, "to"), search)
    pair = [("from", compared.old.pk), ("to", compared.new.pk)]
    context = {
        "compared": compared,
        "found": compared.differences,
        "stream": compared.stream,
        "search": search,
        "shown": SHOWN_FILES,
        "sizes": layer_changes(compared.differences),
        "kept": pair,
        "reads": [(reverse("base-read-files", args=[pk]), pair, "Read the files")],
    }
    return page(request, COMPARE, context)


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
