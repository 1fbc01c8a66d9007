"""What is told of everything that happens: to each token what is within its reach."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from functions_app import eventlog
from functions_app.domain.tokens import EVERYWHERE, Reach
from functions_app.eventlog import Entry
from functions_app.streams.frames import event
from functions_app.streams.sources import Snapshot


@dataclass(frozen=True)
class Events:
    """The events of some kinds (none: of all) about functions within a reach; what is of none is for who has it all."""

    reach: Reach = EVERYWHERE
    kinds: frozenset[str] = frozenset()

    def snapshot(self) -> Snapshot:
        """How far they are numbered; it never ends. Two queries, more where some are to be numbered."""
        eventlog.number_new()
        return Snapshot(0, eventlog.last(), ended=False, stranded=False, settled=False, frames=b"")

    def read(self, after: int, limit: int, until: int) -> list[Entry]:
        """Events of everybody: numbers have no gap. One query."""
        return eventlog.read(after, limit, until)

    def frame(self, lines: Sequence[Entry]) -> bytes:
        """An event for each that is shown, with its number; b"" where none is."""
        return b"".join(
            event(line.kind, json.dumps(told(line), cls=DjangoJSONEncoder, ensure_ascii=False), identity=line.sequence)
            for line in lines
            if self.shows(line)
        )

    def shows(self, line: Entry) -> bool:
        """Whether this one is told."""
        return self.reach.covers_arn(line.arn) and (not self.kinds or line.kind in self.kinds)


def told(line: Entry) -> dict[str, Any]:
    """An event as machines are told of it."""
    names = ("sequence", "at", "kind", "text", "run", "facts")
    return {"function": line.arn, **{name: getattr(line, name) for name in names}}
