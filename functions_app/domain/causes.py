"""One cause said once: what failed for one reason, together."""

from collections.abc import Iterable
from dataclasses import dataclass

from functions_app.domain.errors import Code, Problem


@dataclass(frozen=True)
class Cause:
    """A reason, as the first that met it told, and the names of all that did; `met` where several met it by a name."""

    problem: Problem
    names: tuple[str, ...]
    met: int = 0

    @property
    def count(self) -> int:
        """How many met it."""
        return self.met or len(self.names)


def key_of(problem: Problem) -> tuple[Code, str, str]:
    """What is the same for all that failed for one reason."""
    return problem.code, problem.aws_code, problem.cause


def by_cause(problems: Iterable[tuple[str, Problem]]) -> tuple[Cause, ...]:
    """Group (name, its problem) by reason, as they are told."""
    found: dict[tuple[Code, str, str], tuple[Problem, list[str]]] = {}
    for name, problem in problems:
        found.setdefault(key_of(problem), (problem, []))[1].append(name)
    return as_told(Cause(problem, tuple(names)) for problem, names in found.values())


def as_told(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """A denial first, since somebody must act on it, then the most frequent."""
    return tuple(sorted(causes, key=lambda each: (each.problem.code is not Code.DENIED, -each.count)))
