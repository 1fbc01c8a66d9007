"""What a look at an installation found: a line each, with how bad it is and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from functions_app.domain.errors import Problem
from functions_app.domain.redaction import redact


class State(StrEnum):
    """How a part does."""

    OK = "ok"
    WARN = "warn"  # it works, not as well as it should; or it is not known
    BAD = "bad"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Finding:
    """One line: of which part ("database", "account 123456789012 in eu-west-1"), how it does, in words, what to do."""

    part: str
    state: State
    words: str
    next_step: str = ""

    @classmethod
    def of(cls, part: str, state: State, words: str, problem: Problem) -> "Finding":
        """What an error says, without secrets: its cause behind the words, code and request id, its own next step."""
        names = [problem.aws_code, f"request {problem.request_id}" if problem.request_id else ""]
        told = ", ".join(name for name in names if name)
        text = f"{words} {problem.message}{f' ({told})' if told else ''}".strip()
        return cls(part, state, redact(text), problem.next_step)

    def as_json(self) -> dict[str, str]:
        """Plain values, the state by its word."""
        return {"part": self.part, "state": self.state.value, "words": self.words, "next_step": self.next_step}


def exit_code(findings: Iterable[Finding]) -> int:
    """1 where something is broken; what is only not as it should be is not."""
    return int(any(one.state is State.BAD for one in findings))


def counts(findings: Iterable[Finding]) -> str:
    """ "12 ok, 1 warn, 2 bad, 4 not tried"."""
    states = [one.state for one in findings]
    return ", ".join(f"{states.count(state)} {state}" for state in State if state in states) or "nothing"
