"""`/rebuilds`: tell the team's own pipeline to build an image anew. `/runs/ID/invoke-again`: what was not executed."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from ninja import Field, Router

from functions_app.api.changes import FUNCTION
from functions_app.api.requests import ApiRequest
from functions_app.api.runs import Started, followed
from functions_app.api.shapes import Answer, Body, Told, link
from functions_app.domain.tokens import TokenScope
from functions_app.services.changes import invoke
from functions_app.services.changes.patching import rebuilds
from functions_app.services.inventory.fleet import addressing
from functions_app.services.inventory.runs.run_state import reached_run
from functions_app.services.people import access

router = Router(tags=["changes"])


class Rebuild(Body):
    """A function whose image is to be built anew."""

    function: str = FUNCTION
    digest: str = Field("", max_length=80, description="which of its live images, where several are behind")


class RebuildAnswer(Told):
    """What the pipeline was told, and answered."""

    id: str
    state: str
    answer: str
    asked_at: datetime
    digest: str


@router.post("/rebuilds", response=RebuildAnswer)
def ask_rebuild(request: ApiRequest, body: Rebuild) -> dict[str, Any]:
    """Tell the pipeline to build an image on the current release of its base: once for each function and release."""
    named = addressing.find(body.function, request.actor)
    function = named.function
    access.require_operator_with(request.actor, {TokenScope.PATCH}, rebuilds.ACTION, function.arn)
    row = rebuilds.ask(function, body.digest or addressing.digest_of(named), request.actor)
    return {
        "text": f"The pipeline was told to rebuild {function.name}: {row.state}, {row.answer}.",
        "url": link(request, reverse("function-patch", args=[function.pk])),
        "id": str(row.key),
        **{name: getattr(row, name) for name in ("state", "answer", "asked_at", "digest")},
    }


@router.post("/runs/{int:pk}/invoke-again", response={202: Started})
def invoke_again(request: ApiRequest, response: HttpResponse, pk: int) -> Answer:
    """Invoke once more what AWS says was not executed, with the same payload; however often this is asked, one run."""
    run = reached_run(pk, request.actor)
    access.require_operator_with(request.actor, {TokenScope.INVOKE}, "invocation.again", str(run.pk))
    return followed(request, response, invoke.again(run, request.actor))
