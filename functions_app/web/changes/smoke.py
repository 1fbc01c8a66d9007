"""The smoke test of a function: kept, changed and taken away on the page of its patch."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from functions_app.domain.changes.patching.smokes import Smoke
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import storable
from functions_app.models import Function
from functions_app.services.changes import smoke as smokes
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required

LIMIT_S = 30


@require_POST
@operator_required
def keep(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Keep what was filled in; with the button `remove` take it away."""
    function = get_object_or_404(Function.objects.select_related("account"), pk=pk)
    removed = "remove" in request.POST
    smokes.keep(function, None if removed else _read(request.POST), actor_of(request))
    messages.info(request, "The smoke test was taken away." if removed else "The smoke test is saved.")
    return redirect("function-patch", pk=pk)


def _read(form: QueryDict) -> Smoke:
    return Smoke(
        payload=storable(form.get("payload", "")).strip() or "{}",
        status=_number(form.get("status", ""), "status"),
        path=storable(form.get("path", "")).strip(),
        value=storable(form.get("value", "")).strip(),
        limit_s=_number(form.get("limit_s", ""), "time limit") or LIMIT_S,
        tenant=storable(form.get("tenant", "")).strip(),
    )


def _number(text: str, what: str) -> int:
    given = text.strip()
    if given and not (given.isascii() and given.isdecimal() and len(given) < 6):
        raise DrydockError(Code.INVALID, f"The {what} is a number.", next_step="Correct it; nothing was changed.")
    return int(given or 0)


urlpatterns: list[URLPattern] = [path("functions/<int:pk>/smoke/", keep, name="function-smoke")]
