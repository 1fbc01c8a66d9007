"""What a feed tells of a run: markup to pages, JSON to machines."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.serializers.json import DjangoJSONEncoder

from functions_app import runlog
from functions_app.domain.runs import Status, is_settled
from functions_app.models import Run
from functions_app.runlog import Line
from functions_app.services.inventory.runs import run_told
from functions_app.services.inventory.runs.run_list import stranded_run
from functions_app.streams.frames import event
from functions_app.streams.run_templates import log_html, state_html
from functions_app.streams.sources import Snapshot, Source


def _found(run_id: int) -> Run | None:
    wanted = Run.objects.select_related("function").prefetch_related("steps", "signals")
    return wanted.filter(pk=run_id).first()


def _snapshot(run: Run, frames: bytes) -> Snapshot:
    status = Status(run.status)
    settled, alone = is_settled(status, run.waits_for.split()), stranded_run(run) is not None
    return Snapshot(run.revision, run.line_count, status.ended, alone, settled, frames)


@dataclass(frozen=True)
class RunSource:
    """A run and its log, however it is told."""

    run_id: int

    def read(self, after: int, limit: int, until: int) -> list[Line]:
        """Lines of its log. One query."""
        return runlog.read(self.run_id, after, limit, until)


@dataclass(frozen=True)
class RunPage(RunSource):
    """A run as its page shows it: first paint, replay and live use one template."""

    def snapshot(self) -> Snapshot | None:
        """The events `steps`, `outcome`, `result` and `status`. Four queries, five where it keeps others alive."""
        if (run := _found(self.run_id)) is None:
            return None
        return _snapshot(run, b"".join(event(part, markup) for part, markup in state_html(run).items()))

    def frame(self, lines: Sequence[Line]) -> bytes:
        """One event that appends them all; its id is the last one's number, so that a resume is exact."""
        return event("", log_html(lines), identity=lines[-1].sequence)


@dataclass(frozen=True)
class RunJson(RunSource):
    """A run as the API tells it (docs/api.md): an event `state` as GET /runs/ID answers, and one for each log line."""

    def snapshot(self) -> Snapshot | None:
        """The event `state`. Four queries, five where it keeps others alive."""
        if (run := _found(self.run_id)) is None:
            return None
        return _snapshot(run, event("state", _json(run_told.of_run(run))))

    def frame(self, lines: Sequence[Line]) -> bytes:
        """An event `log` for each, with its number."""
        return b"".join(event("log", _json(run_told.of_line(line)), identity=line.sequence) for line in lines)


def of_run(run_id: int) -> tuple[Source, ...]:
    """Every way in which a run is told."""
    return RunPage(run_id), RunJson(run_id)


def _json(facts: object) -> str:
    return json.dumps(facts, cls=DjangoJSONEncoder, ensure_ascii=False)
