"""`POST /api/v1/hooks/ecr`: where EventBridge's API destinations send what happens in ECR.

Open to whoever has DRYDOCK_HOOK_TOKEN and to nobody else; without that variable there is no such address.
"""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from functions_app.api.bearer import has_token
from functions_app.domain import limits
from functions_app.domain.errors import DrydockError, details
from functions_app.domain.images.ecr_events import read_event
from functions_app.services.sync import events
from functions_app.streams.machines import answered

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")  # what no event is


@csrf_exempt
@login_not_required
def ecr(request: HttpRequest) -> HttpResponse:
    """Take one event: 202 and what is done about it, or what is wrong with it (RFC 9457)."""
    if not settings.ENV.hook_token:
        return _problem(404, "Not found", "Hooks are switched off here: DRYDOCK_HOOK_TOKEN is not set.")
    # API destinations send the header that their connection names, hence the second one.
    if not has_token(request, settings.ENV.hook_token, "X-Drydock-Token"):
        response = _problem(401, "Who is there?", "Send the hook's token as “Authorization: Bearer …”.")
        response["WWW-Authenticate"] = 'Bearer realm="drydock"'
        return response
    if request.method != "POST":
        response = _problem(405, "Not allowed", "Events are sent with POST.")
        response["Allow"] = "POST"
        return response
    if request.content_type in _FORMS:
        return _problem(415, "Not an event", "Send the event as application/json.")
    if int(request.headers.get("Content-Length") or 0) > limits.EVENT:
        return _problem(413, "Too large", f"An event has at most {limits.EVENT:,} bytes.")
    try:
        text = events.handle(read_event(request.body))
    except DrydockError as error:
        return _uncached(answered(error.problem.details))
    return _uncached(JsonResponse({"text": text}, status=202))


def _problem(status: int, title: str, detail: str) -> HttpResponse:
    return _uncached(answered(details(status, title, detail)))


def _uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


urlpatterns = [path("api/v1/hooks/ecr", ecr, name="hook-ecr")]
