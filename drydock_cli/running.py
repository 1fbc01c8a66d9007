"""The verbs about runs: how one stands, its log, and what is asked of it."""

from collections.abc import Iterable

from drydock_cli import follow
from drydock_cli.failures import Document, ExitCode, Failure
from drydock_cli.pages import CURSOR, show_page
from drydock_cli.text import table
from drydock_cli.verbs import RUN, WAIT, Context, Option, Verb, Word

AFTER = Option("after", "leave out the lines up to this number", "NUMBER")
STATUS = Word("status", "active, failed or another: only those", needed=False)


def status(context: Context) -> ExitCode:
    """How a run stands; without one, the fleet."""
    if not context.given.run:
        context.screen.answer(context.server.get("/functions"))
        return ExitCode.DONE
    run = context.server.get(f"/runs/{number(context.given.run)}")
    if context.waits:
        return follow.to_its_end(context, run["id"])
    context.screen.answer(run, table([(step["status"], step["title"], step["note"]) for step in run["steps"]]))
    return ExitCode.DONE


def logs(context: Context) -> ExitCode:
    """A run's log as far as it is written, or with --wait to its end."""
    run, after = number(context.given.run), number(context.given.after or "0")
    if context.waits:
        return follow.to_its_end(context, int(run), int(after))
    while True:
        found = context.server.get(f"/runs/{run}/logs", {"after": after})
        if context.screen.as_json:
            context.screen.answer(found)
            return ExitCode.DONE
        for each in found["lines"]:
            context.screen.log(each)
        if str(found["last"]) == after:
            return ExitCode.DONE
        after = str(found["last"])


def runs(context: Context) -> ExitCode:
    """The newest runs."""
    query = {"status": [context.given.status]} if context.given.status else {}
    show_page(context, "/runs", query, "runs", _row)
    return ExitCode.DONE


def _row(row: Document) -> Iterable[str]:
    return str(row["id"]), row["status"], row["steps"], row["title"], row["actor"], row["why"]


def number(text: str) -> str:
    """A number, as addresses have it. Raises Failure."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Failure(ExitCode.USAGE, "invalid", f"{text!r} is no number.", "drydock runs tells those of runs.")
    return text


VERBS = (
    Verb(
        "status", "how a run stands; without one: the fleet", status, (Word("run", RUN.about, needed=False),), (WAIT,)
    ),
    Verb("logs", "a run's log", logs, (RUN,), (WAIT, AFTER)),
    Verb("runs", "the newest runs", runs, (STATUS,), (CURSOR,)),
)
