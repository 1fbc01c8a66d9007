"""What a plan to move an alias says first: one sentence of verdict, then what deviates, the worst first. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.aliases import version_name
from functions_app.domain.changes.base_changes import Base, BaseChange, Step, counted
from functions_app.domain.changes.configurations import Comparison
from functions_app.domain.changes.planned_ways_back import Held, PlannedWayBack
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.refs import repository_of

NAMED = 6  # settings that a sentence names; the table has all


class Level(StrEnum):
    """How much a remark matters."""

    DANGER = "danger"  # red
    MIND = "mind"  # amber
    FINE = "fine"


@dataclass(frozen=True)
class Remark:
    """Something that deviates: what it is about, and a sentence."""

    level: Level
    name: str
    text: str


@dataclass(frozen=True)
class Tick:
    """Something that must be ticked, for itself, before the plan is applied."""

    key: str
    text: str


NO_BASE = Base()


@dataclass(frozen=True)
class Running:
    """A version with its image and base: what an alias runs (with its share of the calls), or what it is to run.

    No number: it is yet to be published. `image` is HOST/NAME@DIGEST, '' where AWS does not tell.
    """

    version: str
    digest: str
    image: str
    base: Base = NO_BASE
    share: float = 1.0
    held: Held = Held.UNKNOWN

    @property
    def repository(self) -> str:
        """HOST/NAME as ECR names the repository, '' where it is not known."""
        return repository_of(self.image)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Running":
        """Read what `dataclasses.asdict` made of it."""
        return cls(**{**value, "base": Base(**value["base"]), "held": Held(value["held"])})


@dataclass(frozen=True)
class Facts:
    """What is judged: what runs now (the largest share first) and what is to run, compared, with the checks made.

    `opening` begins the verdict (a rollback's direction), `changes` and `comparisons` go with `runs`; `ran` are the
    repositories that this function is known to have run from.
    """

    function: str
    alias: str
    runs: Sequence[Running]
    goal: Running
    changes: Sequence[BaseChange]
    comparisons: Sequence[Comparison]
    ran: frozenset[str]
    checks: Sequence[Check]
    way_back: PlannedWayBack
    opening: str = ""
    more: Sequence[Remark] = ()

    @property
    def same_image(self) -> bool:
        """Whether the image stays what it is, against what has most of the calls."""
        return bool(self.runs and self.goal.digest and self.runs[0].digest == self.goal.digest)

    @property
    def foreign(self) -> bool:
        """Whether the image comes from a repository that this function never ran, as far as is known."""
        return bool(self.goal.repository) and self.goal.repository not in self.ran


@dataclass(frozen=True)
class Judgement:
    """The verdict with its level, what deviates, what is fine, and what the plan was judged by."""

    verdict: str
    level: Level
    remarks: tuple[Remark, ...] = ()
    fine: tuple[Check, ...] = ()
    runs: tuple[Running, ...] = ()
    goal: Running | None = None
    comparisons: tuple[Comparison, ...] = ()
    way_back: PlannedWayBack | None = None
    ticks: tuple[Tick, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether any setting differs."""
        return any(comparison.differences for comparison in self.comparisons)

    @property
    def fine_names(self) -> tuple[str, ...]:
        """What is fine, by names: a check that was made of each of several aliases once."""
        return tuple(dict.fromkeys(check.name for check in self.fine))

    def as_json(self) -> dict[str, Any]:
        """Plain values for the plan's body."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Judgement":
        """Read what `as_json` wrote."""
        back = value["way_back"]
        return cls(
            verdict=value["verdict"],
            level=Level(value["level"]),
            remarks=tuple(Remark(Level(row["level"]), row["name"], row["text"]) for row in value["remarks"]),
            fine=tuple(Check(**row) for row in value["fine"]),
            runs=tuple(Running.from_json(row) for row in value["runs"]),
            goal=Running.from_json(value["goal"]) if value["goal"] else None,
            comparisons=tuple(Comparison.from_json(row) for row in value["comparisons"]),
            way_back=PlannedWayBack.from_json(back) if back else None,
            ticks=tuple(Tick(**row) for row in value["ticks"]),
        )


def judge(facts: Facts) -> Judgement:
    """Judge a plan: the verdict's level is that of the worst remark."""
    forbidden = [check for check in facts.checks if check.ok is False]
    told = [check for check in facts.checks if check not in forbidden[:1]]  # the first is the verdict
    minded = {check.name for check in facts.checks if not check.ok}  # what is open for one has not passed for another
    remarks = sorted((*_remarks(facts), *of_checks(told)), key=lambda remark: list(Level).index(remark.level))
    worst = remarks[0].level if remarks else Level.FINE
    return Judgement(
        verdict=f"It can't be done as planned: {forbidden[0].text}" if forbidden else _verdict(facts),
        level=Level.DANGER if forbidden else worst,
        remarks=tuple(remarks),
        fine=(
            *(check for check in facts.checks if check.ok and check.name not in minded),
            *_same_configuration(facts.comparisons),
        ),
        runs=tuple(facts.runs),
        goal=facts.goal,
        comparisons=tuple(facts.comparisons),
        way_back=facts.way_back,
        ticks=_ticks(facts),
    )


def of_checks(checks: Iterable[Check]) -> list[Remark]:
    """The remarks that checks make: red where one forbids the plan, amber where it is to be minded."""
    return [
        Remark(Level.DANGER if check.ok is False else Level.MIND, check.name, check.text)
        for check in checks
        if not check.ok
    ]


def _ticks(facts: Facts) -> tuple[Tick, ...]:
    if not facts.foreign:
        return ()
    name = facts.goal.repository.partition("/")[2]
    return (Tick("repository", f"{name} is a repository that {facts.function} never ran. It is meant."),)


def _verdict(facts: Facts) -> str:
    """One sentence: repository, base, configuration, against what has most of the calls."""
    parts = [_repository(facts)]
    if facts.runs:
        parts += [] if facts.same_image else [facts.changes[0].text]
        parts += [_configuration(facts.comparisons)]
    sentence = ", ".join(parts)
    return f"{facts.opening}{sentence if facts.opening else sentence[:1].upper() + sentence[1:]}."


def _repository(facts: Facts) -> str:
    name = facts.goal.repository.partition("/")[2] or "a repository that is not known"
    if facts.foreign:
        return f"from {name}, a repository that {facts.function} never ran"
    if not facts.runs:
        return f"{facts.alias} is new"
    now = facts.runs[0]
    if facts.same_image:
        return "the same image"
    if not now.repository or not facts.goal.repository:
        return "whether the repository is the same is not known"
    return "same repository" if now.repository == facts.goal.repository else f"from another repository, {name}"


def _configuration(comparisons: Sequence[Comparison]) -> str:
    first = comparisons[0] if comparisons else None
    if first is None or (first.unread and not first.differences):
        return "whether its configuration is the same is not known"
    if first.differences:
        number = len(first.differences)
        return f"{counted(number, 'setting')} {'differs' if number == 1 else 'differ'}"
    return "configuration unchanged"


def _same_configuration(comparisons: Sequence[Comparison]) -> list[Check]:
    """That no setting differs; what AWS's own hash says of it is a hint, since its scope is not documented."""
    if not comparisons or any(one.differences or one.unread for one in comparisons):
        return []
    hashes = {one.same_hash for one in comparisons}
    hint = ""
    if hashes == {True}:
        hint = " AWS's own hash of it (ConfigSha256) says so too."
    elif False in hashes:
        hint = " AWS's own hash of it (ConfigSha256) differs: it may cover what Drydock does not compare."
    return [Check("Configuration", True, f"No setting differs.{hint}")]


def _remarks(facts: Facts) -> list[Remark]:
    found = [*facts.more]
    if facts.foreign:
        text = (
            f"{facts.goal.repository} is a repository that {facts.function} never ran: nothing that Drydock knows of "
            "this function was deployed from it."
        )
        found.append(Remark(Level.DANGER, "Repository", text))
    elif facts.runs and facts.runs[0].repository not in ("", facts.goal.repository) and facts.goal.repository:
        text = f"From {facts.goal.repository}; {facts.alias} runs {facts.runs[0].repository}."
        found.append(Remark(Level.MIND, "Repository", text))
    if facts.way_back.none:
        found.append(Remark(Level.DANGER, "Way back", facts.way_back.text))
    elif not facts.way_back.sure:
        found.append(Remark(Level.MIND, "Way back", facts.way_back.text))
    return [*found, *_of_base(facts), *_of_configuration(facts)]


def _of_base(facts: Facts) -> list[Remark]:
    goal, found = facts.goal.base, []
    for run, change in zip(facts.runs, facts.changes, strict=True):
        if change.step in (Step.OLDER, Step.OTHER, Step.SIDEWAYS) and run.digest != facts.goal.digest:
            back = "goes back" if change.step is Step.OLDER else "is another"
            behind = f", {counted(change.releases, 'release')} older" if change.releases else ""
            found.append(Remark(Level.MIND, "Base", f"Its base {back}: {run.base} → {goal}{behind}."))
    if goal.freshness == Freshness.END_OF_LIFE:
        ended = all(run.base.freshness == Freshness.END_OF_LIFE for run in facts.runs) and bool(facts.runs)
        found.append(Remark(Level.MIND if ended else Level.DANGER, "Base", f"Its base is at its end. {goal.reason}"))
    elif goal.freshness == Freshness.STALE:
        found.append(Remark(Level.MIND, "Base", f"Its base is stale. {goal.reason}"))
    elif goal.freshness != Freshness.CURRENT:
        found.append(Remark(Level.MIND, "Base", f"Whether its base is current is not known. {goal.reason}".strip()))
    return found


def _of_configuration(facts: Facts) -> list[Remark]:
    found = []
    for comparison in facts.comparisons:
        names = [difference.name for difference in comparison.differences]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        if names:
            text = f"Against {version_name(comparison.version)}: {', '.join(names[:NAMED])}{more}."
            found.append(Remark(Level.MIND, "Configuration", text))
        found += [Remark(Level.MIND, "Configuration", text) for text in comparison.unread]
    return list(dict.fromkeys(found))
