"""`Idempotency-Key` on every POST: the same key and body give the same answer, and change something once."""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.http import HttpResponse

from functions_app.api.answers import of_problem, passes, problem
from functions_app.api.requests import ApiRequest
from functions_app.services.engine import plans
from functions_app.services.people import kept_answers
from functions_app.services.people.kept_answers import Answer

HEADER = "Idempotency-Key"
NOT_KEPT = "not_kept"  # an attribute of an answer that holds what is told once, and stored nowhere
_KEPT = ("Content-Type", "Location")  # headers


def once(request: ApiRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer, or the one that the same request had before."""
    key = request.headers.get(HEADER, "")
    if request.method != "POST" or not key:
        return answer()
    if len(key) > kept_answers.LENGTH or not key.isascii() or not key.isprintable():
        return problem(400, f"{HEADER} has at most {kept_answers.LENGTH} printable characters of ASCII.")
    try:
        row = kept_answers.begin(request.token, request.path[:300], key, _said(request))
    except kept_answers.Elsewhere as error:
        return of_problem(error.problem, error.again_in)
    except kept_answers.Reused as error:
        return problem(422, error.problem.message, error.problem.next_step, code="key_reused")
    if row.status is not None:
        return HttpResponse(row.content, status=row.status, headers={**row.headers, "Idempotent-Replayed": "true"})
    try:
        response = answer()
    except BaseException:
        kept_answers.drop(row)
        raise
    if NOT_KEPT in response.__dict__ or passes(response):
        kept_answers.drop(row)
        return response
    headers = {name: response[name] for name in _KEPT if name in response}
    kept_answers.keep(row, Answer(response.status_code, headers, response.content.decode()))
    return response


def identity(request: ApiRequest) -> UUID:
    """The id of the plan that this request makes: with a key the same as long as the key is kept."""
    key = request.headers.get(HEADER, "")
    if not key:
        return uuid4()
    found = kept_answers.identity(request.token, request.path, key, _said(request))
    while plans.is_of_before(found, kept_answers.KEEP):  # the key's time is over: the same is asked anew
        found = kept_answers.after(found)
    plans.drop_expired(found)  # where the request was refused for the time being, and comes again late
    return found


def _said(request: ApiRequest) -> bytes:
    """What a request asks of its address: the body, after the query where there is one (`dry_run`)."""
    query = urlencode(sorted((name, value) for name, values in request.GET.lists() for value in values))
    return f"{query}\n".encode() + request.body if query else request.body
