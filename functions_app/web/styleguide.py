"""Every part on one page: the reference, and the visual test. Served in DEBUG only."""

from datetime import UTC, datetime, timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from functions_app.domain.errors import Code, Problem
from functions_app.domain.freshness import Freshness
from functions_app.domain.runs import Status
from functions_app.web import parts
from functions_app.web.http import HtmxHttpRequest


def styleguide(request: HtmxHttpRequest) -> HttpResponse:
    """Draw all parts."""
    now = datetime.now(UTC)
    context = {
        "digest": "sha256:" + "1f4ee0c3a9d4" * 5 + "0000",
        "freshness": [(item.value, f"Why it is {item.value}", 3, 41) for item in Freshness],
        "states": [value for value in parts.STATES if value],
        "statuses": [item.value for item in Status],
        "colours": parts.COLOURS,
        "times": [now - timedelta(seconds=seconds) for seconds in (1, 40, 300, 7200, 1_000_000)],
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
