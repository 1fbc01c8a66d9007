"""The functions list and the pages of one function."""

from django.http import HttpResponse
from django.urls import path

from functions_app.web.http import HtmxHttpRequest, page


def function_list(request: HtmxHttpRequest) -> HttpResponse:
    """The page people live on."""
    return page(request, "functions/list.html", {})


urlpatterns = [path("functions/", function_list, name="functions")]
