"""Everything a person can do, a bot can do: what the pages ask services for is asked of the API, too.

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
    "people.grids.keep_grid": "how a person has a page, which a bot has none of",
    "people.passwords.changed": OWN_PASSWORD,
    "people.sessions.used": SIGNED_IN,
    "people.sign_in.accepted": SIGNED_IN,
    "people.sign_in.ended": SIGNED_IN,
    "people.sign_in.refused": SIGNED_IN,
    "engine.plans.apply": "of an undo that asks nobody; the API confirms any plan (approvals.confirm)",
    "sync.run.submit": "a bot joins the sync that is under way (submit_or_join), where a person is told of it",
}


# What pages alone read, each with where a bot is told the same, or why it is not.
READ_BY_PAGES_ALONE: Mapping[str, str] = {
    "inventory.anything.find.ways_back_of": "/functions/NAME/ways-back",
    "inventory.fleet.advice.broken_version": "which link of the chain is red: states are in /functions/NAME/versions",
    "inventory.fleet.function.configuration": "/functions/NAME/configuration",
    "inventory.fleet.function.overridden": "words on image_settings of /functions/NAME/configuration",
    "inventory.fleet.worth_knowing.worth_knowing": "what a page explains of /functions/NAME/configuration",
    "inventory.fleet.lines.lines_of": "which aliases a page draws; /functions tells all of them",
    "inventory.fleet.list_filter.known_filters": "what an address may say: the API refuses what it does not know",
    "inventory.fleet.list_filter.left_out": "a second alias in an address, which the API refuses",
    "inventory.fleet.list_filter.as_pairs": "writes the address of a page",
    "inventory.fleet.list_filter.sort_word": "the word of a page for how it is sorted",
    "inventory.fleet.selection.selection_page": "words on /selections/ID; POST /patch-lists plans those of each base",
    "inventory.fleet.search.short_words": "what the search box says of words that are too short",
    "inventory.fleet.ways_back.ways_back": "words on what /functions/NAME/ways-back tells",
    "inventory.images.choices.choices_of": "which images a page offers to compare with: /repositories/ID/images",
    "inventory.images.deploy_to.deploy_to": "whether a function can run an image: POST /deployments?dry_run=true",
    "inventory.images.image.function_images": "chooses among what /functions/NAME/versions tells",
    "inventory.images.repository.repository": "/repositories/ID and /repositories/ID/images",
    "inventory.patches.base_findings": "the scans of two releases: /images/ID/scan of each",
    "inventory.patches.last_patch": "last_patch of /functions/NAME",
    "inventory.patches.reading_of": "the run that a patch was answered with: /runs/ID",
    "inventory.patches.standing_on": "/bases/ID of the golden image",
    "inventory.plans.waiting": "/plans?state=waiting",
    "inventory.runs.run_state.find_run": "/runs/ID, within the token's reach (reached_run)",
    "inventory.runs.run_log.log_page": "/runs/ID/logs",
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


@cache
def used(room: str) -> frozenset[str]:
    """All that a room of doors asks services for, as in "changes.deploy.plan"."""
    paths = (ROOT / room).rglob("*.py")
    found = {full for path in paths for full in named(tree_of(path), imports(path))}
    return frozenset(full.removeprefix(f"{SERVICES}.") for full in found)


def asked(room: str) -> set[str]:
    """The changes among it."""
    return {name for name in used(room) if not name.startswith("inventory.") and changes(f"{SERVICES}.{name}")}


def read(room: str) -> set[str]:
    """The readers of the inventory and the snapshot among it: they change nothing."""
    return {name for name in used(room) if name.startswith(("inventory.", "snapshot."))}


def test_every_change_of_the_pages_has_an_endpoint() -> None:
    assert sorted(asked("web") - asked("api") - set(PAGES_ALONE)) == []


def test_whatever_the_pages_read_has_an_endpoint() -> None:
    assert sorted(read("web") - read("api") - set(READ_BY_PAGES_ALONE)) == []


def test_what_changes_something_is_seen_through_the_functions_between() -> None:
    assert changes(f"{SERVICES}.images.scans.read_one")
    assert not changes(f"{SERVICES}.people.people_list.everybody")


def test_no_row_is_left_over() -> None:
    assert sorted(set(PAGES_ALONE) - (asked("web") - asked("api"))) == []
    assert sorted(set(READ_BY_PAGES_ALONE) - (read("web") - read("api"))) == []
