"""`/runs/ID/retry`: what failed and changes nothing, asked for once more."""

from django.http import HttpResponse
from ninja import Router

from functions_app.api.requests import ApiRequest
from functions_app.api.runs import Started, followed
from functions_app.api.shapes import Answer
from functions_app.services.engine import retries
from functions_app.services.inventory.runs.run_state import reached_run

router = Router(tags=["runs"])


@router.post("/runs/{int:pk}/retry", response={202: Started})
def retry_run(request: ApiRequest, response: HttpResponse, pk: int) -> Answer:
    """Ask once more for a sync, poll, forecast or reading that failed; whatever changes something is planned anew."""
    return followed(request, response, retries.retry(reached_run(pk, request.actor), request.actor))
