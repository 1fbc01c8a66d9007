"""Where one is signed in, and the ways to end that; an administrator sees everybody."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from functions_app.domain.sessions import span_words
from functions_app.services.inventory.tables.people import session_table
from functions_app.services.people import access, passwords, sessions, sign_in
from functions_app.services.people.session_store import limits
from functions_app.streams.plan_places import found_no_place
from functions_app.streams.table_download import table_answer, wants_table
from functions_app.web.http import HtmxHttpRequest, actor_of, open_to_all, page
from functions_app.web.page_links import number_in, table_links
from functions_app.web.people.last_seen import address_of
from functions_app.web.people.sign_in import AGAIN_IN


@open_to_all
@require_safe
def session_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """One's own sessions; for an administrator everybody's."""
    administrator = access.is_administrator(actor_of(request))
    people = None if administrator else [request.user.pk]
    if wants_table(request):
        return table_answer(request, session_table(people))
    rows = sessions.listing(people, request.session.session_key)
    context = {
        "tab": "sessions",
        "rows": rows,
        "tables": table_links(QueryDict()),
        "everybody": administrator,
        "most": sessions.SHOWN,
        "idle": span_words(limits().idle),
        "longest": span_words(limits().longest),
    }
    return page(request, "people/sessions.html", context)


@open_to_all
@require_POST
def session_end(request: HtmxHttpRequest, mark: UUID) -> HttpResponse:
    """End one session; who ends the one they are in signs in anew."""
    sessions.end(mark, actor_of(request))
    return redirect("sessions")


@open_to_all
@require_POST
def session_end_all(request: HtmxHttpRequest) -> HttpResponse:
    """End all of one's own; an administrator may name another `person`."""
    other = request.POST.get("person", "")
    person = get_object_or_404(User, pk=number_in(other)) if other else request.user
    ended = sessions.end_all(person, actor_of(request))
    if person.pk == request.user.pk:
        return redirect("login")
    messages.success(request, f"{person.get_username()} is signed out everywhere ({ended}).")
    return redirect("sessions")


@open_to_all
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HtmxHttpRequest) -> HttpResponse:
    """Change one's own password: the old one is asked for, and guessed here no faster than at the sign-in."""
    if request.method != "POST":
        return _password_form(request, {})
    name, address = request.user.get_username(), address_of(request)
    if seconds := AGAIN_IN if found_no_place(request) else sign_in.wait(name, address):
        answer = _password_form(request, {}, wait=seconds, status=429)
        answer["Retry-After"] = str(seconds)
        return answer
    form = PasswordChangeForm(request.user, request.POST)
    wrong = passwords.faults(form)
    if wrong:
        if passwords.OLD in wrong:
            sign_in.refused(name, address)
        return _password_form(request, wrong, status=400)
    with transaction.atomic():
        form.save()
        update_session_auth_hash(request, request.user)
        ended = passwords.changed(request.user, actor_of(request), request.session.session_key)
    messages.success(request, f"Your password is changed. Other sessions that ended: {ended}.")
    return redirect("sessions")


def _password_form(request: HtmxHttpRequest, wrong: dict[str, str], wait: int = 0, status: int = 200) -> HttpResponse:
    fields = [(field, wrong.get(field.name, "")) for field in passwords.FIELDS]
    context = {"fields": fields, "wrong": wrong, "wait": wait}
    return page(request, "people/password.html", context, partial="form", status=status)


urlpatterns: list[URLPattern] = [
    path("settings/sessions/", session_list, name="sessions"),
    path("settings/sessions/end/", session_end_all, name="session-end-all"),
    path("settings/sessions/<uuid:mark>/end/", session_end, name="session-end"),
    path("settings/password/", password, name="password"),
]
