"""EventBridge's event patterns: which events a rule wants.

moto lets an unknown filter match everything and does not look into arrays of objects; AWS refuses the one and does
the other (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html).
"""

from __future__ import annotations

import ipaddress
import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

Pattern = Mapping[str, Any]


class InvalidPattern(ValueError):
    """The text is no event pattern; the message is AWS's reason."""


def parse(text: str) -> Pattern:
    """Read a pattern. Raises InvalidPattern."""
    try:
        pattern = json.loads(text)
    except ValueError as error:
        raise InvalidPattern("Filter is not a valid JSON") from error
    if not isinstance(pattern, dict):
        raise InvalidPattern("Filter is not an object")
    _check(pattern)
    return pattern


def _check(pattern: Pattern) -> None:
    for key, wanted in pattern.items():
        if key == "$or" and isinstance(wanted, list):
            for alternative in wanted:
                _check(alternative)
        elif isinstance(wanted, dict):
            _check(wanted)
        elif not isinstance(wanted, list):
            raise InvalidPattern(f'"{key}" must be an object or an array')
        elif not wanted:
            raise InvalidPattern("Empty arrays are not allowed")
        else:
            _check_filters(wanted)


def _check_filters(filters: list[Any]) -> None:
    for each in filters:
        if isinstance(each, dict):
            unknown = next((name for name in each if name != "exists" and name not in _FILTERS), None)
            if unknown is not None or len(each) != 1:
                raise InvalidPattern(f"Unrecognized match type {unknown or ', '.join(each)}")
        elif isinstance(each, list):
            raise InvalidPattern("Match value must be String, number, true, false, or null")


def matches(pattern: Pattern, event: Mapping[str, Any]) -> bool:
    """Whether every field of the pattern accepts the event's."""
    return all(_field_matches(key, wanted, event) for key, wanted in pattern.items())


def _field_matches(key: str, wanted: Any, node: Mapping[str, Any]) -> bool:
    if key == "$or":
        return any(matches(alternative, node) for alternative in wanted)
    value = node.get(key)
    if isinstance(wanted, dict):
        children = [each for each in _listed(value) if isinstance(each, dict)] if key in node else []
        return any(matches(wanted, child) for child in children or [{}])
    leaves = [each for each in _listed(value) if not isinstance(each, dict)] if key in node else []
    return any(_accepted(each, leaves) for each in wanted)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _accepted(wanted: Any, leaves: list[Any]) -> bool:
    if not isinstance(wanted, dict):
        return any(_same(wanted, leaf) for leaf in leaves)
    ((name, operand),) = wanted.items()
    if name == "exists":
        return bool(leaves) == bool(operand)
    return any(_FILTERS[name](leaf, operand) for leaf in leaves)


def _same(wanted: Any, value: Any) -> bool:
    # In JSON true is not 1.
    return isinstance(wanted, bool) == isinstance(value, bool) and wanted == value


def _prefix(value: Any, operand: Any) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(operand, dict):
        return value.lower().startswith(str(operand["equals-ignore-case"]).lower())
    return any(value.startswith(each) for each in _listed(operand))


def _suffix(value: Any, operand: Any) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(operand, dict):
        return value.lower().endswith(str(operand["equals-ignore-case"]).lower())
    return any(value.endswith(each) for each in _listed(operand))


def _equals_ignore_case(value: Any, operand: Any) -> bool:
    return isinstance(value, str) and value.lower() in [str(each).lower() for each in _listed(operand)]


def _anything_but(value: Any, operand: Any) -> bool:
    if isinstance(operand, dict):
        ((name, inner),) = operand.items()
        return not _FILTERS[name](value, inner)
    return not any(_same(each, value) for each in _listed(operand))


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


def _numeric(value: Any, operand: list[Any]) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    pairs = zip(operand[::2], operand[1::2], strict=True)
    return all(_COMPARISONS[sign](value, number) for sign, number in pairs)


def _cidr(value: Any, operand: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


def _wildcard(value: Any, operand: Any) -> bool:
    return isinstance(value, str) and any(_wildcard_expression(each).fullmatch(value) for each in _listed(operand))


def _wildcard_expression(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\\[*\\]|.", pattern, re.DOTALL)
    return re.compile("".join(".*" if part == "*" else re.escape(part[-1]) for part in parts), re.DOTALL)


_FILTERS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "wildcard": _wildcard,
}
