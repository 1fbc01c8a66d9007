"""Every part on one page: the reference, and the visual test. Served in DEBUG only."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from functions_app import clock
from functions_app.domain.bases.detection import Tier
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.errors import Code, Problem
from functions_app.domain.fleet.account_colours import COLOURS
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.images.scans import ScanState, Side
from functions_app.domain.runs import Status
from functions_app.services.inventory.bases.base import Mark
from functions_app.services.inventory.bases.base_list import Standing, Tally
from functions_app.web.html.aliases import alias
from functions_app.web.html.badges import freshness
from functions_app.web.html.chains import Stop, bold
from functions_app.web.html.chips import digest
from functions_app.web.html.looks import Change, FunctionState, Severity, UpdateStatus
from functions_app.web.http import HtmxHttpRequest
from functions_app.web.page_links import page_links

DIGEST = "sha256:" + "1f4ee0c3a9d4" * 5 + "0000"
OTHER = "sha256:" + "7c82785f9109" * 5 + "0000"
ALIASES = (
    alias("live", "7", "8", 0.1),
    alias("next", "8", drifted=True),
    alias("previous", "6", kept=True, others=("canary → 8",)),
    alias("", "$LATEST"),
)


CHECKS = (
    Check("A rule", True, "It holds."),
    Check("A rule", False, "It does not: Lambda refuses the image."),
    Check("A rule", None, "Nobody can tell."),
    Check("Advice", True, "It is well made.", "advice"),
    Check("Advice", False, "It works, and could be better.", "advice"),
    Check("Advice", None, "It is not known.", "advice"),
    Check("A hint", None, "Neither good nor bad.", "hint"),
)
LANES = (
    (
        Stop("Alias", bold("live"), "split"),
        Stop("Version", bold("7"), word="90 %"),
        Stop("Image", digest(DIGEST), "v2.3.1 is 7c82785f9109 now", hop="warn", word="tag moved", drift=True),
        Stop("Base", bold("python:3.12"), "of 2026-08-01", "warn"),
        Stop("Newest", bold("python:3.12"), "of 2026-11-01", "newest", "warn", "3 releases, 93 d"),
    ),
    (
        Stop("Alias", bold("previous"), "all calls"),
        Stop("Version", bold("5")),
        Stop("Image", digest(OTHER), "deleted from ECR", "bad", "bad", "broken"),
        Stop("Base", freshness(Freshness.UNKNOWN, "Nothing is known of it"), "none found", "unknown"),
    ),
)


@require_safe
def styleguide(request: HtmxHttpRequest) -> HttpResponse:
    """Draw all parts."""
    now = clock.now()
    context = {
        "digest": DIGEST,
        "freshness": [(item.value, f"Why it is {item.value}", 3, 41) for item in Freshness],
        "states": [value for value in FunctionState if value],
        "updates": list(UpdateStatus),
        "statuses": [item.value for item in Status],
        "colours": COLOURS,
        "times": [now - timedelta(seconds=seconds) for seconds in (1, 40, 300, 7200, 1_000_000)],
        "size": 213_400_000,
        "tags": ["main", "v2.4.0", "2026-11-21", "stable", "latest"],
        "arn": "arn:aws:lambda:eu-west-1:111111111111:function:orders-create",
        "aliases": ALIASES,
        "lanes": LANES,
        "tally": Tally(dict.fromkeys(Standing, 4), aliases=31, functions_through=0),
        "ends": [(now.date() + timedelta(days=days), days) for days in (400, 90, -30)],
        "changes": list(Change),
        "marks": [
            Mark(number, f"3.12.{number}", now - timedelta(days=days), "linux/amd64", current=days == 3, aliases=count)
            for number, (days, count) in enumerate(((140, 2), (90, 0), (34, 11), (3, 18)))
        ],
        "checks": CHECKS,
        "tiers": [item.value for item in Tier],
        "scans": list(ScanState),
        "severities": list(Severity),
        "sides": list(Side),
        "pages": page_links(6, 200, lambda number: f"?page={number}"),
        "title": "Somebody else changed it meanwhile",
        "problem": Problem(
            Code.CHANGED,
            "Somebody changed this alias 40 s ago.",
            "Reload and review.",
            "PreconditionFailedException",
            "4f2a1c9e-0000-4000-8000-1b2c3d4e5f60",
        ),
    }
    return render(request, "styleguide/styleguide.html", context)


urlpatterns = [path("styleguide/", styleguide, name="styleguide")]
