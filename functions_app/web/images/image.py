"""One image: its layers and whose they are, its users, tags, rules, scan; read its files, ask for its scan."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from functions_app.domain.images.scans import ScanState
from functions_app.domain.text import storable
from functions_app.services.images import files, scans
from functions_app.services.inventory.images.deploy_to import SHOWN, deploy_to
from functions_app.services.inventory.images.image import image_row
from functions_app.services.inventory.images.image_page import image_page
from functions_app.services.inventory.images.scan import ScanFacts
from functions_app.services.inventory.tables.images import finding_table, image_user_table
from functions_app.services.people import access
from functions_app.streams.table_download import USERS, table_answer, wants_table, wants_users
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required, page
from functions_app.web.images.size_words import layer_words
from functions_app.web.page_links import page_links, page_number, table_links
from functions_app.web.waiting import waits_for_aws

# What each state of a scan means, and what can be done.
WORDS = {
    ScanState.NOT_ASKED: "Drydock has not asked ECR about it: it reads the findings of images in use, some at every "
    "sync.",
    ScanState.NOT_SCANNED: "ECR has never scanned it, which says nothing about its safety. Scan on push, or enhanced "
    "scanning of the registry, would.",
    ScanState.IN_PROGRESS: "ECR is at it. The next sync brings the result.",
    ScanState.FAILED: "ECR's scan failed, which says nothing about its safety. Start it again in ECR.",
    ScanState.UNSUPPORTED: "ECR can't scan this kind of image, so nothing is known of its safety.",
    ScanState.UNAVAILABLE: "ECR holds no findings of it at the moment, so nothing is known of its safety.",
    ScanState.EXPIRED: "ECR no longer keeps its findings up to date: it is older than the scan duration of the "
    "registry. Vulnerabilities found since are missing.",
    ScanState.CLEAN: "The scan found nothing that it knows of.",
    ScanState.FOUND: "",
    ScanState.OTHER: "ECR reports a scan status that Drydock does not know.",
}


@require_safe
def image(request: HtmxHttpRequest, pk: int) -> HttpResponseBase:
    """The page of an image; who uses it, and all findings of its scan, as CSV and JSON, too."""
    if wants_table(request) and wants_users(request):
        return table_answer(request, image_user_table(image_row(pk), actor_of(request).reach))
    if wants_table(request):
        return table_answer(request, finding_table(image_row(pk)))
    found = image_page(pk, page_number(request.GET))
    context = {
        "page": found,
        "tables": table_links(QueryDict()),
        "user_tables": table_links(QueryDict(), USERS),
        "image": found.image,
        "address": f"{found.image.repository.uri}@{found.image.digest}",
        "scan_words": scan_words(found.scan, gone=found.image.gone_at is not None),
        "pages": page_links(found.users.page, found.users.pages, lambda number: f"?page={number}#users-title"),
        "operator": access.is_operator(actor_of(request)),
        "layer_words": layer_words(found.facts),
    }
    return page(request, "images/detail.html", context)


@require_safe
def deploy_targets(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The functions that could run an image, each leading to its form with the image in it; `?q=` narrows them."""
    found = image_row(pk)
    search = storable(request.GET.get("q", "")).strip()[:200]
    context = {
        "image": found,
        "address": f"{found.repository.uri}@{found.digest}",
        "targets": deploy_to(found, search),
        "search": search,
        "shown": SHOWN,
    }
    return page(request, "images/deploy_to.html", context)


def scan_words(scan: ScanFacts, *, gone: bool) -> str:
    """What the state of a scan means, and what can be done; `gone`: ECR no longer has the image."""
    return "ECR has neither the image nor findings of it." if gone and not scan.scan else WORDS[scan.state]


@operator_required
def read_files(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Read what the image's layers hold, and show the run."""
    run = files.submit_for_image(image_row(pk), actor_of(request))
    return _go(request, reverse("run", args=[run.pk]))


@waits_for_aws
@operator_required
def read_scan(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Ask ECR about the image's scan now, and show the page again."""
    scans.read_one(image_row(pk))
    messages.success(request, "ECR was asked: what it says of the scan is below.")
    return _go(request, reverse("image", args=[pk]))


def _go(request: HtmxHttpRequest, target: str) -> HttpResponse:
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


urlpatterns = [
    path("images/<int:pk>/", image, name="image"),
    path("images/<int:pk>/deploy/", deploy_targets, name="image-deploy"),
    path("images/<int:pk>/read-files/", read_files, name="image-read-files"),
    path("images/<int:pk>/scan/", read_scan, name="image-scan"),
]
