"""IAM's policy language as far as a repository policy needs it, with three answers: yes, no, and None for undecided.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html. What depends on something that only
AWS sees (an organisation, a network, a policy variable) or on words nobody here knows is undecided, never guessed.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from functions_app.domain.wildcards import wildcard

Statement = Mapping[str, Any]
ABSENT: Final = ""  # the request has no such key
Facts = Mapping[str, str | None]  # keys in lower case; a value of None, or a missing key: nobody here knows


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """True where one is, else None where one is undecided."""
    found = set(answers)
    return True if True in found else None if None in found else False


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """False where one is, else None where one is undecided."""
    found = set(answers)
    return False if False in found else None if None in found else True


def negated(answer: bool | None) -> bool | None:
    """The contrary; of what is undecided that is undecided, too."""
    return None if answer is None else not answer


def texts(value: Any) -> list[str]:
    """A value that a policy may give alone or in a list."""
    given = value if isinstance(value, list) else [value]
    return [
        each if isinstance(each, str) else str(each).lower() for each in given if isinstance(each, str | bool | int)
    ]


def matches(pattern: str, text: str) -> bool | None:
    """Whether a pattern with * and ? fits; undecided with a policy variable in it."""
    if "${" in pattern:
        return None
    return wildcard(pattern).fullmatch(text) is not None


def has_action(statement: Statement, action: str) -> bool | None:
    """Whether Action or NotAction includes an action, whatever its case."""
    return _either(statement, "Action", lambda given: matches(given.lower(), action.lower()))


def has_resource(statement: Statement, resource: str) -> bool | None:
    """Whether Resource or NotResource includes an ARN; a repository policy may do without: it is about its own."""
    if "Resource" not in statement and "NotResource" not in statement:
        return True
    return _either(statement, "Resource", lambda given: matches(given, resource))


def _either(statement: Statement, name: str, fits: Callable[[str], bool | None]) -> bool | None:
    if f"Not{name}" in statement:
        return negated(any_of(fits(each) for each in texts(statement[f"Not{name}"])))
    return any_of(fits(each) for each in texts(statement.get(name)))


def conditions_hold(statement: Statement, facts: Facts) -> bool | None:
    """Whether all conditions of a statement hold."""
    conditions = statement.get("Condition") or {}
    if not isinstance(conditions, dict):
        return None
    return all_of(
        _holds(operator.lower(), facts.get(key.lower()), texts(wanted))
        for operator, keys in conditions.items()
        for key, wanted in (keys.items() if isinstance(keys, dict) else [("", None)])
    )


def _holds(operator: str, fact: str | None, wanted: list[str]) -> bool | None:
    name, if_exists = operator.removesuffix("ifexists"), operator.endswith("ifexists")
    if fact is None or (name not in COMPARISONS and name != "null"):
        return None
    if name == "null":
        return any_of((fact == ABSENT) == (each.lower() == "true") for each in wanted)
    negative, compare = COMPARISONS[name]
    if fact == ABSENT:
        return if_exists or negative
    found = any_of(compare(each, fact) for each in wanted)
    return negated(found) if negative else found


def _equal(wanted: str, fact: str) -> bool | None:
    return None if "${" in wanted else wanted == fact


def _same(wanted: str, fact: str) -> bool | None:
    return _equal(wanted.lower(), fact.lower())


_POSITIVE: Mapping[str, Callable[[str, str], bool | None]] = {
    "stringequals": _equal,
    "stringequalsignorecase": _same,
    "stringlike": matches,
    "arnequals": matches,  # of ARNs both take wildcards
    "arnlike": matches,
    "bool": _same,
}
COMPARISONS: Mapping[str, tuple[bool, Callable[[str, str], bool | None]]] = {
    **{name: (False, compare) for name, compare in _POSITIVE.items()},
    **{
        f"{kind}not{name.removeprefix(kind)}": (True, compare)
        for name, compare in _POSITIVE.items()
        for kind in ("string", "arn")
        if name.startswith(kind)
    },
}
