"""Changes: planned, then applied; both at once where nothing is to be confirmed."""

import json
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Field, QueryEx, Router
from ninja.responses import Status
from pydantic import StrictBool

from functions_app.api.idempotency import NOT_KEPT, identity
from functions_app.api.plans import NOTHING, Confirmed, PlanAnswer, Waiting, confirmed, told
from functions_app.api.requests import ApiRequest
from functions_app.api.runs import Started, followed
from functions_app.api.shapes import Answer, Body
from functions_app.domain.changes.invocations import Mode, parse_mode
from functions_app.domain.fleet.functions import LATEST
from functions_app.models import Run
from functions_app.services.changes import deploy, invoke, roll_back
from functions_app.services.changes.patching import plan as patching
from functions_app.services.changes.patching import undo as undoing
from functions_app.services.engine import plan_ends, plans
from functions_app.services.engine.plans import Planned
from functions_app.services.inventory.fleet import addressing
from functions_app.services.inventory.runs.run_state import reached_run
from functions_app.services.people import access
from functions_app.services.sync import run as syncing
from functions_app.streams.waiting_answers import ASK_AGAIN

router = Router(tags=["changes"])
FUNCTION = Field(max_length=400, description="id, ARN, name or name:alias")


class Deployment(Confirmed):
    """An image for a function, and the alias that is to point to it."""

    function: str = FUNCTION
    image: str = Field(max_length=600, description="tag, digest, or reference; a tag is resolved to a digest once")
    alias: str = Field("", max_length=130, description="may stand behind the function: name:alias")


class Rollback(Confirmed):
    """An alias, and the version that it is to point to."""

    function: str = FUNCTION
    alias: str = Field("", max_length=130, description="may stand behind the function: name:alias")
    version: str = Field(max_length=20)


class Patch(Confirmed):
    """A function that is to run on the patched base."""

    function: str = FUNCTION
    digest: str = Field("", max_length=80, description="which of its live images, where several are behind")
    keep_latest: StrictBool = Field(False, description="leave $LATEST as it was, where it isn't what is live")


class Invocation(Body):
    """What is sent to a function: any JSON, {} where there is none."""

    function: str = FUNCTION
    qualifier: str = Field("", max_length=130, description="alias, version or $LATEST; may stand behind the function")
    payload: Any = None
    mode: Mode = Mode.SYNC
    tenant: str = Field("", max_length=256)


DryRun = Annotated[bool, QueryEx(description="plan it, and change nothing")]
ANSWERS: Any = {200: PlanAnswer, 202: Started | Waiting}


@router.post("/deployments", response=ANSWERS)
def start_deployment(request: ApiRequest, response: HttpResponse, body: Deployment, dry_run: DryRun = False) -> Answer:
    """Deploy an image by its digest, publish a version, point the alias to it and read it back."""
    named = addressing.find(body.function, request.actor)
    alias = body.alias or named.qualifier
    return _plan(
        *(request, response, body, dry_run),
        lambda plan_id: deploy.plan(named.function, body.image, alias, request.actor, plan_id),
    )


@router.post("/rollbacks", response=ANSWERS)
def start_rollback(request: ApiRequest, response: HttpResponse, body: Rollback, dry_run: DryRun = False) -> Answer:
    """Point an alias to a version that exists, and read it back."""
    named = addressing.find(body.function, request.actor)
    alias = body.alias or named.qualifier
    return _plan(
        *(request, response, body, dry_run),
        lambda plan_id: roll_back.plan(named.function, alias, body.version, request.actor, plan_id),
    )


@router.post("/patches", response=ANSWERS)
def start_patch(request: ApiRequest, response: HttpResponse, body: Patch, dry_run: DryRun = False) -> Answer:
    """Put a function's own layers onto the patched base. Where files are to be read first, the run that reads them."""
    named = addressing.find(body.function, request.actor)
    function, digest = named.function, body.digest or addressing.digest_of(named)
    reading = patching.reading_first(function, digest, request.actor)
    if reading is not None:
        told = f"Run {reading.pk} reads files that the verdict needs: ask for the patch again once it has ended."
        setattr(response, NOT_KEPT, True)  # the same request, with the same key, is to patch then
        response[ASK_AGAIN] = "once the run has ended"
        return followed(request, response, reading, told)
    return _plan(
        *(request, response, body, dry_run),
        lambda plan_id: patching.plan(function, request.actor, digest, keep_latest=body.keep_latest, plan_id=plan_id),
    )


@router.post("/runs/{int:pk}/undo", response=ANSWERS)
def start_undo(
    request: ApiRequest, response: HttpResponse, pk: int, body: Confirmed = NOTHING, dry_run: DryRun = False
) -> Answer:
    """Take a patch back: digest, version and weights of before."""
    run = reached_run(pk, request.actor)
    if before := undoing.under_way(run):
        return followed(request, response, before)
    return _plan(*(request, response, body, dry_run), lambda plan_id: undoing.plan(run, request.actor, plan_id))


@router.post("/invocations", response={202: Started})
def start_invocation(request: ApiRequest, response: HttpResponse, body: Invocation) -> Answer:
    """Invoke a function once; its answer and its log are the run's."""
    named = addressing.find(body.function, request.actor)
    qualifier = body.qualifier or named.qualifier or LATEST
    payload = "" if body.payload is None else json.dumps(body.payload)
    plan_id = identity(request)
    run = plan_ends.became(plan_id) or invoke.submit(
        named.function, qualifier, payload, parse_mode(body.mode), request.actor, body.tenant, plan_id
    )
    return followed(request, response, run)


@router.post("/syncs", response={202: Started})
def start_sync(request: ApiRequest, response: HttpResponse) -> Answer:
    """Read all accounts and regions anew; the sync that is under way, where there is one."""
    access.require_operator(request.actor, "sync.start", "all accounts")
    run, new = syncing.submit_or_join(request.actor)
    return followed(request, response, run, "" if new else f"Run {run.pk} was under way already: {run.title}.")


def _plan(
    request: ApiRequest,
    response: HttpResponse,
    body: Confirmed,
    dry_run: bool,
    make: Callable[[UUID], Planned[Any]],
) -> Answer:
    """Plan; and confirm it, where that was asked for and nothing is left to type or tick. Raises PREFLIGHT."""
    stored = plans.once(identity(request), request.actor, make)
    if isinstance(stored, Run):
        return followed(request, response, stored)
    due = (stored.confirmation and not body.confirm) or (stored.ticks and not body.ticks)
    if dry_run or due:
        return Status(200, told(request, stored))
    return confirmed(request, response, stored.pk, body)
