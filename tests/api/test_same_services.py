"""Everything a person can do, a bot can do: a change that the pages ask services for is asked of the API, too.

What changes something is found in the source: what writes rows, and what calls something that does.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import functions_app

ROOT = Path(functions_app.__file__).parent
SERVICES = "functions_app.services"
WRITES = {"save", "create", "bulk_create", "update", "bulk_update", "update_or_create", "get_or_create", "delete"}

SIGNED_IN = "of a session in a browser, which a bot has none of"
OWN_PASSWORD = "one's own password is changed by who types the old one"
# What pages alone ask for, each with the reason.
PAGES_ALONE: Mapping[str, str] = {
    "chat.links.make_code": "a bot would make itself a person in the chat, whose changes need fewer approvals",
    "people.passwords.changed": OWN_PASSWORD,
    "people.sessions.used": SIGNED_IN,
    "people.sign_in.accepted": SIGNED_IN,
    "people.sign_in.ended": SIGNED_IN,
    "people.sign_in.refused": SIGNED_IN,
    "engine.plans.apply": "of an undo that asks nobody; the API confirms any plan (approvals.confirm)",
    "sync.run.submit": "a bot joins the sync that is under way (submit_or_join), where a person is told of it",
}


@cache
def tree_of(path: Path) -> ast.Module:
    """What is written in a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def path_of(module: str) -> Path:
    """Where a module stands."""
    return ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")


@cache
def functions_of(module: str) -> Mapping[str, ast.FunctionDef]:
    """The functions of a module of the services, by name; none where it is no such module."""
    there = module.startswith(SERVICES) and path_of(module).exists()
    body = tree_of(path_of(module)).body if there else []
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


@cache
def imports(path: Path) -> Mapping[str, str]:
    """By the name that a file knows it by, what it imports of the services; its own functions, too."""
    module = ".".join(("functions_app", *path.relative_to(ROOT).with_suffix("").parts))
    own = {name: f"{module}.{name}" for name in functions_of(module)}
    return own | {
        each.asname or each.name: f"{node.module}.{each.name}"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(SERVICES)
        for each in node.names
    }


def named(node: ast.AST, names: Mapping[str, str]) -> Iterator[str]:
    """The functions of services that are named somewhere in a piece of source."""
    for each in ast.walk(node):
        full = ""
        if isinstance(each, ast.Name) and each.id in names:
            full = names[each.id]
        elif isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id in names:
            full = f"{names[each.value.id]}.{each.attr}"
        module, _, name = full.rpartition(".")
        if name in functions_of(module):
            yield full


@cache
def changes(full: str) -> bool:
    """Whether a function of the services writes rows, or calls one that does."""
    seen, waiting = {full}, [full]
    while waiting:
        module, _, name = waiting.pop().rpartition(".")
        body = functions_of(module)[name]
        calls = (each.func for each in ast.walk(body) if isinstance(each, ast.Call))
        if any(isinstance(call, ast.Attribute) and call.attr in WRITES for call in calls):
            return True
        more = set(named(body, imports(path_of(module)))) - seen
        seen |= more
        waiting += sorted(more)
    return False


def asked(room: str) -> set[str]:
    """The changes that a room of doors asks services for, as in "changes.deploy.plan"."""
    paths = (ROOT / room).rglob("*.py")
    found = {full for path in paths for full in named(tree_of(path), imports(path))}
    asked_for = {full.removeprefix(f"{SERVICES}.") for full in found if changes(full)}
    return {name for name in asked_for if not name.startswith("inventory.")}  # which only reads


def test_every_change_of_the_pages_has_an_endpoint() -> None:
    assert sorted(asked("web") - asked("api") - set(PAGES_ALONE)) == []


def test_what_changes_something_is_seen_through_the_functions_between() -> None:
    assert changes(f"{SERVICES}.images.scans.read_one")
    assert not changes(f"{SERVICES}.people.people_list.everybody")


def test_no_row_is_left_over() -> None:
    assert sorted(set(PAGES_ALONE) - (asked("web") - asked("api"))) == []
