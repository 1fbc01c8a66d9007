"""The one sentence that says how a base stands, and what to do about it."""

from dataclasses import dataclass

from functions_app.domain.errors import Problem
from functions_app.domain.text import counted
from functions_app.models import BaseStream
from functions_app.services.inventory.bases.base_list import Ends, Standing, Tally


@dataclass(frozen=True)
class BaseAdvice:
    """`level` is good, warn, bad or calm; `plan` says whether bringing functions forward is the thing to do."""

    level: str
    text: str
    detail: str = ""
    plan: bool = False


@dataclass(frozen=True)
class RadiusWords:
    """What follows each count of the blast radius: "3 SHARE; 2 CURRENT THROUGH."."""

    share: str
    current: str
    through: str


def radius_words(total: int, current: int, through: int) -> RadiusWords:
    """The words for so many functions: all, those on the current release, those on it through a golden image alone."""
    return RadiusWords(
        f"{'function' if total == 1 else 'functions'} {_verb(total, 'share')} this base",
        f"{'is' if current == 1 else 'are'} on the current release",
        f"; {through} {_verb(through, 'stand')} on it through a golden image alone" if through else "",
    )


def advise(
    stream: BaseStream, problem: Problem | None, ends: Ends, tally: Tally, older: int, *, releases: int, worn: str
) -> BaseAdvice:
    """Say the most important thing.

    `older`: functions on an older or unknown release; `releases`: how many are known; `worn`: the base beneath its
    current release that is not current any more, "" for none.
    """
    if not releases:
        return _nothing_known(stream, problem)
    total = tally.total
    if not total:
        return BaseAdvice("calm", "No function that Drydock reads stands on this base.", _watched(stream))
    overdue = tally.functions.get(Standing.OVERDUE, 0)
    unknown = tally.functions.get(Standing.UNKNOWN, 0)
    if ends.over:
        what = "runtime" if (ends.runtime_days or 1) <= 0 else "operating system"
        behind = f"{_runs(older)} of it." if older else "Each runs its last release."
        stand = f"{counted(total, 'function')} still {_verb(total, 'stand')} on it"
        text = f"{stream.name} is past its end of life and {stand}."
        detail = f"Its {what} gets no more patches: move to a newer base. {behind}"
        return BaseAdvice("bad", text, detail, plan=bool(older))
    if older:
        late = f" {overdue} {'is' if overdue == 1 else 'are'} overdue by policy." if overdue else ""
        if unknown == older:
            text = f"{counted(older, 'function')} {_verb(older, 'run')} a release that Drydock does not know.{late}"
        else:
            text = f"{_runs(older)}.{late}"
        detail = f"Bring {'it' if older == 1 else 'them'} forward. {_watched(stream)}".strip()
        return BaseAdvice("bad" if overdue else "warn", text, detail, plan=True)
    text = "The one function on it runs the current release"
    if total > 1:
        text = f"All {total} functions on it run the current release"
    if worn:
        detail = (
            f"Build {stream.name} anew on the current {worn}, then bring its functions forward. Where Drydock may push "
            "to its repository, the patch of any of them does both."
        )
        return BaseAdvice("warn", f"{text}, but that stands on an older {worn}.", detail)
    return BaseAdvice("good", f"{text}.", _watched(stream))


def _nothing_known(stream: BaseStream, problem: Problem | None) -> BaseAdvice:
    if problem:
        return BaseAdvice("bad", "Its registry could not be read, so none of its releases is known.", problem.message)
    if not stream.enabled:
        return BaseAdvice("calm", "It is switched off, and none of its releases is known.")
    if stream.polled_at:
        return BaseAdvice("calm", "It is not in its registry: not released yet, or taken away.", "It is looked for.")
    return BaseAdvice("calm", "It has not been read yet.", "The next poll reads its tag and its dated releases.")


def _watched(stream: BaseStream) -> str:
    return "" if stream.enabled else "It is switched off: new releases go unnoticed."


def _runs(functions: int) -> str:
    release = "an older release" if functions == 1 else "older releases"
    return f"{counted(functions, 'function')} {_verb(functions, 'run')} {release}"


def _verb(number: int, verb: str) -> str:
    return f"{verb}s" if number == 1 else verb
