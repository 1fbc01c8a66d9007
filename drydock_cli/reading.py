"""The verbs that only look at functions."""

from collections.abc import Collection, Iterable, Sequence

from drydock_cli.failures import Document, ExitCode, Failure
from drydock_cli.pages import CURSOR, show_page
from drydock_cli.server import segment
from drydock_cli.text import table
from drydock_cli.verbs import NAME, Context, Option, Verb, Word

WORDS = Word("words", "what its name, owner, base, digest or the like hold: all of them", needed=False, several=True)
FILTER = Option("filter", "as in the pages' addresses: account=prod, base=python:3.12", "NAME=VALUE", several=True)
SHORT = slice(7, 19)  # of a digest: what people compare


def list_functions(context: Context) -> ExitCode:
    """Image functions, those with a problem first."""
    return _functions(context, context.given.filter)


def stale(context: Context) -> ExitCode:
    """The same, those alone whose base image is stale."""
    return _functions(context, ["freshness=stale", *context.given.filter])


def show(context: Context) -> ExitCode:
    """One function, and what its aliases run."""
    found = _function(context)
    rows = [
        (lane["alias"] or "(no alias)", lane["version"], f"{lane['weight']:.0%}", lane["digest"][SHORT])
        for lane in found["aliases"]
    ]
    context.screen.answer(found, table(rows))
    return ExitCode.DONE


def why(context: Context) -> ExitCode:
    """Why a function is stale, and what else is wrong with it."""
    found = _function(context)
    facts = ("freshness", "freshness_reason", "base", "releases_behind", "overdue_on", "end_of_life_on", "problem")
    context.screen.answer(found, table([(name.replace("_", " "), str(found[name])) for name in facts if found[name]]))
    return ExitCode.DONE


def diff(context: Context) -> ExitCode:
    """What aliases run, against $LATEST and the tag that they were deployed by."""
    found = _function(context)
    known = _versions(context, {"$LATEST", *(lane["version"] for lane in found["aliases"])})
    latest = known.get("$LATEST", {}).get("digest")
    lanes = [{**lane, **_against(known.get(lane["version"], {}), lane["digest"], latest)} for lane in found["aliases"]]
    context.screen.answer({**found, "aliases": lanes}, table([_difference(lane) for lane in lanes]))
    return ExitCode.DONE


def _versions(context: Context, wanted: Collection[str]) -> dict[str, Document]:
    """The versions of these numbers, from as many pages as they stand on."""
    known: dict[str, Document] = {}
    path, query = f"/functions/{segment(context.given.name)}/versions", dict[str, str]()
    while True:
        page = context.server.get(path, query)
        known |= {each["version"]: each for each in page["versions"] if each["version"] in wanted}
        if page["next"] is None or len(known) == len(wanted):
            return known
        query = {"cursor": page["next"]}


def _against(version: Document, digest: str, latest: str | None) -> Document:
    tag = version.get("deployed_tag", "")
    moved = " has moved since" if version.get("tag_moved") else ""
    return {
        "tag": f"tag {tag}{moved}" if tag else "no tag known",
        "latest": "" if latest is None else "as $LATEST" if latest == digest else f"$LATEST is {latest[SHORT]}",
        "base": version.get("base", ""),
        "freshness": version.get("freshness", "unknown"),
    }


def _difference(lane: Document) -> tuple[str, ...]:
    base = f"{lane['base'] or 'base unknown'}: {lane['freshness']}"
    return lane["alias"] or "(no alias)", lane["version"], lane["digest"][SHORT], lane["tag"], lane["latest"], base


def _function(context: Context) -> Document:
    return context.server.get(f"/functions/{segment(context.given.name)}")


def _functions(context: Context, filters: Sequence[str]) -> ExitCode:
    query: dict[str, list[str]] = {"search": [" ".join(context.given.words)]} if context.given.words else {}
    for name, equals, value in (each.partition("=") for each in filters):
        if not equals:
            raise Failure(ExitCode.USAGE, "invalid", f"{name!r} is no filter.", "Write it as NAME=VALUE.")
        query.setdefault(name, []).append(value)
    show_page(context, "/functions", query, "functions", _row)
    return ExitCode.DONE


def _row(row: Document) -> Iterable[str]:
    aliases = ", ".join(f"{each['name']} {each['version']} {each['digest'][SHORT]}" for each in row["aliases"])
    return row["name"], row["account"], row["region"], row["freshness"], row["base"], aliases


VERBS = (
    Verb("list", "functions, or those that hold all of the words", list_functions, (WORDS,), (FILTER, CURSOR)),
    Verb("show", "a function, and what its aliases run", show, (NAME,)),
    Verb("stale", "functions whose base image is stale", stale, (WORDS,), (FILTER, CURSOR)),
    Verb("why", "why a function is stale, and what else is wrong with it", why, (NAME,)),
    Verb("diff", "what aliases run, against their tag, $LATEST and their base", diff, (NAME,)),
)
