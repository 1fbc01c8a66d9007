"""`/functions/NAME/triggers`: what calls a function, by which qualifier, and which version that reaches."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from ninja import Router, Schema

from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Told, link
from functions_app.domain.text import counted
from functions_app.models import Function
from functions_app.services.inventory.fleet import addressing
from functions_app.services.inventory.fleet.triggers import function_triggers
from functions_app.services.sync import triggers as readings

router = Router(tags=["fleet"])


class TriggerLine(Schema):
    """One trigger. `way` is alias, past the aliases, unqualified, version or lost; `reaches` says it in words."""

    kind: str
    qualifier: str
    source: str
    detail: str
    way: str
    reaches: str


class ProvisionedLine(Schema):
    """Provisioned concurrency as it is set."""

    qualifier: str
    wanted: int
    status: str


class TriggerProblem(Schema):
    """A part that could not be read. `known_at`: when what is told of it was; null: nothing is known of it."""

    part: str
    message: str
    next_step: str
    known_at: datetime | None


class TriggersAnswer(Told):
    """What calls a function, as it was read at `read_at`; null: nobody has asked AWS yet, and nothing is known.

    `reserved` null: none is set, or that is one of the `problems`. `left_out`: so many aliases were not asked about.
    """

    read_at: datetime | None
    triggers: list[TriggerLine]
    reserved: int | None
    provisioned: list[ProvisionedLine]
    problems: list[TriggerProblem]
    left_out: int


@router.get("/functions/{function}/triggers", response=TriggersAnswer)
def get_triggers(request: ApiRequest, function: str) -> dict[str, Any]:
    """What calls a function, by the last reading."""
    return _told(request, addressing.find(function, request.actor).function)


@router.post("/functions/{function}/triggers", response=TriggersAnswer)
def read_triggers(request: ApiRequest, function: str) -> dict[str, Any]:
    """Ask AWS now what calls a function."""
    row = addressing.find(function, request.actor).function
    readings.read(request.actor, row)
    return _told(request, row)


def _told(request: ApiRequest, row: Function) -> dict[str, Any]:
    found = function_triggers(row.pk)
    calling, past = sum(each.calls for each in found.rows), sum(each.passes_by for each in found.rows)
    known = f"{row.name}: {counted(calling, 'trigger')}, {past} of them past its aliases."
    if found.problems:
        known += f" Not readable: {', '.join(each.part for each in found.problems)}."
    text = known if found.read_at else f"What calls {row.name} was not read yet."
    return {
        "text": text,
        "url": link(request, f"{reverse('function-configuration', args=[row.pk])}#triggers"),
        "read_at": found.read_at,
        "triggers": [
            {
                "kind": each.trigger.part.value,
                "way": each.reach.way.value,
                "reaches": each.reach.says,
                **{name: getattr(each.trigger, name) for name in ("qualifier", "source", "detail")},
            }
            for each in found.rows
        ],
        "reserved": found.reserved,
        "provisioned": [
            {name: getattr(each, name) for name in ProvisionedLine.model_fields} for each in found.provisioned
        ],
        "problems": [
            {
                "part": each.part,
                "message": each.problem.message,
                "next_step": each.problem.next_step,
                "known_at": each.known_at,
            }
            for each in found.problems
        ],
        "left_out": found.left_out,
    }
