"""The language of IAM's policies: which statements speak to an action, a resource and a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

Verdict = Literal["allow", "deny", "silent"]
Document = Mapping[str, Any]


def listed(value: Any) -> list[Any]:
    """A value that a policy may give alone or in a list, as a list."""
    return value if isinstance(value, list) else [value]


def has_action(statement: Mapping[str, Any], action: str) -> bool:
    """Whether Action or NotAction includes an action, as "ecr:PutImage"; case does not count."""
    if "NotAction" in statement:
        return not any(fnmatchcase(action.lower(), str(each).lower()) for each in listed(statement["NotAction"]))
    return any(fnmatchcase(action.lower(), str(each).lower()) for each in listed(statement.get("Action", [])))


def has_resource(statement: Mapping[str, Any], resource: str) -> bool:
    """Whether Resource or NotResource includes an ARN."""
    if "NotResource" in statement:
        return not any(fnmatchcase(resource, str(each)) for each in listed(statement["NotResource"]))
    return any(fnmatchcase(resource, str(each)) for each in listed(statement.get("Resource", "*")))


def compare(operator: str, fact: str, wanted: list[str]) -> bool:
    """One condition by its operator in lower case; one that is not understood does not hold."""
    comparison = _COMPARISONS.get(operator)
    return comparison is not None and comparison(fact, wanted)


def knows(operator: str) -> bool:
    """Whether an operator, in lower case, is understood."""
    return operator in _COMPARISONS


def _like(fact: str, wanted: list[str]) -> bool:
    return any(fnmatchcase(fact, each) for each in wanted)


_COMPARISONS: dict[str, Callable[[str, list[str]], bool]] = {
    f"{kind}{name}": comparison
    for kind in ("string", "arn")
    for name, comparison in {
        "equals": lambda fact, wanted: fact in wanted,
        "notequals": lambda fact, wanted: fact not in wanted,
        "like": _like,
        "notlike": lambda fact, wanted: not _like(fact, wanted),
    }.items()
}


def conditions_hold(statement: Mapping[str, Any], facts: Mapping[str, str]) -> bool:
    """Whether all conditions hold; facts by key in lower case. A missing fact satisfies the negated operators only."""
    for operator, conditions in statement.get("Condition", {}).items():
        for key, wanted in conditions.items():
            fact, name = facts.get(key.lower()), operator.lower()
            if fact is None:
                if "not" not in name:
                    return False
            elif not compare(name, fact, [str(each) for each in listed(wanted)]):
                return False
    return True


def check(document: Document) -> None:
    """Raise ValueError for a policy that the sandbox would misread."""
    for statement in listed(document["Statement"]):
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise ValueError(f"a statement's Effect is Allow or Deny, not {statement.get('Effect')!r}")
        if not {"Action", "NotAction"} & set(statement):
            raise ValueError("a statement needs an Action or a NotAction")
        unknown = [name for name in statement.get("Condition", {}) if name.lower() not in _COMPARISONS]
        if unknown:
            raise ValueError(f"the sandbox knows no condition {unknown[0]}; there are: {', '.join(_COMPARISONS)}")


def evaluate(documents: Iterable[Document], action: str, resource: str, facts: Mapping[str, str]) -> Verdict:
    """What an identity's policies say: a Deny wins, silence is a denial where anything is allowed at all."""
    result: Verdict = "silent"
    for document in documents:
        for statement in listed(document["Statement"]):
            if not (
                has_action(statement, action)
                and has_resource(statement, resource)
                and conditions_hold(statement, facts)
            ):
                continue
            if statement["Effect"] == "Deny":
                return "deny"
            result = "allow"
    return result
