"""A run, followed until it goes on no more: its log as it comes, and what became of it."""

import json
from typing import Any

import httpx

from drydock_cli import server
from drydock_cli.events import Event, events
from drydock_cli.failures import Document, ExitCode, Failure
from drydock_cli.text import printable
from drydock_cli.verbs import Context


def to_its_end(context: Context, run: int, after: int = 0) -> ExitCode:
    """Follow a run and tell what became of it; how it ended is how the command does."""
    return tell(context, until_settled(context, run, after))


def until_settled(context: Context, run: int, after: int = 0) -> Document:
    """Show a run's log after a line as it comes, whatever breaks off; gives the run once it goes on no more."""
    context.goes_on = f"Run {run} goes on. Follow it: drydock status {run} --wait. End it: drydock cancel {run}"
    silent = 0
    while silent < len(server.PAUSES):
        try:
            with context.server.stream(f"/runs/{run}/events", after) as chunks:
                for event in events(chunks):
                    silent, after = 0, int(event.identity or after)
                    if _is_over(context, event):
                        found = context.server.get(f"/runs/{run}")
                        context.goes_on = "" if found["ended"] else context.goes_on
                        return found
        except httpx.TransportError as error:
            context.screen.progress(f"Run {run}: disconnected ({type(error).__name__})")
        context.server.pause(server.PAUSES[silent])
        silent += 1
    raise Failure(ExitCode.UNREACHABLE, "unreachable", f"The log of run {run} breaks off again and again.")


def _is_over(context: Context, event: Event) -> bool:
    """Show an event; whether it is the last that there is to wait for."""
    if event.name == "log":
        context.screen.log(json.loads(event.data))
    if event.name != "state":
        return event.name == "eof"
    state = json.loads(event.data)
    context.screen.progress(_progress(state))
    return bool(state["settled"] and not state["ended"])  # after its end come the lines that are left, and eof


def _progress(state: Document) -> str:
    steps: list[dict[str, Any]] = state["steps"]
    done = sum(step["status"] in ("done", "skipped") for step in steps)
    at = next((step["title"] for step in steps if step["status"] in ("running", "waiting")), "")
    return f"Run {state['id']} {state['status']}, {done} of {len(steps)} steps done: {at or state['title']}"


def tell(context: Context, run: Document) -> ExitCode:
    """What became of a run."""
    for warning in run["warnings"]:
        context.screen.note(f"warning: {warning}")
    answered = str((run["result"].get("answer") or {}).get("payload", ""))  # of a function that was called
    context.screen.answer(run, [printable(answered)] if answered else [])
    if run["status"] == "succeeded":
        return ExitCode.DONE
    if not run["ended"]:
        told = f"drydock approve {run['id']}" if "approve" in run["takes"] else run["url"]
        context.screen.note(f"It waits. Let it go on: {told} End it: drydock cancel {run['id']}")
        return ExitCode.WAITS
    problem = run["problem"] or {}
    if problem.get("next_step"):
        context.screen.note(f"{problem.get('code')}: {problem['next_step']}")
    return ExitCode.FAILED
