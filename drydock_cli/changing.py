"""The verbs that change something: planned first, applied where nothing is left to confirm, followed with --wait."""

import json
import shlex
import sys
from typing import NoReturn
from uuid import UUID, uuid4

from drydock_cli import follow
from drydock_cli.failures import Document, ExitCode, Failure
from drydock_cli.running import number
from drydock_cli.server import segment
from drydock_cli.text import line, table
from drydock_cli.verbs import NAME, RUN, WAIT, Context, Option, Verb, Word

READINGS = 5  # of files, one after the other, before the plan of a patch: an image's and its bases' are read once, ever
ALIAS = Word("alias", "may stand behind the function, too: name:alias", needed=False)
PATCHED = Word("run_or_name", "the patch's run, or a function: its last one")
CONFIRM = Option("confirm", "the name that the plan asks for", "NAME")
TICK = Option("tick", "what the plan asks to be ticked", "KEY", several=True)
KEY = Option("key", "what you call this change (build-417): sent twice with one key it is made once", "KEY")
DRY_RUN = Option("dry-run", "plan it, and change nothing")
MODE = Option("mode", "sync, async or dry_run", "MODE")
TENANT = Option("tenant", "whose call it is, where a function keeps tenants apart", "TENANT")
PLANNED = (CONFIRM, TICK, DRY_RUN, KEY, WAIT)


def deploy(context: Context) -> ExitCode:
    """Deploy an image and point the alias to it."""
    given = context.given
    return _planned(context, "/deployments", {"function": given.name, "image": given.image, "alias": given.alias})


def roll_back(context: Context) -> ExitCode:
    """Point an alias to another version; without one: which there are."""
    given = context.given
    alias, version = ("", given.alias) if given.alias.isdigit() and not given.version else (given.alias, given.version)
    if version:
        return _planned(context, "/rollbacks", {"function": given.name, "version": version, "alias": alias})
    found = context.server.get(f"/functions/{segment(given.name)}/ways-back")
    rows = [(way["alias"], *_way_back(target)) for way in found["aliases"] for target in way["targets"]]
    context.screen.answer(found, table([row for row in rows if alias in ("", row[0])]))
    raise Failure(ExitCode.USAGE, "invalid", "Nothing was changed: no version is named.", "Name one of these.")


def _way_back(target: Document) -> tuple[str, ...]:
    seen = f"live until {target['live_until'][:16]}" if target["live_until"] else "never seen live there"
    about = target["obstacle"] or ", ".join([*target["tags"], *target["remarks"]])
    return target["version"], target["digest"][7:19], seen, about


def patch(context: Context) -> ExitCode:
    """Put a function onto the newest release of its base; files that the verdict needs are read before, and awaited."""
    given, key = context.given, context.given.key or uuid4().hex
    body = {"function": f"{given.name}:{given.alias}" if given.alias else given.name, **_confirmed(context)}
    for _ in range(READINGS):
        document = _send(context, "/patches", body, key)
        if not _is_run(document) or context.server.get(f"/runs/{document['id']}")["kind"] != "read_files":
            return _began(context, document)
        context.screen.note(f"Run {document['id']} reads files that the verdict needs first.")
        read = follow.until_settled(context, document["id"])
        if read["status"] != "succeeded":
            return follow.tell(context, read)
    raise Failure(ExitCode.FAILED, "failed", "Files are to be read again and again.", "Look at it in the browser.")


def undo(context: Context) -> ExitCode:
    """Take a patch back: by its run, or a function's last one."""
    run = what = context.given.run_or_name
    if not what.isdecimal():
        run = context.server.get(f"/functions/{segment(what)}")["last_patch"]
    if run is None:
        told = f"{what} has no patch that could be undone."
        raise Failure(ExitCode.REFUSED, "not_found", told, "Roll back instead, or name the run.")
    return _planned(context, f"/runs/{number(str(run))}/undo", {})


def invoke(context: Context) -> ExitCode:
    """Call a function once, with JSON."""
    given = context.given
    try:
        text = sys.stdin.read() if given.payload == "-" else given.payload
        text.encode()  # what was no UTF-8 is not sent as something else
        payload = json.loads(text, parse_constant=_no_constant) if text.strip() else None
    except ValueError as error:
        raise Failure(ExitCode.USAGE, "invalid", f"The payload is no JSON: {error}.", "Nothing was sent.") from error
    body = {"function": given.name, "payload": payload, "mode": given.mode or "sync", "tenant": given.tenant}
    return _began(context, _send(context, "/invocations", body, given.key))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")  # which Python would take (RFC 8259)


