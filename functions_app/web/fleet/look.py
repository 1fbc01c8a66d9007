"""How a person has the functions list: columns and density, chosen on the list itself."""

from urllib.parse import parse_qsl, urlencode

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from functions_app.services.people.grids import keep_grid
from functions_app.web.http import HtmxHttpRequest


@require_POST
def keep_look(request: HtmxHttpRequest) -> HttpResponse:
    """Keep it, and go back to the list as it was filtered: `back`, without the columns that a view has."""
    keep_grid(request.user, request.POST.getlist("column"), request.POST.get("density", ""))
    query = urlencode([pair for pair in parse_qsl(request.POST.get("back", "")) if pair[0] != "column"])
    return redirect(f"{reverse('functions')}?{query}".removesuffix("?"))


urlpatterns = [path("functions/look/", keep_look, name="functions-look")]
