"""What calls a function, as it was read last, and which version each such call reaches now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from functions_app.domain.causes import by_cause
from functions_app.domain.errors import Problem
from functions_app.domain.fleet.triggers import Part, Provisioned, Reach, Trigger, Triggers, Way, reach
from functions_app.models import Alias, FunctionTriggers, Version


@dataclass(frozen=True)
class TriggerRow:
    """A trigger, and where its calls go by the aliases of now."""

    trigger: Trigger
    reach: Reach

    @property
    def passes_by(self) -> bool:
        """Whether there are aliases, and this one's calls don't go through any."""
        return self.calls and self.reach.way in (Way.PAST, Way.VERSION, Way.LOST)

    @property
    def calls(self) -> bool:
        """Whether it calls: how asynchronous calls are handled says nothing of who makes any."""
        return self.trigger.part is not Part.ASYNCHRONOUS


@dataclass(frozen=True)
class PartProblem:
    """A part that could not be read, or several for one reason, and why; `known_at`: when what is told of it was."""

    part: str
    problem: Problem
    known_at: datetime | None = None


@dataclass(frozen=True)
class FunctionTriggersFound:
    """All of it. `read_at` None: AWS was not asked yet. `callers` are the services that may call it."""

    read_at: datetime | None
    rows: tuple[TriggerRow, ...] = ()
    problems: tuple[PartProblem, ...] = ()
    provisioned: tuple[Provisioned, ...] = ()
    reserved: int | None = None
    reserved_known: bool = False
    concurrency_known: bool = False
    left_out: int = 0
    callers: tuple[str, ...] = ()


def function_triggers(pk: int) -> FunctionTriggersFound:
    """What was read last of a function; what was read of another one of its name is not told. Three queries."""
    kept = FunctionTriggers.objects.filter(function_id=pk).select_related("function").first()
    began = kept.function.histories_from if kept else None
    if kept is None or (began and kept.read_at < began):
        return FunctionTriggersFound(None)
    found = Triggers.from_json(kept.found)
    aliases = dict(Alias.objects.filter(function_id=pk).values_list("name", "version"))
    asked = {each.qualifier for each in found.triggers} | {"$LATEST.PUBLISHED"}
    versions = set(Version.objects.filter(function_id=pk, number__in=asked).values_list("number", flat=True))
    return FunctionTriggersFound(
        read_at=kept.read_at,
        rows=tuple(TriggerRow(each, reach(each.qualifier, aliases, versions, each.part)) for each in found.triggers),
        problems=tuple(_problems(found)),
        provisioned=found.provisioned,
        reserved=found.reserved,
        reserved_known=_known(found, Part.RESERVED),
        concurrency_known=_known(found, Part.CONCURRENCY),
        left_out=found.left_out,
        callers=found.callers,
    )


def _known(found: Triggers, part: Part) -> bool:
    return part.value not in found.problems or part.value in found.older


def _problems(found: Triggers) -> Iterator[PartProblem]:
    """The parts that failed for one reason together, those apart of which something older is told."""
    times = {found.older.get(part) for part in found.problems}
    for at in sorted(times, key=lambda at: (at is None, at)):
        failed = ((part, problem) for part, problem in found.problems.items() if found.older.get(part) == at)
        for each in by_cause(failed):
            yield PartProblem(", ".join(each.names), each.problem, at)
