"""`/functions/NAME/activity`: what happened to a function."""

from datetime import datetime

from django.urls import reverse
from ninja import Router, Schema

from functions_app.api.audit import AuditLine
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Format, Listed, Told, link
from functions_app.domain.audit_words import in_words
from functions_app.domain.text import counted
from functions_app.services.inventory.fleet import addressing
from functions_app.services.inventory.fleet.activity import SHOWN, function_activity
from functions_app.services.inventory.tables.history import move_table
from functions_app.services.people.actor import named
from functions_app.streams.table_download import table_answer

router = Router(tags=["fleet"])


class PastRun(Schema):
    """A run of this function."""

    id: int
    kind: str
    title: str
    status: str
    actor: str
    created_at: datetime
    ended_at: datetime | None


class MoveLine(Schema):
    """Where an alias was seen to point since then; an empty version: it was gone. `run` moved it, where one did."""

    alias: str
    version: str
    second_version: str
    second_weight: float
    at: datetime
    run: int | None


class ActivityAnswer(Told):
    """What happened to a function: at most 50 of each kind, the newest first."""

    runs: list[PastRun]
    moves: list[MoveLine]
    audit: list[AuditLine]


@router.get("/functions/{function}/activity", response=ActivityAnswer)
def get_activity(request: ApiRequest, function: str, format: Format = "") -> Listed:
    """Runs of a function, moves of its aliases, and what was asked of it; refused attempts too.

    As CSV all moves of its aliases.
    """
    row = addressing.find(function, request.actor).function
    if format:
        return table_answer(request, move_table(row.pk))
    found = function_activity(row.pk)
    counts = [
        counted(len(found.runs), "run"),
        counted(len(found.moves), "move"),
        counted(len(found.audit), "entry", "entries"),
    ]
    return {
        "text": f"{row.name}: {', '.join(counts)}, of each the newest {SHOWN}.",
        "url": link(request, reverse("function-activity", args=[row.pk])),
        "runs": [
            {
                "id": run.pk,
                "actor": named(run.actor_name, run.via),
                **{name: getattr(run, name) for name in ("kind", "title", "status", "created_at", "ended_at")},
            }
            for run in found.runs
        ],
        "moves": [
            {**{name: getattr(move, name) for name in MoveLine.model_fields if name != "run"}, "run": move.run_id}
            for move in found.moves
        ],
        "audit": [
            {
                "actor": named(entry.actor_name, entry.via),
                "run": entry.run_id,
                "words": in_words(entry.action),
                **{name: getattr(entry, name) for name in ("at", "action", "target", "result")},
            }
            for entry in found.audit
        ],
    }
