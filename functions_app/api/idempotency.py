"""`Idempotency-Key` on every POST: the same key and body give the same answer, and change something once."""

from collections.abc import Callable
from uuid import UUID, uuid4

from django.http import HttpResponse

from functions_app.api.answers import of_problem, problem
from functions_app.api.requests import ApiRequest
from functions_app.services.people import kept_answers
from functions_app.services.people.kept_answers import Answer

HEADER = "Idempotency-Key"
NOT_KEPT = "not_kept"  # an attribute of an answer that holds what is told once, and stored nowhere
_KEPT = ("Content-Type", "Location", "Retry-After")  # headers


def once(request: ApiRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer, or the one that the same request had before."""
    key = request.headers.get(HEADER, "")
    if request.method != "POST" or not key:
        return answer()
    if len(key) > kept_answers.LENGTH or not key.isascii() or not key.isprintable():
        return problem(400, f"{HEADER} has at most {kept_answers.LENGTH} printable characters of ASCII.")
    try:
        row = kept_answers.begin(request.token, request.path[:300], key, request.body)
    except kept_answers.Elsewhere as error:
        refused = of_problem(error.problem)
        refused["Retry-After"] = str(kept_answers.AGAIN_IN)
        return refused
    except kept_answers.Reused as error:
        return problem(422, error.problem.message, error.problem.next_step, code="key_reused")
    if row.status is not None:
        return HttpResponse(row.content, status=row.status, headers={**row.headers, "Idempotent-Replayed": "true"})
    try:
        response = answer()
    except BaseException:
        kept_answers.drop(row)
        raise
    if NOT_KEPT in response.__dict__:
        kept_answers.drop(row)
        return response
    headers = {name: response[name] for name in _KEPT if name in response}
    kept_answers.keep(row, Answer(response.status_code, headers, response.content.decode()))
    return response


def identity(request: ApiRequest) -> UUID:
    """The id of the plan that this request makes: with a key always the same."""
    key = request.headers.get(HEADER, "")
    return kept_answers.identity(request.token, request.path, key) if key else uuid4()
