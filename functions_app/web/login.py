"""Log in and out, and the answer to health checks."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django_htmx.middleware import HtmxDetails

from functions_app.web.http import wants_partial


@method_decorator(login_not_required, name="dispatch")
class Login(LoginView):
    """The login page. A partial that lost its session sends the browser here and back."""

    template_name = "login.html"
    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form; for htmx, leave the page whose rows it was about to replace."""
        if wants_partial(request):
            htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
            back = urlencode({"next": htmx.current_url_abs_path or "/"})
            return HttpResponse(headers={"HX-Redirect": f"{request.path}?{back}"})
        return super().get(request, *args, **kwargs)


@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """200 when the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("healthz", health, name="healthz"),
]
