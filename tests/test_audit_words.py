"""Every action that the code records has words: a new one without them fails here."""

import ast
import inspect
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.urls import get_resolver

from functions_app.domain import audit_words
from functions_app.domain.chat.grammar import Word
from functions_app.domain.runs import Kind, SignalKind, Status

ROOT = Path(__file__).parents[1] / "functions_app"
# what names within an action stand for
STANDS_FOR: dict[str, tuple[str, ...]] = {
    "kind": (*Kind, *SignalKind),
    "run.kind": tuple(Kind),
    "plan.kind": tuple(Kind),
    "plan.kind if plan else 'plan'": (*Kind, "plan"),
    "verb": ("apply", "ask", "approve", "reject"),
    "status": (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED),
    "verb.word": tuple(Word),
}
# where in the call the action stands
RECORDS = {"audit": 1, "require_operator": 1, "require_operator_with": 2, "require_setter": 1, "_themselves": 2}


def texts(node: ast.expr, names: dict[str, list[ast.expr]]) -> Iterator[str]:
    """What an expression may be: constants, either side of a condition, names with what they are given, f-strings."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body, names)
        yield from texts(node.orelse, names)
    elif isinstance(node, ast.Name):
        for given in names.get(node.id, []):
            yield from texts(given, names)
    elif isinstance(node, ast.JoinedStr):
        parts = [STANDS_FOR[ast.unparse(part.value)] if isinstance(part, ast.FormattedValue) else texts(part, names)
                 for part in node.values]  # fmt: skip
        yield from map("".join, product(*(list(part) for part in parts)))


def recorded(path: Path) -> set[str]:
    """The actions that a file records."""
    tree = ast.parse(path.read_text())
    names: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target, value in _pairs(node):
                names.setdefault(target, []).append(value)
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            at = RECORDS.get(name)
            if at is not None and len(node.args) > at:
                found |= set(texts(node.args[at], names))
    return found - {""}


def _pairs(node: ast.Assign) -> Iterator[tuple[str, ast.expr]]:
    for target in node.targets:
        if isinstance(target, ast.Name):
            yield target.id, node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from ((one.id, value) for one, value in zip(target.elts, node.value.elts, strict=True)
                        if isinstance(one, ast.Name))  # fmt: skip


def doors() -> set[str]:
    """The names of pages whose forms are for operators: what is refused there is recorded by them."""
    patterns = [each for one in get_resolver().url_patterns for each in getattr(one, "url_patterns", [one])]
    return {each.name for each in patterns if getattr(each, "name", None) and _is_guarded(each.callback)}


def _is_guarded(view: Any) -> bool:
    """Whether a view is for operators, or hands on to one that is."""
    module = inspect.getmodule(view)
    if module is None or not module.__name__.startswith("functions_app.web"):
        return False
    guarded = re.findall(r"@operator_required\n(?:@.+\n)*def (\w+)", inspect.getsource(module))
    source = inspect.getsource(inspect.unwrap(view))
    return any(re.search(rf"\b{name}\(", source) for name in guarded)


def signals_of(words: set[str]) -> set[str]:
    """Without what `kind` can't be in its place: a signal of a plan, a kind of run as a signal."""
    wrong = {f"{signal}.{verb}" for signal in SignalKind for verb in ("plan", "submit")} | {
        f"run.{kind}" for kind in Kind
    }
    return words - wrong


def test_every_action_that_is_recorded_has_words() -> None:
    found = signals_of({action for path in ROOT.rglob("*.py") for action in recorded(path)})
    assert len(found) > 100  # the search finds what there is
    assert {"stream.add", "login", "run.cancel", "deployment.plan", "token.rotate", "session.end"} <= found
    assert sorted(found - set(audit_words.WORDS)) == []


def test_every_form_that_is_refused_to_viewers_has_words() -> None:
    assert {"run-invoke-again", "function-deploy", "sync"} <= doors()
    assert sorted(doors() - set(audit_words.WORDS)) == []


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("stream.add", "Added a base image"),
        ("deployment.plan", "Planned a deployment"),
        ("run.cancel", "Asked a run to end"),
        ("of.an.older.drydock", "of.an.older.drydock"),
    ],
)
def test_an_action_is_told_in_words(action: str, words: str) -> None:
    assert audit_words.in_words(action) == words


def test_every_action_is_of_a_family() -> None:
    beginnings = [action for family in audit_words.FAMILIES for action in audit_words.actions_of(family)]
    assert [action for action in audit_words.WORDS if not action.startswith(tuple(beginnings))] == []
