"""Log in and out, and the answer to health checks."""

import unicodedata
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from functions_app.services.engine import health
from functions_app.services.people import sessions, sign_in
from functions_app.streams.plan_places import found_no_place
from functions_app.web.http import open_to_all, wants_partial
from functions_app.web.people.last_seen import address_of

AGAIN_IN = 3  # seconds


def hashes_a_password(path: str) -> bool:
    """Whether a password is sent there."""
    return path in (reverse("login"), reverse("password"))


@method_decorator(login_not_required, name="dispatch")
class Login(LoginView):
    """The login page. A partial that lost its session sends the browser here and back."""

    template_name = "login.html"
    http_method_names = ["get", "head", "post"]  # Django's views of forms take PUT for POST
    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form; for htmx, leave the page whose rows it was about to replace."""
        if wants_partial(request):
            htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
            back = urlencode({"next": htmx.current_url_abs_path or "/"})
            return HttpResponse(headers={"HX-Redirect": f"{request.path}?{back}"})
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Check name and password, unless this name failed here too often a moment ago, or too many try at once."""
        crowded = found_no_place(request)
        if seconds := AGAIN_IN if crowded else sign_in.wait(_name(request), address_of(request)):
            context = self.get_context_data(form=AuthenticationForm(request), wait=seconds, crowded=crowded)
            return self.render_to_response(context, status=429, headers={"Retry-After": str(seconds)})
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Let the person in."""
        response = super().form_valid(form)
        sign_in.accepted(form.get_user(), _name(self.request), address_of(self.request))
        sessions.begin(self.request.session, address_of(self.request), self.request.headers.get("User-Agent", ""))
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again, and remember the failure."""
        sign_in.refused(_name(self.request), address_of(self.request))
        return super().form_invalid(form)

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Where `next` leads, on this host; the login page itself would lead to itself for ever."""
        del request  # the type stubs know of it, Django 5.2 does not
        found = super().get_redirect_url()
        return "" if found.partition("?")[0] == self.request.path else found


@method_decorator(open_to_all, name="dispatch")
class Logout(LogoutView):
    """The way out, by POST."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """End the session."""
        if isinstance(request.user, User):
            sign_in.ended(request.user, address_of(request))
        return super().post(request, *args, **kwargs)


def _name(request: HttpRequest) -> str:
    """The name as Django's form reads it, or one person could be tried under many spellings."""
    return unicodedata.normalize("NFKC", request.POST.get("username", "")).strip()[:150]


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """503 when the database is away; Redis alone does not take pages down, so it is only told."""
    database, broker = health.database(), health.broker()
    text = f"database {database}\nredis {broker}\n"
    return HttpResponse(text, status=200 if database == "ok" else 503, content_type="text/plain")


urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("logout/", Logout.as_view(), name="logout"),
    path("healthz", healthz, name="healthz"),
]
