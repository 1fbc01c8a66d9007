"""What every step minds that asks or changes AWS: no answer is no failure, what may have happened is told first."""

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Outcome, Skipped, Wait
from functions_app.models import Function
from functions_app.services.engine.steps import Context
from functions_app.services.sync.refresh import refresh_function

server_log = logging.getLogger(__name__)
SHORT, LONG = timedelta(minutes=3), timedelta(minutes=15)  # limits of steps: one that asks, one that waits for Lambda
PASSING = frozenset({Code.UNREACHABLE, Code.THROTTLED, Code.UNKNOWN_OUTCOME})
UNANSWERED = frozenset({Code.UNREACHABLE, Code.UNKNOWN_OUTCOME})
ALIAS, GOLDEN = "Alias ", "Golden image "  # begin the sentences that are about one of several, whose name follows
SUBJECTS = ("Golden", "Code", "Version", "Alias")  # first words of what is told, in the order of what is done
Action = Callable[[Context], Outcome]


def patient(action: Action) -> Action:
    """Look again where AWS gave no answer: the step reads before it writes, so it finds out what happened.

    Its StepSpec has a limit, which ends the waiting. Any other failure refreshes the snapshot, then goes on.
    """

    @functools.wraps(action)
    def step(context: Context) -> Outcome:
        try:
            return action(context)
        except DrydockError as error:
            if error.problem.code in PASSING:
                context.log.warning(f"{error} Looking again in 2 s.")
                return Wait(2, f"no clear answer from AWS: {error}")
            refresh(context)
            raise

    return step


@contextmanager
def uncertain(context: Context, maybe: str, not_done: str) -> Iterator[None]:
    """Around a change of AWS. What may have happened is told first: this worker may die, or Lambda not answer, and
    the page must not claim that nothing happened.
    """
    tell(context, maybe)
    context.save()
    try:
        yield
    except DrydockError as error:
        if error.problem.code not in UNANSWERED:
            tell(context, not_done)
        raise


def refresh(context: Context) -> Outcome:
    """Read the function into the snapshot. That this fails is told, and undoes nothing: the next sync makes it good."""
    function = Function.objects.filter(pk=context.run.function_id or 0).first()
    if function is None:
        return Skipped("the function is no longer in the snapshot")
    try:
        refresh_function(function, context.run)
    except DrydockError as error:
        context.log.warning(f"The snapshot was not refreshed: {error} The next sync does it.")
        return Skipped(f"not refreshed: {error}")
    except DatabaseError as error:  # nor may it hide why a step failed, or that the alias was put back
        server_log.exception("run %s: the snapshot was not refreshed", context.run.pk)
        context.log.warning(f"The snapshot was not refreshed: {type(error).__name__}. The next sync does it.")
        return Skipped(f"not refreshed: {type(error).__name__}")
    return Done("the pages show it")


def tell(context: Context, sentence: str) -> None:
    """What was really done, for the run's page: one sentence of each subject, in the order of what is done."""
    subject = _subject(sentence)
    told = [line for line in context.result.get("told", []) if _subject(line) != subject]
    context.result["told"] = sorted([*told, sentence], key=_place)


def _subject(sentence: str) -> tuple[str, ...]:
    """What it is about: its first word, of an alias or a golden image also its name."""
    first = sentence.partition(" ")[0].rstrip(":")
    opening = next((words for words in (ALIAS, GOLDEN) if sentence.startswith(words)), "")
    return (first, sentence.removeprefix(opening).partition(" ")[0]) if opening else (first,)


def _place(sentence: str) -> int:
    subject = _subject(sentence)[0]
    return SUBJECTS.index(subject) if subject in SUBJECTS else len(SUBJECTS)