def cancel(context: Context) -> ExitCode:
    """Ask a run to end."""
    path, reason = f"/runs/{number(context.given.run)}/cancel", " ".join(context.given.reason)
    return _began(context, _send(context, path, {"reason": reason}))


def approve(context: Context) -> ExitCode:
    """Apply a plan, agree to one that waits for an approver, or let a run go on that does."""
    given = context.given
    try:
        plan = f"/plans/{UUID(given.code_or_run)}"
    except ValueError:
        return _began(context, _send(context, f"/runs/{number(given.code_or_run)}/approve", {}))
    if context.server.get(plan).get("state") == "waiting":
        return _began(context, _send(context, f"{plan}/approve", {}))
    return _began(context, _send(context, f"{plan}/apply", {"confirm": given.confirm, "ticks": given.ticks}))


def _planned(context: Context, path: str, body: Document) -> ExitCode:
    return _began(context, _send(context, path, body | _confirmed(context), context.given.key))


def _confirmed(context: Context) -> Document:
    return {"confirm": context.given.confirm, "ticks": context.given.tick}


def _send(context: Context, path: str, body: Document, key: str = "") -> Document:
    """Ask for a change; what is left off meanwhile may have begun."""
    context.goes_on = "It may have begun: drydock runs tells."
    query, key = ({"dry_run": "true"}, "") if _only_planned(context) else ({}, key)  # the key is of the change itself
    try:
        document = context.server.post(path, body, key=key, query=query)
    except Failure as failure:
        if failure.exit_code is not ExitCode.UNREACHABLE:
            context.goes_on = ""
        raise
    context.goes_on = ""
    return document


def _only_planned(context: Context) -> bool:
    return bool(getattr(context.given, "dry_run", False))


def _is_run(document: Document) -> bool:
    return isinstance(document["id"], int)  # a plan's is a UUID


def _began(context: Context, document: Document) -> ExitCode:
    """A run was started, or a plan waits for what it asks."""
    if "checks" in document:
        return _tell_plan(context, document)
    if not _is_run(document):
        context.screen.answer(document)
        context.screen.note(f"Nothing was changed yet. An approver agrees: drydock approve {document['id']}")
        return ExitCode.WAITS
    if context.waits:
        return follow.to_its_end(context, document["id"])
    context.screen.answer(document)
    return ExitCode.DONE


def _tell_plan(context: Context, plan: Document) -> ExitCode:
    marks = {True: "yes", False: "NO", None: "not known"}
    checks = table([(marks[check["ok"]], check["name"], check["text"]) for check in plan["checks"]])
    ticks = table([(f"tick {tick['key']}", tick["text"]) for tick in plan["ticks"]])
    context.screen.answer(plan, [*checks, *ticks, *filter(None, [line(plan["verdict"])])])
    asks = [
        *(f"--confirm {shlex.quote(name)}" for name in [plan["confirm"]] if name),
        *(t["key"] for t in plan["ticks"]),
    ]
    context.screen.note(f"Nothing was changed. Apply it: drydock approve {plan['id']} {' '.join(asks)}")
    return ExitCode.DONE if _only_planned(context) else ExitCode.WAITS


VERBS = (
    Verb(
        "deploy",
        "deploy an image by tag or digest and point the alias to it",
        deploy,
        (NAME, Word("image", "tag, digest or reference"), ALIAS),
        PLANNED,
    ),
    Verb("patch", "put a function onto the newest release of its base", patch, (NAME, ALIAS), PLANNED),
    Verb(
        "rollback",
        "point an alias to another version; without one: which there are",
        roll_back,
        (NAME, ALIAS, Word("version", "its number", needed=False)),
        PLANNED,
    ),
    Verb("undo", "take a patch back: by its run, or the last one of a function", undo, (PATCHED,), PLANNED),
    Verb(
        "invoke",
        "call a function once, with JSON",
        invoke,
        (NAME, Word("payload", "JSON; - reads it from standard input", needed=False)),
        (MODE, TENANT, KEY, WAIT),
    ),
    Verb("cancel", "ask a run to end", cancel, (RUN, Word("reason", "why", needed=False, several=True)), (WAIT,)),
    Verb(
        "approve",
        "apply a plan, or let a run that waits for it go on",
        approve,
        (Word("code_or_run", "the plan's id, or the run's number"), Word("ticks", "keys to tick", False, True)),
        (CONFIRM, WAIT),
    ),
)
